"""Many at once: how many correct labels a minute do groups give, and how often is one falsely taken?

A simulated person judges members one by one and gives a wrong answer to one in a hundred. Assumed: 1.2 s a judgment,
3 s to choose a group, 2 s to label its rest. The time for the labels that the model learned from is not counted.

**Adversarial groups** (NumPy alone): one class hidden in a large one, either scattered or as a cluster that a split can
find; just more of it than is allowed, or twice that. A group is falsely taken when more than 5 % of its rest is of
another class.

**Sessions**: a kernel classifier on a few random labels. Each class's surest samples are a group (90 % or more; 60 %
where these are fewer than 400), the largest first, as on the Grid page; a wrong member sends those back that are most
like it, and after six wrong ones the person leaves.

    python benchmarks/bench_groups.py [--replays 1000] [--seeds 3] [--mnist mnist.npz] [--flowers DIR] [--text FILE ...]
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np
import pandas as pd
from labeled_sets import embedded, sample_digits
from numpy.typing import NDArray
from PIL import Image
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from app.project.groups import is_hopeless
from app.screens.grid_page.choice import OpenPool, group_of_class
from app.screens.group_page.answer import FEWEST_RIGHT
from app.screens.shared.likeness import not_like
from loops.embeddings.images import candidates
from loops.evaluation.purity import ALLOWED, Purity, draw_order
from loops.predictors.network_spec import choose_network

SLIPS = 0.01
JUDGMENT_S, CHOICE_S, REST_S = 1.2, 3.0, 2.0
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


def judge(members: Ids, is_member_N: NDArray[np.bool_], stored: Stored, seed: int) -> Outcome:
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
    """A pool with all its labels, and how many of them the model learns from."""

    name: str
    rows: Rows
    labels: Ids
    learned: int


def sessions(arguments: argparse.Namespace) -> Iterator[Session]:
    """Those that there is data for."""
    digits = sample_digits()
    yield Session("digits", _principal(digits.rows.reshape(len(digits.rows), -1)), digits.labels, 100)
    if arguments.mnist:
        with np.load(arguments.mnist) as data:
            images, labels = data["x_train"], data["y_train"].astype(np.int64)
        yield Session("MNIST", _principal(images.reshape(len(images), -1)), labels, 1000)
    if arguments.flowers:
        yield _flowers(arguments.flowers)
    for path in arguments.text:
        yield _text(path)


def _flowers(folder: Path) -> Session:
    listed = pd.read_csv(folder / "pool.csv")
    paths = [folder / name for name in listed.iloc[:, 0]]
    rows = embedded(paths, choose_network("auto", candidates([Image.open(path).size for path in paths[:500]])))
    labels = pd.factorize(listed.iloc[:, -1], sort=True)[0].astype(np.int64)
    return Session("flowers", rows.reshape(len(rows), -1).astype(np.float32), labels, 200)


def _text(path: Path) -> Session:
    listed = pd.read_csv(path)
    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2).fit_transform(
        listed.iloc[:, 0].astype(str)
    )
    rows = TruncatedSVD(200, random_state=0).fit_transform(words).astype(np.float32)
    return Session(path.stem, rows, pd.factorize(listed.iloc[:, -1], sort=True)[0].astype(np.int64), 500)


def _principal(flat: NDArray[np.uint8]) -> Rows:
    some = np.random.default_rng(0).permutation(len(flat))[:5000]
    scaled = flat.astype(np.float32) / 255
    rows: Rows = PCA(40, random_state=0).fit(scaled[some]).transform(scaled).astype(np.float32)
    return rows


def run_session(session: Session, seed: int) -> list[Outcome]:
    """All groups of a pool, the largest first."""
    order = np.random.default_rng((seed, 3)).permutation(len(session.rows))
    learned, pool = order[: session.learned], np.sort(order[session.learned :])
    kernel = Nystroem(gamma=0.5 / session.rows.shape[1], n_components=min(300, len(learned)), random_state=seed)
    model = make_pipeline(StandardScaler(), kernel, LogisticRegression(C=30, max_iter=2000))
    model.fit(session.rows[learned], session.labels[learned])
    probs_N_C = model.predict_proba(session.rows[pool])
    answered = OpenPool(pool, model.classes_[probs_N_C.argmax(1)], probs_N_C.max(1))
    groups = [(index, group_of_class(answered, index)) for index in model.classes_.tolist()]
    groups = [(index, members) for index, members in groups if not is_hopeless(Purity(len(members)))]
    groups.sort(key=lambda group: -len(group[1]))
    stored = Stored(session.rows)
    return [judge(members, session.labels == index, stored, seed) for index, members in groups]


def in_sessions(found: Iterator[Session], seeds: int) -> None:
    """The table of sessions; counts are of one of them, on average."""
    head = ("pool", "samples", "model's labels", "groups", "taken", "falsely taken", "judged", "labeled at once",
            "wrong of these", "minutes", "correct labels a minute")  # fmt: skip
    print(f"| {' | '.join(head)} |\n|{'---|' * len(head)}")
    for session in found:
        every = [one for seed in range(seeds) for one in run_session(session, seed)]
        taken = [one for one in every if one.rest]
        rest, wrong = sum(one.rest for one in taken), sum(one.wrong for one in taken)
        judged, minutes = sum(one.judged for one in every), sum(one.seconds for one in every) / 60
        correct = rest - wrong + sum(one.right_answers for one in every)
        line = (session.name, f"{len(session.rows):,}", session.learned, f"{len(every) / seeds:.1f}",
                f"{len(taken) / seeds:.1f}", f"{sum(one.is_false for one in taken)} of {len(every)}",
                f"{judged / seeds:,.0f}", f"{rest / seeds:,.0f}", f"{wrong / max(1, rest):.2%}",
                f"{minutes / seeds:.1f}", f"{correct / max(minutes, 1e-9):,.0f}")  # fmt: skip
        print(f"| {' | '.join(map(str, line))} |", flush=True)


def main(given: Sequence[str] | None = None) -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--replays", type=int, default=1000)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--mnist", type=Path)
    parser.add_argument("--flowers", type=Path, help="a folder with pool.csv")
    parser.add_argument("--text", type=Path, nargs="*", default=[], help="CSV files: text first, label last")
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args(given)
    adversarial(20 if arguments.quick else arguments.replays)
    print()
    in_sessions(sessions(arguments), 1 if arguments.quick else arguments.seeds)


if __name__ == "__main__":
    main()
