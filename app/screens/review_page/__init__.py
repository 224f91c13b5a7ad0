"""What only the Review page shows."""
