"""What only the Grid page shows."""
