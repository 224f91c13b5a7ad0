"""Many at once: how many correct labels a minute do groups give, and how often is one falsely taken?

A simulated person judges members one by one and gives a wrong answer to one in a hundred. Assumed: 1.2 s a judgment,
3 s to choose a group, 2 s to label its rest. The last column counts the labels that the model learned from, and their
time, too.

**Adversarial groups** (NumPy alone): one class hidden in a large one, either scattered or as a cluster that a split can
find; just more of it than is allowed, or twice that. A group is falsely taken when more than 5 % of its rest is of
another class.

**Sessions**: what the default settings answer after some labels. Each class's surest samples are a group (90 % or more;
60 % where these are fewer than 400), the largest first, as on the Grid page; a wrong member sends those back that are
most like it, and after six wrong ones the person leaves. Once more with all classes together first, each sample as the
model is sure of it at 99 %.

    python benchmarks/bench_groups.py [--replays 1000] [--seeds 3] [--mnist mnist.npz] [--flowers LIST] [--text LIST]
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory, mkdtemp
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.project.groups import is_hopeless
from app.screens.grid_page.choice import OpenPool, group_of_all, group_of_class
from app.screens.group_page.answer import FEWEST_RIGHT
from app.screens.shared.likeness import not_like
from app.simulation.config import SimulationConfig
from app.simulation.data import load_data
from app.simulation.pool_features import build_graphs
from app.simulation.run import simulate
from app.simulation.study import prepared
from loops.embeddings.stored_rows import StoredRows, open_rows
from loops.evaluation.purity import ALLOWED, Purity, draw_order
from loops.oracle import Query

SLIPS = 0.01
JUDGMENT_S, CHOICE_S, REST_S = 1.2, 3.0, 2.0
LABEL_S = 1.2  # of a label that the model learns from
FOLDER = TemporaryDirectory()
Ids = NDArray[np.int64]
Rows = NDArray[np.float32]


@dataclass(frozen=True)
class Stored:
    """Rows by sample id, as a feature store has them."""

    all_rows: Rows

    def rows(self, sample_ids: Ids) -> Rows:
        """Of these samples."""
        return self.all_rows[sample_ids]

    def missing(self, sample_ids: Ids) -> Ids:
        """None."""
        return sample_ids[:0]


@dataclass(frozen=True)
class Outcome:
    """How one group went."""

    judged: int
    right_answers: int  # of the judgments
    rest: int  # labeled at once; 0: the group was left
    wrong: int  # of the rest
    seconds: float

    @property
    def is_false(self) -> bool:
        """Whether more of the rest is wrong than was proven."""
        return self.wrong > ALLOWED * self.rest


def judge(members: Ids, is_member_N: NDArray[np.bool_], stored: Stored | StoredRows, seed: int) -> Outcome:
    """One group, judged until its rest is proven or too mixed.

    Args:
        members: Sample ids.
        is_member_N: By sample id, whether it is of the group's class.
        stored: What a split looks at.
        seed: Of the draws and of the slips.
    """
    slips = np.random.default_rng((seed, 1))
    left, purity = draw_order(members, seed), Purity(len(members))
    right: list[int] = []
    wrong: list[int] = []
    is_mixed = False
    while not purity.holds and len(left) and not is_mixed:
        sample_id, left = int(left[0]), left[1:]
        is_right = bool(is_member_N[sample_id]) != (slips.random() < SLIPS)
        purity = purity.drawn(wrong=not is_right)
        (right if is_right else wrong).append(sample_id)
        if not is_right and len(right) >= FEWEST_RIGHT:
            stays = not_like(stored, left, right=np.array(right), wrong=np.array(wrong))  # type: ignore[arg-type]
            purity, left = (purity.split(left=len(stays)), stays) if len(stays) < len(left) else (purity, left)
        is_mixed = not is_right and is_hopeless(purity)
    rest = left if purity.holds else left[:0]
    correct = int(is_member_N[right].sum()) + int((~is_member_N[wrong]).sum())
    judged = len(right) + len(wrong)
    seconds = CHOICE_S + JUDGMENT_S * judged + (REST_S if len(rest) else 0.0)
    return Outcome(judged, correct, len(rest), int((~is_member_N[rest]).sum()), seconds)


def adversarial(replays: int) -> None:
    """The table of hidden classes."""
    print("| group | hidden | where | replays | taken | falsely taken | judged, median | wrong of the rest |")
    print("|---|---|---|---|---|---|---|---|")
    for size in (400, 2000):
        for hidden in (0.0, 0.01, 0.06, 0.1):
            for where in ("scattered", "a cluster"):
                outcomes = [_hidden(size, hidden, where, seed) for seed in range(replays)]
                taken = [one for one in outcomes if one.rest]
                wrong = sum(one.wrong for one in taken) / max(1, sum(one.rest for one in taken))
                print(
                    f"| {size:,} | {hidden:.0%} | {where} | {replays:,} | {len(taken) / replays:.1%} "
                    f"| {sum(one.is_false for one in taken) / replays:.1%} "
                    f"| {median(one.judged for one in outcomes):.0f} | {wrong:.2%} |",
                    flush=True,
                )


def _hidden(size: int, hidden: float, where: str, seed: int) -> Outcome:
    generator = np.random.default_rng((seed, 2))
    is_member_N = np.arange(size) >= round(hidden * size)
    rows = generator.normal(size=(size, 16)).astype(np.float32)
    if where == "a cluster":
        rows[~is_member_N] += 4.0 * np.array([1, -1] * 8, np.float32)
    return judge(np.arange(size), is_member_N, Stored(rows), seed)


@dataclass(frozen=True)
class Session:
    """A pool with all its labels, of which the product has asked for some."""

    name: str
    labels: int  # that it asked for; the groups are of its last round
    given: tuple[tuple[str, Any], ...]  # to the simulation: options and values


def sessions(arguments: argparse.Namespace) -> Iterator[Session]:
    """Those that there is data for."""
    if arguments.mnist:
        for labels in arguments.labels:
            yield Session("MNIST", labels, (("npz", arguments.mnist), ("test_size", 500)))
    for path in (*arguments.flowers, *arguments.text):
        test = path.with_name(path.name.replace("pool", "test"))
        name = path.stem.replace("-pool", "") if path.parent.name == "text" else path.parent.name
        for labels in arguments.labels:
            yield Session(name, labels, (("labels", path), ("test", test)))


def run_session(session: Session, seed: int, *, all_first: bool) -> list[Outcome]:
    """All groups of a pool, the largest first; those of single classes of what one of all classes has left."""
    answered, truth_P, stored = asked(session, seed)
    outcomes = []
    if all_first and len(sure := group_of_all(answered, set()).sample_ids):
        is_right_P = np.zeros(len(truth_P), np.bool_)
        is_right_P[answered.sample_ids] = answered.predicted_N == truth_P[answered.sample_ids]
        outcomes.append(judge(sure, is_right_P, stored, seed))
        if outcomes[0].rest:
            kept_N = ~np.isin(answered.sample_ids, sure)
            answered = OpenPool(
                answered.sample_ids[kept_N], answered.predicted_N[kept_N], answered.confidence_N[kept_N]
            )
    groups = [(index, group_of_class(answered, index)) for index in range(int(truth_P.max()) + 1)]
    groups = [(index, members) for index, members in groups if not is_hopeless(Purity(len(members)))]
    groups.sort(key=lambda group: -len(group[1]))
    return [*outcomes, *(judge(members, truth_P == index, stored, seed) for index, members in groups)]


@cache
def asked(session: Session, seed: int) -> tuple[OpenPool, Ids, StoredRows]:
    """What the default settings answer after so many labels, the truth by sample id, and the features."""
    out = Path(mkdtemp(dir=FOLDER.name))
    config = SimulationConfig(out=out, seed=seed, budget=session.labels, **dict(session.given))
    answers: list[OpenPool] = []

    def keep(query: Query, _noted: object) -> None:
        scores = query.pool_scores
        if scores is not None:
            probs_N_C = scores.probs_N_C
            answers.append(OpenPool(scores.sample_ids, probs_N_C.argmax(1), probs_N_C.max(1).astype(np.float64)))

    images = load_data(config)
    truth_P = np.full(max(images.pool) + 1, -1, np.int64)
    truth_P[list(images.pool)] = list(images.pool.values())
    with prepared(config, images, out) as simulation:
        build_graphs(simulation.store, images.pool, num_classes=len(images.classes), seed=seed, progress=lambda _: None)
        simulate(config, simulation, keep)
        return answers[-1], truth_P, open_rows(simulation.store.folder)


def in_sessions(found: Iterator[Session], seeds: int) -> None:
    """The table of sessions; counts are of one of them, on average."""
    head = ("pool", "samples", "model's labels", "groups", "taken", "falsely taken", "judged", "labeled at once",
            "wrong of these", "minutes", "correct labels a minute", "with the model's labels")  # fmt: skip
    print(f"| {' | '.join(head)} |\n|{'---|' * len(head)}")
    for session, all_first in ((one, first) for one in found for first in (False, True)):
        every = [one for seed in range(seeds) for one in run_session(session, seed, all_first=all_first)]
        taken = [one for one in every if one.rest]
        rest, wrong = sum(one.rest for one in taken), sum(one.wrong for one in taken)
        judged, minutes = sum(one.judged for one in every), sum(one.seconds for one in every) / 60
        correct = rest - wrong + sum(one.right_answers for one in every)
        name = f"{session.name}, all classes first" if all_first else session.name
        size = len(asked(session, 0)[0].sample_ids) + session.labels
        learned = session.labels * LABEL_S / 60
        line = (name, f"{size:,}", session.labels, f"{len(every) / seeds:.1f}",
                f"{len(taken) / seeds:.1f}", f"{sum(one.is_false for one in taken)} of {len(every)}",
                f"{judged / seeds:,.0f}", f"{rest / seeds:,.0f}", f"{wrong / max(1, rest):.2%}",
                f"{minutes / seeds:.1f}", f"{correct / max(minutes, 1e-9):,.0f}",
                f"{(correct / seeds + session.labels) / (minutes / seeds + learned):,.0f}")  # fmt: skip
        print(f"| {' | '.join(map(str, line))} |", flush=True)


def main(given: Sequence[str] | None = None) -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--replays", type=int, default=1000)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--labels", type=int, nargs="+", default=[200], help="that the model of a session has")
    parser.add_argument("--mnist", type=Path)
    parser.add_argument(
        "--flowers", type=Path, nargs="*", default=[], help="lists of photographs, test.csv beside each"
    )
    parser.add_argument("--text", type=Path, nargs="*", default=[], help="CSV files: text first, label last")
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args(given)
    adversarial(20 if arguments.quick else arguments.replays)
    print()
    with FOLDER:
        in_sessions(sessions(arguments), 1 if arguments.quick else arguments.seeds)


if __name__ == "__main__":
    main()
