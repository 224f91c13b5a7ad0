"""What only the groups of the Grid page show."""
