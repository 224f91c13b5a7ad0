"""On how many samples an accuracy has to be measured before a screen tells it."""

from storage.metrics import MetricInfo

FEWEST_DRAWN = 5  # samples; one sample is 0 or 100 %, and bends the whole chart


def is_enough(metric: MetricInfo) -> bool:
    """Say whether an accuracy was measured on more than next to nothing."""
    return metric.n is None or metric.n >= FEWEST_DRAWN
