"""How a page of the server draws a sample: one file per kind, and the one that asks the kinds."""
