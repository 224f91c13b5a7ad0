"""Is what is certified true, and how many audit labels does it take?

Replays recorded runs (`recorded_rounds.py`) with the product's own policy: at each round the new predictor may take the
candidate's place, audit samples are drawn one by one with draws of the replay's own, and after every label it is looked
whether the target is proven. A replay ends at the first claim. Beside it: uniform audit samples of the same predictor
and a Wilson interval (95 %, two-sided), looked at once, after as many labels as let half of the samples claim it.

    python benchmarks/bench_certificate.py --recordings FOLDER [--replays 1000] [--targets 0.9 0.95]
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from statistics import median

import numpy as np
from recorded_rounds import RecordedRound, Recording, read_recording, record, recording_options

from loops.certificate.auditor import Auditor, next_draws
from loops.certificate.candidate import Candidate, PoolAnswers, make_candidate
from loops.certificate.chain import succeeded
from loops.certificate.evidence import FIRST, Evidence
from loops.evaluation.estimates import wilson_interval
from loops.oracle import Answers
from loops.seeding import seed_of

MOST_AUDITS = 800  # of one replay
COLD = 20  # labels that every recording begins with


@dataclass(frozen=True)
class Replay:
    """How one replay went."""

    claimed: bool
    is_wrong: bool  # what was proven at the claim, or at the end, was not true
    ever_wrong: bool  # the same at any look
    audits: int
    labels: int  # trained on, by then
    true_accuracy: float
    candidates: int


def replay(path: Path, target: float, query_size: int, seed: int) -> Replay:
    """One run over the recording, with audit samples drawn by a seed."""
    recording = _recording(path)
    labels: dict[int, int] = {}
    audit: dict[int, int] = {}
    auditor = Auditor(target, seed, query_size)
    ever_wrong = False
    generator = np.random.default_rng(seed)
    for place, recorded in enumerate(recording.rounds):
        last = place == len(recording.rounds) - 1
        left = recorded.sample_ids_N[~np.isin(recorded.sample_ids_N, list(audit))]
        labels = _trained(recording, place, audit)
        answers = Answers(place + 1, labels, left, audit=audit)
        rows = np.isin(recorded.sample_ids_N, left)
        plan = auditor.plan(
            answers,
            PoolAnswers(left, recorded.predicted_N[rows], recorded.doubt_N[rows].astype(float)),
            partial(_answers, recorded),
        )
        if not auditor.chain:
            continue
        wanted = MOST_AUDITS if last else int(generator.negative_binomial(query_size, 1.0 - plan.share))
        for _ in range(min(wanted, MOST_AUDITS - len(audit))):
            known = {**labels, **audit}
            drawn = next_draws(auditor.chain[-1], known, 1)
            if not drawn:
                break
            audit[drawn[0].sample_id] = int(recording.truth_P[drawn[0].sample_id])
            certificate = auditor.certificate(Answers(place + 1, labels, left, audit=audit))
            assert certificate is not None
            accuracy = _accuracy(recording, auditor.chain[-1], {**labels, **audit})
            ever_wrong |= certificate.proven > accuracy + 1e-9
            if certificate.proven >= target:
                return Replay(
                    True, accuracy < target - 1e-9, ever_wrong, len(audit), recorded.labels, accuracy,
                    len(auditor.chain),
                )  # fmt: skip
    return Replay(False, False, ever_wrong, len(audit), recorded.labels, 0.0, len(auditor.chain))


def is_ever_wrong(path: Path, seed: int) -> bool:
    """Whether more is proven than is true at any of 180 looks, while three recorded predictors follow one another.

    The hardest case: nothing is decided by a policy, whatever is proven counts, also where no target is near.
    """
    recording = _recording(path)
    last = len(recording.rounds) - 1
    places = (last // 3, 2 * last // 3, last)
    labels: dict[int, int] = {}
    evidence: Evidence | None = None
    for place, recorded in enumerate(recording.rounds[k] for k in places):
        left_N = ~np.isin(recorded.sample_ids_N, list(labels))
        answered = PoolAnswers(
            recorded.sample_ids_N[left_N], recorded.predicted_N[left_N], recorded.doubt_N[left_N].astype(float)
        )
        candidate = make_candidate(answered, round_number=place, seed=seed_of(seed, place), target=0.95)
        labels |= _trained(recording, places[place], labels)
        evidence = Evidence(candidate, FIRST, 0.95) if evidence is None else succeeded(evidence, candidate, labels)
        right_N = recording.truth_P[candidate.sample_ids] == candidate.predicted_N
        wrong_left = int((~right_N).sum())
        for row in candidate.order[:60].tolist():
            sample_id = int(candidate.sample_ids[row])
            labels[sample_id] = int(recording.truth_P[sample_id])
            evidence.draw(row, wrong=not right_N[row])
            wrong_left -= int(not right_N[row])
            if evidence.refuted - 1 - evidence.found < wrong_left:
                return True
    return False


@cache
def _recording(path: Path) -> Recording:
    return read_recording(path)


def _answers(recorded: RecordedRound, ids: Sequence[int]) -> PoolAnswers:
    """Of those of the samples that the recorded predictor was not trained on."""
    rows = np.isin(recorded.sample_ids_N, ids)
    return PoolAnswers(recorded.sample_ids_N[rows], recorded.predicted_N[rows], recorded.doubt_N[rows].astype(float))


def _trained(recording: Recording, place: int, audit: Mapping[int, int]) -> dict[int, int]:
    gone_P = recording.truth_P >= 0
    gone_P[recording.rounds[place].sample_ids_N] = False
    return {i: int(recording.truth_P[i]) for i in np.flatnonzero(gone_P).tolist() if i not in audit}


def _accuracy(recording: Recording, candidate: Candidate, labels: Mapping[int, int]) -> float:
    """The truth of what is claimed: the candidate's answers for what is left."""
    right_N = _right(recording, candidate)
    gone = [candidate.row_of[i] for i in labels if i in candidate.row_of]
    return float((right_N.sum() - right_N[gone].sum()) / max(1, len(right_N) - len(gone)))


def _right(recording: Recording, candidate: Candidate) -> np.ndarray:  # type: ignore[type-arg]
    key = id(candidate)
    if key not in _RIGHT:
        _RIGHT.clear()
        _RIGHT[key] = recording.truth_P[candidate.sample_ids] == candidate.predicted_N
    return _RIGHT[key]


_RIGHT: dict[int, np.ndarray] = {}  # type: ignore[type-arg]


def wilson_labels(accuracy: float, target: float) -> int | None:
    """Uniform audit labels after which half of the samples' Wilson intervals lie above the target."""
    if accuracy <= target:
        return None
    return next((n for n in range(4, 20_000) if wilson_interval(accuracy * n, n)[0] >= target), None)


def row(path: Path, target: float, replays: Sequence[Replay]) -> str:
    """One line of the table."""
    claims = [r for r in replays if r.claimed]
    wrong = 100 * sum(r.is_wrong for r in claims) / len(replays)
    ever = 100 * sum(r.ever_wrong for r in replays) / len(replays)
    cells = [path.stem, f"{100 * target:.1f} %", f"{len(claims):,}", f"{wrong:.1f} %", f"{ever:.1f} %"]
    if not claims:
        return "| " + " | ".join([*cells, "-", "-", "-", "-", "-"]) + " |"
    ratios = [r.audits / w for r in claims if (w := wilson_labels(r.true_accuracy, target)) is not None]
    uniform = [w for r in claims if (w := wilson_labels(r.true_accuracy, target)) is not None]
    cells += [
        f"{median(r.labels for r in claims):.0f}", f"{median(r.audits for r in claims):.0f}",
        f"{median(uniform):.0f}" if uniform else "-", f"{median(ratios):.2f}" if ratios else "-",
        f"{np.mean([r.candidates for r in claims]):.1f}",
    ]  # fmt: skip
    return "| " + " | ".join(cells) + " |"


def any_look(recordings: Path, replays: int) -> None:
    """Prints how many replays were ever wrong."""
    print("| recording | replays | ever wrong at one of 180 looks |\n|---|---|---|")
    for path in sorted(recordings.glob("*.npz")):
        wrong = sum(is_ever_wrong(path, seed) for seed in range(replays))
        print(f"| {path.stem} | {replays:,} | {100 * wrong / replays:.1f} % |", flush=True)


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recordings", type=Path, help="what recorded_rounds.py wrote; the sample digits if not given")
    parser.add_argument("--quick", action="store_true", help="two replays of 60 labels")
    parser.add_argument("--replays", type=int, default=1000)
    parser.add_argument("--targets", type=float, nargs="*", default=[0.9, 0.95])
    parser.add_argument("--only", nargs="*")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--any-look", action="store_true", help="only: is it ever wrong, without a policy")
    parser.add_argument("--query-size", type=int, default=20)
    given = parser.parse_args()
    if given.quick:
        given.replays = 2
    with tempfile.TemporaryDirectory() as folder:
        if given.recordings is None:
            given.recordings = Path(folder)
            options = recording_options(given.recordings)["digits"] | ({"budget": 60} if given.quick else {})
            record(options, given.recordings / "digits-0.npz", seed=0)
        report(given)


def report(given: argparse.Namespace) -> None:
    """Either table."""
    if given.any_look:
        any_look(given.recordings, given.replays)
        return
    print(__doc__.split("\n\n")[0])
    print(
        "| recording | target | claims | wrong at the claim | ever wrong | labels trained on | audit labels | "
        "Wilson once | ratio | candidates |\n|---|---|---|---|---|---|---|---|---|---|"
    )
    with ProcessPoolExecutor(given.processes) as pool:
        for path in sorted(given.recordings.glob("*.npz")):
            if given.only and path.stem.split("-")[0] not in given.only:
                continue
            for target in given.targets:
                one = partial(replay, path, target, given.query_size)
                print(row(path, target, list(pool.map(one, range(given.replays), chunksize=10))), flush=True)


if __name__ == "__main__":
    main()
