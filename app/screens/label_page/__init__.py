"""What only the Label page shows."""
