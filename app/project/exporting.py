"""Export: what a project knows of its labels, gathered for whatever format it is to be written in.

An export is a new folder. It is written beside its place under another name and moved there when it is whole, so that
a reader never sees half of one, and nothing is ever overwritten. The formats: `app.formats.registry`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, cast

from app.formats.export import Export, ExportedSample, Row, Written, what_is_lost
from app.formats.registry import format_to_write
from app.formats.source import Action, Decision, Prediction
from app.formats.whole_folder import new_target, whole_folder
from app.project.moments import moment_said
from app.project.moved_files import REPLACED
from storage.engine import Database
from storage.imported import PredictionInfo, list_imported_predictions
from storage.labels import LabelEventInfo, list_events
from storage.metrics import MetricInfo, list_metrics
from storage.moments import Moment, class_names_at
from storage.places import replaced_ids
from storage.projects import kind_of_samples
from storage.rounds import list_rounds
from storage.samples import SampleInfo, get_samples, list_samples
from storage.suggestions import SuggestionInfo, last_suggestions


def export(
    database: Database,
    project_id: int,
    format: str,  # noqa: A002 - the option's own word
    out: Path,
    *,
    project: str = "",
    for_spreadsheet: bool = False,
    rounds_dir: Path | None = None,
    at: str = "",
) -> Written:
    """Write an export.

    Args:
        database: the project's.
        project_id: of the project.
        format: one of `writable_formats`.
        out: the folder to make.
        project: its name, for formats that hold one.
        for_spreadsheet: cells that a spreadsheet would run as a formula get an apostrophe.
        rounds_dir: of the project, where the rest of the pool is wanted too, with the model's answers for it.
        at: a moment in words (`app.project.moments`), for the labels as they stood then; empty: now.

    Raises:
        ExportError: When ``out`` exists, the format is unknown or cannot hold such samples, it cannot be written, or
            ``at`` is no moment.
        NoMomentError: When nothing was labeled by then.
    """
    with database.read() as session:
        chosen = format_to_write(format, kind_of_samples(session, project_id=project_id))
    assert chosen.write is not None
    target = new_target(out)
    moment = moment_said(database, project_id, at) if at else None
    content = gather(database, project_id, project=project or out.name, moment=moment)
    if rounds_dir is not None:
        content = with_answers(content, database, project_id, rounds_dir)
    content = replace(content, for_spreadsheet=for_spreadsheet)
    with whole_folder(target) as temporary:
        written = chosen.write(content, temporary)
    left_out = content.left_out + written.left_out
    return replace(written, folder=target, left_out=left_out, lost=what_is_lost(content, chosen.holds))


def gather(database: Database, project_id: int, *, project: str, moment: Moment | None = None) -> Export:
    """Read everything an export needs in one transaction, as it is or as it stood at a moment."""
    by = moment.at if moment else None
    with database.read() as session:
        events = list_events(session, project_id=project_id)
        events = [event for event in events if moment is None or event.id <= moment.event_id]
        classes = class_names_at(session, project_id=project_id, at=by)
        samples = get_samples(session, sample_ids=sorted({event.sample_id for event in events}))
        suggestions = last_suggestions(session, project_id=project_id, by=by)
        imported = list_imported_predictions(session, project_id=project_id, by=by)
        metrics = list_metrics(session, project_id=project_id, by=by)
        replaced = replaced_ids(session, project_id=project_id)
        kind = kind_of_samples(session, project_id=project_id)
    predictions = _predictions(imported, suggestions, classes)
    decisions = _decisions(events, classes)
    return Export(
        project=project,
        kind=kind,
        classes=tuple(classes),
        samples=tuple(
            _sample(samples[sample_id], kind, tuple(given), tuple(predictions[sample_id]))
            for sample_id, given in sorted(decisions.items())
            if sample_id not in replaced
        ),
        events=tuple(_event_row(event, samples[event.sample_id], classes) for event in events),
        metrics=_metrics_of_last_round(metrics),
        left_out=tuple((samples[i].uri, REPLACED) for i in sorted(replaced & decisions.keys())),
        made_at=datetime.now(timezone.utc),
    )


def _predictions(
    imported: Sequence[PredictionInfo], suggestions: Mapping[int, SuggestionInfo], classes: Sequence[str]
) -> Mapping[int, list[Prediction]]:
    """By sample: what came with a source, and what a round's model suggested last."""
    predictions = defaultdict[int, list[Prediction]](list)
    for told in imported:
        predictions[told.sample_id].append(Prediction(classes[told.class_index], told.probability, told.model_version))
    for sample_id, answer in suggestions.items():
        name = classes[answer.class_index]
        # Without a model yet, what was suggested came with the source.
        if (name, answer.probability) not in {(told.class_name, told.probability) for told in predictions[sample_id]}:
            predictions[sample_id].append(Prediction(name, answer.probability, f"round-{answer.round_number}"))
    return predictions


def _metrics_of_last_round(metrics: Sequence[MetricInfo]) -> tuple[Row, ...]:
    return tuple(
        {"name": m.name, "value": m.value, "low": m.low, "high": m.high, "n": m.n, "round": m.round_number}
        for m in metrics
        if m.class_index is None and m.round_number == metrics[-1].round_number
    )


def with_answers(export: Export, database: Database, project_id: int, rounds_dir: Path) -> Export:
    """Add the samples that nobody has decided on, with what the latest model that scored the pool answers for them.

    Without such a model they come alone: another tool to label in needs them before there is one.

    Raises:
        UnreadableScoresError: When its scores cannot be read.
    """
    decided = {sample.id for sample in export.samples}
    with database.read() as session:
        pool = list_samples(session, project_id=project_id, split="pool")
        replaced = replaced_ids(session, project_id=project_id)
    rest = [_sample(info, export.kind, (), ()) for info in pool if info.id not in decided and info.id not in replaced]
    answers = _answers(export, database, project_id, rounds_dir)
    rest = [replace(one, **answers.get(one.id, {})) for one in rest]
    return replace(export, samples=(*export.samples, *rest))


def _answers(export: Export, database: Database, project_id: int, rounds_dir: Path) -> dict[int, dict[str, Any]]:
    """By sample, what the latest model that scored the pool answers, and its score."""
    from app.project.pool_answers import newest_scored  # loads pyarrow
    from app.project.scores import read_scores, scores_path

    with database.read() as session:
        scored = newest_scored(list_rounds(session, project_id=project_id), rounds_dir)
    if scored is None:
        return {}
    scores = read_scores(scores_path(rounds_dir, scored.number))
    of_N = (scores.sample_ids, scores.predicted_N, scores.confidence_N, scores.measures["score"])
    return {
        sample_id: {"predictions": (_answer(export, index, probability, scored.number),), "score": score}
        for sample_id, index, probability, score in zip(*(values.tolist() for values in of_N), strict=True)
    }


def _answer(export: Export, class_index: int, probability: float, round_number: int) -> Prediction:
    return Prediction(export.classes[class_index], probability, f"round-{round_number}")


def _sample(info: SampleInfo, kind: str, given: tuple[Decision, ...], told: tuple[Prediction, ...]) -> ExportedSample:
    size = (info.width, info.height)
    return ExportedSample(info.id, info.uri, info.sha256, *size, given, told, kind=kind, content=info.content)


def _decisions(events: Sequence[LabelEventInfo], classes: Sequence[str]) -> Mapping[int, list[Decision]]:
    """What stands of each person by sample, oldest first; a sample of which nothing stands is left out."""
    undone = {event.supersedes for event in events if event.action == "undo"}
    latest: dict[tuple[int, str, bool], LabelEventInfo] = {}
    for event in events:
        if event.action != "undo" and event.id not in undone:
            latest[event.sample_id, event.annotator, event.action == "flag"] = event
    decisions = defaultdict[int, list[Decision]](list)
    for event in sorted(latest.values(), key=lambda event: (not event.aside, event.id)):  # the last one counts
        decisions[event.sample_id].append(_decision(event, classes))
    return decisions


def _decision(event: LabelEventInfo, classes: Sequence[str]) -> Decision:
    return Decision(
        cast("Action", event.action),
        "" if event.class_index is None else classes[event.class_index],
        annotator=event.annotator,
        created_at=event.created_at,
        lead_time_s=event.lead_time_s,
        purpose=event.purpose,
    )


def _event_row(event: LabelEventInfo, sample: SampleInfo, classes: Sequence[str]) -> Row:
    return {
        "sample_id": event.sample_id,
        "uri": sample.uri,
        "sha256": sample.sha256,
        "label": None if event.class_index is None else classes[event.class_index],
        "action": event.action,
        "annotator": event.annotator,
        "created_at": event.created_at.isoformat(),
        "lead_time_s": event.lead_time_s,
        "round": event.round_number,
        "purpose": event.purpose,
        "acquisition": event.acquisition,
        "score": event.score,
        "acquisition_prob": event.acquisition_probability,
        "rank": event.rank,
        "model_version": event.model_version,
        "predictor": event.predictor,
        "predictor_version": event.predictor_version,
        "predictor_labels": event.predictor_labels,
        "suggestion_shown": event.suggestion_shown,
        "seeded_suggestion": None if event.seeded_suggestion is None else classes[event.seeded_suggestion],
        "why_shown": event.why_shown,
        "shown_together": event.shown_together,
        "request_id": event.request_id,
        "supersedes": event.supersedes,
        "event_id": event.id,
        "aside": event.aside,
        "group": event.group_key,
        "group_draw": event.group_draw,
        "group_bound": event.group_bound,
    }
