"""Which samples are asked next."""
