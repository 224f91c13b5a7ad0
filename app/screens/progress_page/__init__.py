"""What only the Progress page shows."""
