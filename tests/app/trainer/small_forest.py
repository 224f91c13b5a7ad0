"""A predictor of one's own: a forest that is grown in a blink."""

from sklearn.ensemble import RandomForestClassifier

forest = RandomForestClassifier(5)
