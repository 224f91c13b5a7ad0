"""Wrong suggestions among those that are shown: only so it can be told who looks and who merely accepts.

At most one in twenty. Which samples get one follows from the project's seed, so that a reload shows the same. None is
seeded where a label proves or measures something (audit, rechecks, samples that several decide on), nor where the class
that would be named is right with more than 5 % by the model's own word.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from storage.queue import ClaimedSample

RATE = 0.05  # of the suggestions that may be seeded
MOST_RIGHT = 0.05  # chance that a seeded class is the right one, by the model's word


def shown_suggestion(entry: ClaimedSample, *, classes: Sequence[int], seed: int) -> int | None:
    """The class that is shown as the model's suggestion: its answer, or now and then another one.

    Args:
        entry: The sample and what the model answers.
        classes: Indices of the classes that may be given.
        seed: The project's.

    Returns:
        A class index; None where the model has no answer that may be given.
    """
    if entry.suggestion is None or entry.suggestion not in classes:
        return None
    others = [index for index in classes if index != entry.suggestion]
    dice = random.Random(f"{seed} suggestion {entry.sample.id}")
    if not _may_be_seeded(entry, len(others)) or dice.random() >= RATE:
        return entry.suggestion
    return dice.choice(others)


def _may_be_seeded(entry: ClaimedSample, others: int) -> bool:
    proves = entry.purpose != "train" or entry.annotators > 1
    if proves or not others or entry.suggestion_probability is None:
        return False
    return (1 - entry.suggestion_probability) / others <= MOST_RIGHT
