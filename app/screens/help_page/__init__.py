"""What only the Help page shows."""
