"""What the trainer measures between two rounds, while people label."""
