"""What only the Setup page shows."""
