"""The trainer process: the one place where loops and storage meet."""
