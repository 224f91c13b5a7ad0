"""What is fitted on the labels of a round."""
