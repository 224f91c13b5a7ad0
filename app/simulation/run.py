"""One simulated run: what would this cost, in labels, on data like mine?"""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.project.advice import QUEUES
from app.simulation.between_rounds import BetweenRounds
from app.simulation.claim import ClaimWatch
from app.simulation.config import SimulationConfig
from app.simulation.data import LabeledSamples, embed_all
from app.simulation.embedding_review import EmbeddingContradictedError, EmbeddingReview
from app.simulation.honest import AnnotatorRecord, project_estimates
from loops.acquisition import catalog
from loops.active_learning import ActiveLearningLoop
from loops.certificate.auditor import Auditor
from loops.embeddings.embedding_choice import EmbeddingChoice
from loops.embeddings.features import FeatureStore
from loops.evaluation.learning_curve import AccuracyPoint
from loops.evaluation.stop_adviser import Advice, advise, cohens_kappa
from loops.oracle import Evaluation, KnownLabels, Query
from loops.predictors.making import own_predictor, predictor_for
from loops.predictors.network import Network
from loops.predictors.network_spec import NetworkSpec, choose_network
from loops.predictors.predictor import Predictor
from loops.seeding import hash_of_ids, seed_of
from loops.settings import LoopSettings

THRESHOLDS = (0.90, 0.95)


@dataclass(frozen=True)
class Simulation:
    """What all runs share: the data, its features and the kind of predictor."""

    images: LabeledSamples
    store: FeatureStore
    spec: NetworkSpec
    rivals: tuple[FeatureStore, ...] = ()  # of other embeddings, with rows as they are needed


@dataclass(frozen=True)
class MeasuredRound:
    """One round of a run."""

    number: int
    labels: int  # given so far, audit labels too: each one costs a person's time
    trained: int  # of them
    test: Evaluation
    audit: Evaluation | None
    advice: Advice
    answered_by: str  # the names of the predictors that have a say
    fit_seconds: float
    score_seconds: float


@dataclass
class RunRecord:
    """What a run has measured so far."""

    query_size: int
    predictor: Predictor
    rounds: list[MeasuredRound] = field(default_factory=list)
    kappas: list[float] = field(default_factory=list)
    predicted: tuple[NDArray[np.int64], NDArray[np.int64]] | None = None  # of the pool, by the round before

    def note(self, query: Query) -> MeasuredRound | None:
        """Takes a round down; None where it had no model."""
        self._compare(query)
        if self.rounds and self.rounds[-1].labels == query.labels:  # asked anew in another embedding
            self.rounds.pop()
        test, audit = query.evaluation("test"), query.evaluation("audit")
        if test is None:
            return None
        labels = query.labels + (audit.n if audit else 0)
        # As in a project without a test set: the test judges here, it advises nobody while there is an audit.
        points = [_point(r.labels, r.audit or r.test) for r in self.rounds] + [_point(labels, audit or test)]
        advice = advise(points, self.kappas, next_labels=QUEUES * self.query_size)
        noted = MeasuredRound(
            query.round_number, labels, query.labels, test, audit, advice, answering(self.predictor),
            query.fit_seconds, query.score_seconds,
        )  # fmt: skip
        self.rounds.append(noted)
        return noted

    def _compare(self, query: Query) -> None:
        if query.pool_scores is None:
            return
        now = query.pool_scores.sample_ids, query.pool_scores.probs_N_C.argmax(axis=1)
        if self.predicted is not None:
            _, in_now, in_before = np.intersect1d(now[0], self.predicted[0], return_indices=True)
            kappa = cohens_kappa(now[1][in_now], self.predicted[1][in_before])
            self.kappas += [] if kappa is None else [kappa]
        self.predicted = now

    @property
    def curve(self) -> list[tuple[int, float]]:
        """(labels, test accuracy) of every round with a model."""
        return [(r.labels, r.test.accuracy) for r in self.rounds]


def _point(labels: int, evaluation: Evaluation) -> AccuracyPoint:
    return AccuracyPoint(labels, evaluation.accuracy, evaluation.low, evaluation.high)


def simulate(
    config: SimulationConfig,
    simulation: Simulation,
    on_round: Callable[[Query, MeasuredRound | None], None] = lambda _query, _noted: None,
) -> dict[str, Any]:
    """Simulates an annotator who knows all labels, from none to the budget.

    Args:
        config: Acquisition function, budget, seed.
        simulation: Data, features and kind of predictor.
        on_round: Told of each round.

    Returns:
        The JSON of the command: predictor, acquisition, seed, curve, answered_by, seconds_per_round, labels_to, advice,
        stop_at; what a project would say of itself at the end, from its own labels alone: accuracies, labels_saved; and
        claimed: when the target of --certify was proven, None where it never was.
    """
    predictor = predictor_of(config, simulation)
    record, between = RunRecord(config.query_size, predictor), BetweenRounds(config, predictor)
    review = EmbeddingReview(
        simulation.images, simulation.rivals, config.seed, EmbeddingChoice(simulation.store.backbone.name, {})
    )
    auditor = Auditor(config.certify, config.seed, config.query_size) if config.certify else None
    watch = None if auditor is None else ClaimWatch(auditor, simulation.images.pool)

    def published(query: Query) -> None:
        between.begin(query, oracle.known())
        on_round(query, record.note(query))
        review.look(record.predictor)

    oracle = known_labels(config, simulation, published, between, watch)
    settings = _loop_settings(config)
    while True:
        try:
            ActiveLearningLoop(predictor=record.predictor, oracle=oracle, settings=settings, auditor=auditor).run()
            break
        except EmbeddingContradictedError as found:  # the labels stay; the loop begins again in the other embedding
            simulation = moved(simulation, found.store)
            record.predictor = between.predictor = predictor = predictor_of(config, simulation)
    _write_curve(config, simulation, record)
    return {
        **_result(config, simulation, record),
        **project_estimates(config, predictor, _annotator_record(oracle, record)),
        "claimed": None if watch is None else watch.claimed,
    }


def _loop_settings(config: SimulationConfig) -> LoopSettings:
    return LoopSettings(
        acquisition=config.acquisition,
        query_size=config.query_size,
        labeling_budget=config.budget,
        audit_share=config.audit,
        cold_start=config.cold_start,
        seed=config.seed,
    )


def _write_curve(config: SimulationConfig, simulation: Simulation, record: RunRecord) -> None:
    config.out.mkdir(parents=True, exist_ok=True)
    _write_csv(config.out / "curve.csv", record.rounds)
    title = f"{name_of(config, simulation)}, {config.acquisition}, seed {config.seed}"
    _draw(config.out / "curve.png", record.rounds, title)


def _annotator_record(oracle: KnownLabels, record: RunRecord) -> AnnotatorRecord:
    """What the annotator has said by the last round, and what was predicted then."""
    last = record.rounds[-1] if record.rounds else None
    audited = last.audit.n if last and last.audit else 0
    return AnnotatorRecord(oracle, last.trained if last else 0, audited, record.predicted)


def moved(simulation: Simulation, store: FeatureStore) -> Simulation:
    """The same samples in another embedding, all of them embedded."""
    embed_all(store, simulation.images)
    return replace(simulation, store=store, spec=choose_network("auto", [store.backbone.name]))


def predictor_of(config: SimulationConfig, simulation: Simulation) -> Predictor:
    """The predictor of a run, as its acquisition function needs it."""
    named: dict[str, Any] = {
        "num_classes": len(simulation.images.classes),
        "seed": config.seed,
        "mc_iterations": config.mc_iterations,
    }
    if catalog.is_own(config.predictor):
        base = own_predictor(config.predictor, simulation.store, **named)
    else:
        base = Network(simulation.spec, simulation.store, **named)
    acquisition = catalog.find(config.acquisition)
    return predictor_for(acquisition, base, simulation.store, predictor=config.predictor)


def name_of(config: SimulationConfig, simulation: Simulation) -> str:
    """What the predictor is called: somebody's own as it was given, otherwise the network that was chosen."""
    return config.predictor if catalog.is_own(config.predictor) else simulation.spec.name


def known_labels(
    config: SimulationConfig,
    simulation: Simulation,
    on_query: Callable[[Query], None],
    between: BetweenRounds,
    watch: ClaimWatch | None = None,
) -> KnownLabels:
    """The annotator; a share of the pool, drawn by id and seed, is kept for the audit."""
    images = simulation.images
    broken = set(simulation.store.missing([*images.pool, *images.test]).tolist())
    pool, test = _without(images.pool, broken), _without(images.test, broken)
    ids_N = np.array(sorted(pool), np.int64)
    keys_N = hash_of_ids(ids_N, seed_of(config.seed, "audit reserve")) / 2.0**64
    reserve = ids_N[np.argsort(keys_N)][: int((keys_N < config.audit).sum())]
    return KnownLabels(
        pool,
        query_size=config.query_size,
        test=test,
        audit_reserve=reserve.tolist(),
        on_query=on_query,
        re_rank=between.re_rank,
        **({} if watch is None else {"is_enough": watch.looks}),
    )


def answering(predictor: Predictor) -> str:
    """The names of those that have a say in its answers, such as `graph` or `graph+committee`."""
    described = predictor.describe()
    return "+".join(name for name, weight in (described.weights or {described.name: 1.0}).items() if weight)


def labels_to(curve: Sequence[tuple[int, float]], threshold: float) -> int | None:
    """The labels from which accuracy is at the threshold *and stays there*; the first crossing of a noisy curve is
    luck.

    Args:
        curve: (labels, accuracy), in the order of labels.
        threshold: 0..1.

    Returns:
        None if the curve ends below it.
    """
    reached = None
    for labels, accuracy in curve:
        if accuracy < threshold:
            reached = None
        elif reached is None:
            reached = labels
    return reached


def _result(config: SimulationConfig, simulation: Simulation, record: RunRecord) -> dict[str, Any]:
    rounds = record.rounds
    stopped = next((r for r in rounds if r.advice.verdict == "stop"), None)
    return {
        "learner": name_of(config, simulation),
        "acquisition": config.acquisition,
        "seed": config.seed,
        "curve": [list(point) for point in record.curve],
        "trained": [r.trained for r in rounds],
        "answered_by": [r.answered_by for r in rounds],
        "audit_curve": [[r.labels, r.audit.accuracy, r.audit.low, r.audit.high] for r in rounds if r.audit],
        "seconds_per_round": {
            "fit": round(float(np.median([r.fit_seconds for r in rounds] or [0.0])), 3),
            "score": round(float(np.median([r.score_seconds for r in rounds] or [0.0])), 3),
        },
        "labels_to": {f"{threshold:.2f}": labels_to(record.curve, threshold) for threshold in THRESHOLDS},
        "advice": rounds[-1].advice.as_dict() if rounds else None,
        "stop_at": None if stopped is None else [stopped.labels, stopped.test.accuracy],
    }


def _without(labels: dict[int, int], broken: set[int]) -> dict[int, int]:
    return {sample_id: class_index for sample_id, class_index in labels.items() if sample_id not in broken}


def _write_csv(path: Path, rounds: Sequence[MeasuredRound]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["round", "labels", "accuracy", "low", "high", "fit_seconds", "score_seconds", "advice"])
        for r in rounds:
            seconds = [round(r.fit_seconds, 3), round(r.score_seconds, 3)]
            writer.writerow([r.number, r.labels, r.test.accuracy, r.test.low, r.test.high, *seconds, r.advice.verdict])


def _draw(path: Path, rounds: Sequence[MeasuredRound], title: str) -> None:
    from matplotlib.figure import Figure  # without pyplot: no global state, no display

    figure = Figure(figsize=(7, 4.5), layout="constrained")
    axes = figure.subplots()
    labels = [r.labels for r in rounds]
    axes.fill_between(
        labels, [r.test.low for r in rounds], [r.test.high for r in rounds], alpha=0.2, label="95 % interval"
    )
    axes.plot(labels, [r.test.accuracy for r in rounds], marker=".", label="test accuracy")
    axes.set(xlabel="labels", ylabel="accuracy on the test set", title=title, ylim=(0, 1))
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right")
    figure.savefig(path, dpi=150)
