"""How good the predictor is, what the labels saved, and when to stop."""
