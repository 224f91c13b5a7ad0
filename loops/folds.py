"""Which labeled samples are held out together."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold

from loops.errors import NotEnoughSamplesError
from loops.seeding import seed_of

MIN_FOLDS = 2


def assign_folds(
    labels: Mapping[int, int], *, num_folds: int = 5, groups: Mapping[int, int] | None = None, seed: int = 0
) -> dict[int, int]:
    """Splits labeled samples into folds, stratified by class, no group torn apart.

    There are fewer folds than `num_folds` when there are fewer groups, or when every class has fewer samples. A class
    of fewer samples than folds is in as many folds as it can be.

    Args:
        labels: Sample id -> class index.
        num_folds: At most.
        groups: Sample id -> group; who is not in it is a group of its own.
        seed: Another seed, other folds; the order of `labels` does not matter.

    Returns:
        Sample id -> fold, from 0, none of them empty.

    Raises:
        NotEnoughSamplesError: If there are not two groups, or no class has two samples.
    """
    sample_ids = sorted(labels)
    labels_N = [labels[sample_id] for sample_id in sample_ids]
    groups_N = _numbered(sample_ids, groups or {})
    largest_class = max(Counter(labels_N).values(), default=0)
    folds = min(num_folds, len(set(groups_N)), largest_class)
    if folds < MIN_FOLDS:
        raise NotEnoughSamplesError(wanted=MIN_FOLDS, found=folds)
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed_of(seed, "folds") % 2**32)
    fold_of: dict[int, int] = {}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The least populated class in y", UserWarning)  # as the docstring says
        parts = [held_out for _, held_out in splitter.split(sample_ids, labels_N, groups_N) if len(held_out)]
    for fold, held_out in enumerate(parts):
        fold_of.update((sample_ids[position], fold) for position in held_out.tolist())
    return dict(sorted(fold_of.items()))


def duplicate_groups(sample_ids: Sequence[int], rows_N_D: NDArray[Any]) -> dict[int, int]:
    """Groups samples whose stored rows are equal, byte for byte: one picture in two files.

    Args:
        sample_ids: `[N]`.
        rows_N_D: Row by row, as `Network.embedding` returns them.

    Returns:
        Sample id -> the first sample id with that row, for all.
    """
    first: dict[bytes, int] = {}
    return {i: first.setdefault(row.tobytes(), i) for i, row in zip(sample_ids, rows_N_D, strict=True)}


def _numbered(sample_ids: Sequence[int], groups: Mapping[int, int]) -> list[int]:
    """A number per group; tuples keep the id of a single sample from meeting the name of a group."""
    numbers: dict[tuple[str, int], int] = {}
    keys = [("group", groups[i]) if i in groups else ("single", i) for i in sample_ids]
    return [numbers.setdefault(key, len(numbers)) for key in keys]
