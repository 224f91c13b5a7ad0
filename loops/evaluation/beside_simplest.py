"""Is the default better than the simplest thing: random questions, answered by logistic regression?

Both are given as many labels and judged on the audit samples, the only ones that nobody chose. See
docs/decisions/0041-simplest.md.
"""

from __future__ import annotations

import numpy as np

from loops.evaluation.labels_saved import FEWEST_AUDITED, AtEqualLabels, redraw
from loops.evaluation.shadow import Shadows


def beside_simplest(default: Shadows, simplest: Shadows) -> AtEqualLabels | None:
    """Judges the default on the first chosen labels, and the simplest thing on as many that were drawn at random.

    Args:
        default: Makes the default predictor; its chosen labels are those the default asked for.
        simplest: Makes the simplest predictor, with the same audit labels.

    Returns:
        Accuracies of both, with the 95 % band of their difference; None with fewer than 20 audit labels, or with too
        few labels for the smallest comparison.
    """
    sizes = default.uniform_sizes
    if len(default.audit) < FEWEST_AUDITED or not sizes:
        return None
    labels = sizes[-1]
    rights_A_2 = np.column_stack([default.chosen_rights(labels), simplest.uniform_rights(labels)]).astype(float)
    redrawn_B_2 = redraw(rights_A_2, seed=len(default.audit))
    low, high = np.percentile(redrawn_B_2[:, 0] - redrawn_B_2[:, 1], [2.5, 97.5]).tolist()
    chosen, uniform = rights_A_2.mean(axis=0).tolist()
    return AtEqualLabels(labels, chosen, uniform, low, high)
