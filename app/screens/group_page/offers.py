"""Which groups are offered: what the model takes for one class, what was searched for, or what is like one sample."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from app.project.project import Project
from app.project.scores import scores_path
from app.screens.grid_page.choice import OpenPool, group_of_all, group_of_class, open_pool
from app.screens.shared.likeness import most_like
from app.screens.shared.round_scores import read_round_scores
from loops.embeddings.stored_rows import fullest_folder, open_rows
from loops.errors import FeatureStoreError
from loops.evaluation.purity import Purity
from storage.current import decided_ids
from storage.engine import Session
from storage.finding import find_samples
from storage.groups import EACH, kept_out_of_groups
from storage.projects import ClassInfo
from storage.rounds import open_round

CHOSEN, CHOSEN_WORDS = "chosen", "were chosen on the map"
MOST_LIKE = 500  # members of a group of look-alikes: what is farther is hardly alike


@dataclass(frozen=True)
class Offer:
    """A group that may be begun."""

    name: str  # by which the browser chooses it
    class_index: int | None  # None: the person says what it is; `EACH`: each member is of its own
    words: str  # how the members were found, after their number
    sample_ids: tuple[int, ...]
    classes: tuple[int, ...] = ()  # of each sample, where it is of its own

    @property
    def needed(self) -> int | None:
        """Members to be judged if all of them are right; None: the group is too small to save anything."""
        needed = _needed(len(self.sample_ids))
        return needed if needed is not None and 2 * needed <= len(self.sample_ids) else None


@lru_cache(maxsize=1000)
def _needed(size: int) -> int | None:
    return Purity(size).needed()


@dataclass(frozen=True)
class GroupSearch:
    """What a person looks for, beside what the model knows."""

    text: str = ""
    like: int | None = None  # a sample's id
    chosen: tuple[int, ...] = ()  # ids of samples that were lassoed


def find_offers(
    session: Session,
    project: Project,
    *,
    project_id: int,
    classes: Sequence[ClassInfo],
    out: AbstractSet[int],
    wanted: GroupSearch,
) -> list[Offer]:
    """Find the groups that there are now, the searched ones first.

    Args:
        session: A session.
        project: The project's folder.
        project_id: In the database.
        classes: Of the project; retired ones are not offered.
        out: Ids of samples that are never members, or decided.
        wanted: What the person looks for.

    Raises:
        UnreadableScoresError: When the file of the round is there and cannot be read.
    """
    offers = [_found(session, project_id, out, wanted.text)] if wanted.text else []
    offers += [_alike(project, out, wanted.like)] if wanted.like is not None else []
    offers += [Offer(CHOSEN, None, CHOSEN_WORDS, tuple(sorted(set(wanted.chosen) - out)))] if wanted.chosen else []
    opened = open_round(session, project_id=project_id)
    path = None if opened is None else scores_path(project.rounds_dir, opened.number)
    if opened is not None and path is not None and path.exists():
        pool = open_pool(read_round_scores(path), leave_out=out)
        offers += [_of_all(pool, classes, opened.number), *_of_classes(pool, classes, opened.number)]
    return [offer for offer in offers if offer.sample_ids]


def left_out(session: Session, *, project_id: int, audit_share: float) -> set[int]:
    """The samples that are decided, or are never members of a group."""
    out = kept_out_of_groups(session, project_id=project_id, audit_share=audit_share)
    return out | decided_ids(session, project_id=project_id)


def _of_all(pool: OpenPool, classes: Sequence[ClassInfo], round_number: int) -> Offer:
    sure = group_of_all(pool, {one.index for one in classes if one.retired})
    ids, predicted = tuple(sure.sample_ids.tolist()), tuple(sure.predicted_N.tolist())
    return Offer("all", EACH, f"are of a class that the model of round {round_number} is sure of", ids, predicted)


def _of_classes(pool: OpenPool, classes: Sequence[ClassInfo], round_number: int) -> list[Offer]:
    return [
        Offer(
            f"class:{one.index}",
            one.index,
            f"look like {one.name} to the model of round {round_number}",
            tuple(group_of_class(pool, one.index).tolist()),
        )
        for one in classes
        if not one.retired
    ]


def _found(session: Session, project_id: int, out: AbstractSet[int], text: str) -> Offer:
    found = find_samples(session, project_id=project_id, wanted=text) - out
    return Offer("found", None, f"were found by “{text}”", tuple(sorted(found)))


def _alike(project: Project, out: AbstractSet[int], sample_id: int) -> Offer:
    words = f"are most like sample {sample_id}"
    folder = fullest_folder(project.features_dir)
    if folder is None:
        return Offer("like", None, words, ())
    try:
        stored = open_rows(folder)
        ids = stored.ids[~np.isin(stored.ids, np.fromiter(out, np.int64, len(out)))]
        return Offer("like", None, words, tuple(most_like(stored, sample_id, ids, count=MOST_LIKE).tolist()))
    except FeatureStoreError:  # the trainer has not looked at the sample, or is writing: then nothing is known of it
        return Offer("like", None, words, ())
