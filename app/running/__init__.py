"""What keeps a project running: the supervisor, its children, and the web server."""
