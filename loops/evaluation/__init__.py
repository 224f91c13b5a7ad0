"""How good the learner is, what the labels saved, and when to stop."""
