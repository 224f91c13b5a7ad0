"""What a project would say of itself at the end of a run, from its own labels alone; the test set judges it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.simulation.config import SimulationConfig
from app.trainer.measuring.cross_validation import FEWEST_LABELS, NUM_FOLDS
from loops.acquisition.catalog import RANDOM
from loops.cross_validation import CrossValidation
from loops.errors import NotEnoughSamplesError
from loops.evaluation.estimates import lure_weighted_accuracy
from loops.evaluation.labels_saved import LabelsSaved, labels_saved
from loops.evaluation.shadow import Shadows
from loops.oracle import KnownLabels
from loops.predictors.predictor import Predictor

Ids = NDArray[np.int64]


@dataclass(frozen=True)
class AnnotatorRecord:
    """What the annotator said until the last model was fitted; the query after it was answered too, and tells nothing.

    Args:
        oracle: The annotator.
        trained: Labels that the last model was fitted on.
        audited: Labels of audit samples until then.
        predicted: Sample ids and class indices, of the pool by the last model.
    """

    oracle: KnownLabels
    trained: int
    audited: int
    predicted: tuple[Ids, Ids] | None

    @property
    def chosen(self) -> dict[int, int]:
        """Sample id -> class index, of the labels trained on, in the order in which they were given."""
        return dict(list(self.oracle.known().labels.items())[: self.trained])

    @property
    def audit(self) -> dict[int, int]:
        """The same of audit samples."""
        return dict(list(self.oracle.known().audit.items())[: self.audited])

    @property
    def pool(self) -> list[int]:
        """Every sample of the pool, asked or not."""
        answers = self.oracle.known()
        return sorted({*answers.labels, *answers.audit, *answers.pool.tolist(), *answers.audit_pool.tolist()})


def project_estimates(config: SimulationConfig, predictor: Predictor, told: AnnotatorRecord) -> dict[str, Any]:
    """As `labelloop status --json` has them: `accuracies` that need no test set, and `labels_saved`."""
    saved = _labels_saved(config, predictor, told)
    return {
        "accuracies": _accuracies(predictor, told),
        "labels_saved": None if saved is None else asdict(saved),
    }


def _accuracies(predictor: Predictor, told: AnnotatorRecord) -> dict[str, Any]:
    """Cross-validated, which is biased, and the same LURE-weighted where labels were drawn at random."""
    result = _cross_validated(predictor, told)
    if result is None:
        return {}
    low, high = result.interval
    found = {"cross_validated": {"accuracy": result.accuracy, "low": low, "high": high, "n": len(result.sample_ids)}}
    right = dict(zip(result.sample_ids.tolist(), _right(result), strict=True))
    draws = [asked for asked in told.oracle.asked if asked.sample_id in right]
    lure_weighted = lure_weighted_accuracy(
        [right[asked.sample_id] for asked in draws],
        [asked.acquisition_probability for asked in draws],
        pool=len(told.pool) - len(told.oracle.audit_reserve),
    )
    return found if lure_weighted is None else {**found, "lure": asdict(lure_weighted)}


def _cross_validated(predictor: Predictor, told: AnnotatorRecord) -> CrossValidation | None:
    """By the predictor that answers; None with too few labels, or such as cannot be split."""
    labels = told.chosen
    if len(labels) < FEWEST_LABELS:
        return None
    try:
        return predictor.cross_validate(labels, num_folds=NUM_FOLDS)
    except NotEnoughSamplesError:
        return None


def _right(result: CrossValidation) -> list[bool]:
    right: list[bool] = (result.probs_N_C.argmax(axis=1) == result.labels_N).tolist()
    return right


def _labels_saved(config: SimulationConfig, predictor: Predictor, told: AnnotatorRecord) -> LabelsSaved | None:
    """Labels saved against random as the trainer measures them: by the audit labels, never by the test set."""
    if config.acquisition == RANDOM or not told.audited or told.predicted is None:
        return None
    audit, pool = told.audit, told.pool
    shadows = Shadows(
        predictor.fresh,
        audit=audit,
        chosen=told.chosen,
        reserve=list(audit),
        seed=config.seed,
    )
    rights_now_A = predictor.predict(list(audit)).argmax(axis=1) == np.array(list(audit.values()))
    predicted = dict(zip(told.predicted[0].tolist(), told.predicted[1].tolist(), strict=True))
    return labels_saved(shadows, rights_now_A, answers=predicted, pool_size=len(pool))
