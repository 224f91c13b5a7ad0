"""While nobody waits for a round: is the default better than the simplest thing?"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from app.project.certificates import read_chain
from app.project.simplest import GAIN, is_default, simplest_of
from app.trainer.measuring.cross_validation import InterruptCallback
from app.trainer.measuring.shadow import in_drawing_order, in_given_order, measurable
from app.trainer.oracle import audit_labels
from app.trainer.workbench import Workbench
from loops.certificate.auditor import audit_weights, uniform_audits
from loops.evaluation.beside_simplest import FEWEST_DRAWN, FEWEST_JUDGED, beside_simplest
from loops.evaluation.shadow import Shadows
from loops.predictors.predictor import Predictor
from storage.metrics import NewMetric
from storage.rounds import add_metrics


def measure_simplest(bench: Workbench, tick: Callable[[], None]) -> None:
    """Compares once in the open round; what was fitted for an earlier round is not fitted again.

    Where the default was worse, and the simplest thing asks by now, the default is still what is compared: more audit
    labels may speak for it again.

    Args:
        bench: The project as it is now.
        tick: Called after every batch; raises `TrainingInterruptedError` when something more urgent is waiting.
    """
    settings = bench.project.settings()
    round_info, current = measurable(bench, GAIN) if is_default(settings) else (None, [])
    if round_info is None:
        return
    pool = bench.embedded_pool
    chain, judged = read_chain(bench.project), in_drawing_order(audit_labels(current), pool)
    audit = uniform_audits(judged, chain)
    if len(audit) < FEWEST_DRAWN or len(judged) < FEWEST_JUDGED:
        return
    bench.heartbeat.show("measuring", round_number=round_info.number)
    default = replace(bench, settings=settings)
    simplest = replace(bench, settings=simplest_of(settings))

    def shadows(asked: Workbench, name: str) -> Shadows:
        return Shadows(
            lambda _fold: _fresh(asked, tick),
            audit=audit,
            chosen=in_given_order([label for label in current if label.purpose == "train"], pool),
            reserve=list(judged),
            seed=settings.seed,
            folder=_folder(bench, name),
        )

    found = beside_simplest(
        shadows(default, "default"), shadows(simplest, "simplest"), judged, audit_weights(judged, chain)
    )
    if found is not None:
        gain = NewMetric(GAIN, found.chosen - found.uniform, found.low, found.high, found.labels)
        with bench.database.write() as session:
            add_metrics(session, round_id=round_info.id, generation=bench.generation, metrics=[gain])


def _fresh(asked: Workbench, tick: Callable[[], None]) -> Predictor:
    """One that has learned nothing, and weighs its members by the labels that it is given."""
    predictor = asked.predictor(lambda _fold: [InterruptCallback(tick)])
    predictor.review({}, pool=asked.embedded_pool.ids, begins=True)
    return predictor


def _folder(bench: Workbench, name: str) -> Path:
    """Answers in one embedding; in another they are made anew."""
    seen_in = hashlib.sha256(f"{bench.spec} {bench.store.backbone.name} {bench.num_classes}".encode()).hexdigest()[:12]
    return bench.project.rounds_dir / "shadows" / f"beside-simplest-{name}-{seen_in}"
