"""The pool as a graph of neighbors, over which labels spread."""
