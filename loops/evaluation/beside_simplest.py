"""Is the default better than the simplest thing: random questions, answered by logistic regression?

Both are given as many labels and judged on the same audit samples, which the default did not choose. See
docs/decisions/0041-simplest.md.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from loops.evaluation.labels_saved import AtEqualLabels, redraw
from loops.evaluation.shadow import Shadows

FEWEST_DRAWN = 10  # labels drawn uniformly, which the simplest thing learns from
FEWEST_JUDGED = 20  # audit labels of any chance; fewer leave a band in which everything fits


def beside_simplest(
    default: Shadows, simplest: Shadows, judged: Mapping[int, int], weights: Mapping[int, float]
) -> AtEqualLabels | None:
    """Judges the default on the first chosen labels, and the simplest thing on as many that were drawn at random.

    Args:
        default: Makes the default predictor; its chosen labels are those the default asked for.
        simplest: Makes the simplest predictor, with the same uniform audit labels, which it learns from.
        judged: Sample id -> class index, all audit labels; those drawn by other chances too.
        weights: Sample id -> how much it counts, 1 in the mean.

    Returns:
        Accuracies of both, with the 95 % band of their difference; None with too few audit labels.
    """
    sizes = default.uniform_sizes
    if len(default.audit) < FEWEST_DRAWN or len(judged) < FEWEST_JUDGED or not sizes:
        return None
    labels, counting_J = sizes[-1], np.array([weights[i] for i in judged])
    rights_J_2 = np.column_stack([default.chosen_rights(labels, judged), simplest.uniform_rights(labels, judged)])
    redrawn_B_2 = redraw(rights_J_2.astype(float), len(judged), counting_J)
    low, high = np.percentile(redrawn_B_2[:, 0] - redrawn_B_2[:, 1], [2.5, 97.5]).tolist()
    chosen, uniform = np.average(rights_J_2, axis=0, weights=counting_J).tolist()
    return AtEqualLabels(labels, chosen, uniform, low, high)
