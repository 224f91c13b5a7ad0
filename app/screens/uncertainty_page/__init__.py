"""What only the Uncertainty page shows."""
