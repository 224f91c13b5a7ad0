"""The loop with known labels in place of a person: one run, or many side by side."""
