"""What only the Projects page shows."""
