"""A project: its folder, its settings, how it is made and filled, and where it stands."""
