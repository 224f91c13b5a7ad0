"""The labels that a source carries: gathered by content while its files are imported, then taken over as one import."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from app.formats.source import Decision, Entry, Prediction, Refused, Source, alike, printable
from storage.engine import Database
from storage.imported import (
    NewImported,
    PredictionInfo,
    begin_import,
    record_imported,
    record_predictions,
    samples_by_hash,
    standing_classes,
)
from storage.samples import SampleInfo

NOBODY = "imported"  # the annotator of labels whose giver is not known
BATCH = 500  # samples per transaction
MOST_TOLD = 5  # classes of one sample


@dataclass(frozen=True)
class ImportedLabels:
    """What became of the labels that a source carries."""

    import_id: int | None = None  # to undo it by; None: nothing was taken over
    labels: int = 0  # samples that have a label from the source now
    skips: int = 0  # samples that are skipped now
    predictions: int = 0
    known: int = 0  # samples whose label was there already, the same one
    contradictions: tuple[Refused, ...] = ()  # samples with two labels: in the source, or here and in the source
    unknown: tuple[Refused, ...] = ()  # labels of classes that the project does not have


@dataclass
class CarriedLabels:
    """What a source says of each content, by SHA-256."""

    entries: dict[str, list[Entry]] = field(default_factory=dict)

    def add(self, sha256: str, entry: Entry) -> None:
        """Keep what an entry carries, if it does."""
        if entry.given or entry.predictions:
            self.entries.setdefault(sha256, []).append(entry)


@dataclass
class _Taking:
    """The state of taking labels over."""

    classes: Mapping[str, int]  # index by name, as `alike` writes it
    contradictions: list[Refused] = field(default_factory=list)
    unknown: list[Refused] = field(default_factory=list)
    labels: int = 0
    skips: int = 0
    predictions: int = 0
    known: int = 0
    stored: int = 0


def take_labels(
    database: Database,
    carried: CarriedLabels,
    *,
    project_id: int,
    classes: Sequence[str],
    source: Source,
    given_as: str,
) -> ImportedLabels:
    """Make the labels of a source those of the project's samples, in one import that can be undone.

    What somebody decided here stays; a source that says otherwise is listed.
    """
    taking = _Taking({alike(name): index for index, name in enumerate(classes)})
    if not carried.entries:
        return ImportedLabels()
    with database.write() as session:
        import_id = begin_import(
            session, project_id=project_id, source=given_as or str(source.root), format=source.format
        )
    for hashes in _batches(list(carried.entries)):
        with database.write() as session:
            samples = samples_by_hash(session, project_id=project_id, hashes=hashes)
            ids = [info.id for info in samples.values()]
            standing = standing_classes(session, sample_ids=ids)
            decisions = list[NewImported]()
            predictions = list[PredictionInfo]()
            for sha256, info in samples.items():
                if info.split == "pool":
                    decisions += _decisions(info, carried.entries[sha256], standing, taking)
                    predictions += _predictions(info, carried.entries[sha256], taking)
            taking.stored += record_imported(
                session, project_id=project_id, import_id=import_id, decisions=decisions, first=taking.stored
            )
            record_predictions(session, import_id=import_id, predictions=predictions)
            taking.predictions += len(predictions)
    return ImportedLabels(
        import_id,
        taking.labels,
        taking.skips,
        taking.predictions,
        taking.known,
        tuple(taking.contradictions),
        tuple(taking.unknown),
    )


def _batches(hashes: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(hashes), BATCH):
        yield hashes[start : start + BATCH]


def _decisions(
    info: SampleInfo, entries: Sequence[Entry], standing: Mapping[int, int | None], taking: _Taking
) -> list[NewImported]:
    """The decisions to store for one sample; none where labels contradict each other."""
    last = [entry for entry in entries if entry.given]
    said = {alike(_standing(entry)) or "skipped" for entry in last if _has_standing(entry)}
    if len(said) > 1:
        told = _told(last)
        taking.contradictions.append(Refused(printable(last[0].name), f"is {told}; no label was taken over"))
        return []
    if not last:
        return []
    given, unknown = _known(last[0], taking)
    taking.unknown += [
        Refused(printable(last[0].name), f"its label {printable(name)} is none of the project's classes")
        for name in unknown
    ]
    if info.id in standing:
        _compare(last[0], standing[info.id], taking)
        return []
    decided = next((decision for decision in reversed(given) if decision.action != "flag"), None)
    taking.labels += decided is not None and decided.action == "label"
    taking.skips += decided is not None and decided.action == "skip"
    return [
        NewImported(
            info.id,
            decision.action,
            taking.classes[alike(decision.class_name)] if decision.action == "label" else None,
            decision.annotator or NOBODY,
            decision.created_at,
            decision.lead_time_s,
        )
        for decision in given
    ]


def _told(entries: Sequence[Entry]) -> str:
    """Where the first copies are which class, and how many more there are: a sentence, though it be in a thousand."""
    first = {alike(_standing(entry)): entry for entry in reversed(entries)}
    shown = [entry for entry in entries if first[alike(_standing(entry))] is entry][:MOST_TOLD]
    told = " and ".join(f"{printable(_standing(entry)) or 'skipped'} as {printable(entry.name)}" for entry in shown)
    more = len(entries) - len(shown)
    return f"{told} (of {len(entries):,} copies)" if more else told


def _known(entry: Entry, taking: _Taking) -> tuple[list[Decision], list[str]]:
    """The decisions of classes that the project has, and the names of the others."""
    given, unknown = list[Decision](), list[str]()
    for decision in entry.given:
        if decision.action == "label" and alike(decision.class_name) not in taking.classes:
            unknown.append(decision.class_name)
        else:
            given.append(decision)
    return given, unknown


def _compare(entry: Entry, here: int | None, taking: _Taking) -> None:
    """List a sample that is decided here otherwise than in the source."""
    if not _has_standing(entry):
        return
    there = taking.classes.get(alike(_standing(entry)))
    if there == here:
        taking.known += 1
        return
    names = list(taking.classes)
    stays = "skipped" if here is None else names[here]
    said = printable(_standing(entry)) or "skipped"
    reason = f"is {printable(stays)} in the project and {said} in the source; what the project has stays"
    taking.contradictions.append(Refused(printable(entry.name), reason))


def _predictions(info: SampleInfo, entries: Sequence[Entry], taking: _Taking) -> list[PredictionInfo]:
    told: list[Prediction] = list(dict.fromkeys(given for entry in entries for given in entry.predictions))
    return [
        PredictionInfo(info.id, taking.classes[alike(given.class_name)], given.probability, given.model_version)
        for given in told
        if alike(given.class_name) in taking.classes
    ]


def _standing(entry: Entry) -> str:
    """The class that counts; empty for a skip."""
    return next((given.class_name for given in reversed(entry.given) if given.action != "flag"), "")


def _has_standing(entry: Entry) -> bool:
    return any(given.action != "flag" for given in entry.given)
