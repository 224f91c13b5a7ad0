"""The model at work on new samples: on the command line, and as a server."""
