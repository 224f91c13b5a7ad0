"""MC dropout: K fixed masks for a whole pool, and its closed form for a linear layer."""
