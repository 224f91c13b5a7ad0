"""A network that is taught what another predictor answers: a file can hold it, and needs no pool beside it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from loops.errors import NotEnoughSamplesError
from loops.predictors.network import Network
from loops.predictors.predictor import Ids, Predictor
from loops.seeding import hash_of_ids, seed_of

MOST_TAUGHT = 5_000  # samples; a fit of more takes no longer, and sees a part of them in an epoch
HELD_BACK = 0.2  # of them, on which teacher and student are compared
_FEWEST = 10


@dataclass(frozen=True)
class Agreement:
    """How often student and teacher give the same class, on samples that were not taught."""

    agree: float  # 0..1
    n: int  # samples


def taught_by(teacher: Predictor, student: Network, pool: Ids) -> tuple[Network, Agreement]:
    """Teaches a network the classes that another predictor gives to the pool.

    Hinton, Vinyals and Dean 2015 (arXiv:1503.02531), with classes in place of probabilities: the network is fitted as
    in every round, and answers for images that no graph has ever seen.

    Args:
        teacher: Fitted.
        student: Not fitted; is.
        pool: All samples that may be taught; drawn from by id.

    Raises:
        NotEnoughSamplesError: If there are fewer than ten.
    """
    drawn = pool[np.argsort(hash_of_ids(pool, seed_of("student")))[:MOST_TAUGHT]]
    if len(drawn) < _FEWEST:
        raise NotEnoughSamplesError(wanted=_FEWEST, found=len(drawn))
    held_back, taught = np.split(drawn, [round(HELD_BACK * len(drawn))])
    classes = teacher.predict(taught).argmax(axis=1)
    student.fit(dict(zip(taught.tolist(), classes.tolist(), strict=True)), round_number=0)
    same = student.predict(held_back).argmax(axis=1) == teacher.predict(held_back).argmax(axis=1)
    return student, Agreement(float(same.mean()), len(held_back))
