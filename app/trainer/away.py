"""Samples whose files are not where they were: a disk that is away marks nothing, and what comes back comes in."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from app.errors import FilesAwayError
from app.formats.errors import RefusedSampleError
from app.trainer.sample_source import SampleSource
from storage.places import mark_whole
from storage.refusals import list_broken
from storage.samples import SampleInfo, get_samples

LOOK_S = 3.0  # between two looks whether something came back
LOOKED_AT = 50  # samples in one look: a disk comes back as a whole
ENOUGH = 500  # away, and none there: the rest of a large pool need not be tried at every look


@dataclass
class AwayFiles:
    """What could not be read because it is not there; remembered by the trainer alone."""

    source: SampleSource
    ids: set[int] = field(default_factory=set)
    _example: str = ""

    def takes(self, sample_id: int) -> bool:
        """Whether a sample that could not be read is one of them; one that is there is broken."""
        sample = self._samples([sample_id])[sample_id]
        if self.source.kind.is_there(sample):
            return False
        self.ids.add(sample_id)
        self._example = sample.uri
        return True

    def some_came_back(self) -> bool:
        """Looks at some; if one is there again, all may be read again."""
        ids = sorted(self.ids)
        # Others each time: some may be gone for good.
        some = self._samples(random.sample(ids, min(LOOKED_AT, len(ids))))
        if not any(self.source.kind.is_there(sample) for sample in some.values()):
            return False
        self.ids = set()
        return True

    @property
    def sentence(self) -> str:
        """What the screens say while some are away; empty otherwise."""
        if not self.ids:
            return ""
        nouns = self.source.kind.NOUNS
        return (
            f"{len(self.ids):,} {nouns} are not where they were, such as {self._example}: perhaps a disk is away. "
            "They come in by themselves when they are back."
        )

    def check(self, embedded: int, *, fewest: int = 1) -> None:
        """Refuses to go on with nothing.

        Args:
            embedded: Samples of the pool.
            fewest: So many must be away.

        Raises:
            FilesAwayError: If none is embedded, for everything is away.
        """
        if len(self.ids) >= fewest and not embedded:
            raise FilesAwayError(self.sentence)

    def _samples(self, sample_ids: list[int]) -> dict[int, SampleInfo]:
        with self.source.database.read() as session:
            return get_samples(session, sample_ids=sample_ids)


def mend(source: SampleSource) -> int:
    """Gives samples that could not be read another try where their file is, byte for byte, what was imported.

    Returns:
        How many.
    """
    project_id = source.project.project_id(source.database)
    with source.database.read() as session:
        broken = [one.sample_id for one in list_broken(session, project_id=project_id)]
        samples = get_samples(session, sample_ids=broken)
    whole = [sample_id for sample_id, sample in samples.items() if _is_whole(source, sample)]
    if whole:
        with source.database.write() as session:
            mark_whole(session, sample_ids=whole)
    return len(whole)


def _is_whole(source: SampleSource, sample: SampleInfo) -> bool:
    try:
        source.kind.copy(sample)  # compares the bytes
    except RefusedSampleError:
        return False
    return True
