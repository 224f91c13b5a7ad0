"""Pieces of the screens: each hides its session state and returns a value."""
