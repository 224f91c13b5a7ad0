"""Files that are elsewhere than at their import, or hold another picture by now: a sample is its bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from app.formats.source import Refused, printable
from storage.engine import Database, Session
from storage.imported import samples_by_hash
from storage.places import move_sample, samples_at
from storage.refusals import mark_broken
from storage.samples import NewSample, SampleInfo

REPLACED = "its file holds another picture by now; import the folder where the old one is, if there is one"


@dataclass(frozen=True)
class Move:
    """A sample that was found at another place."""

    sample: SampleInfo
    uri: str


@dataclass
class MovedFiles:
    """What one import finds out about the places of samples it has met before."""

    project_id: int
    moved: dict[str, Move] = field(default_factory=dict)  # by the new place
    replaced: dict[int, SampleInfo] = field(default_factory=dict)  # by sample id; their places hold other bytes

    def look_at(self, database: Database, found: Sequence[NewSample]) -> list[Move]:
        """Compare checked files with what the project knows of their contents and places; reads, writes nothing."""
        with database.read() as session:
            known = samples_by_hash(session, project_id=self.project_id, hashes=[new.sha256 for new in found])
            there = samples_at(session, project_id=self.project_id, uris=[new.uri for new in found])
        content_at = {new.uri: new.sha256 for new in found}
        self.replaced |= {info.id: info for info in there if info.sha256 != content_at[info.uri]}
        moves = [Move(known[new.sha256], new.uri) for new in found if new.sha256 in known]
        return [move for move in moves if move.uri != move.sample.uri and not _is_still_there(move.sample)]

    def apply(self, session: Session, moves: Sequence[Move]) -> None:
        """Note the new places, in the transaction that adds the new samples."""
        for move in moves:
            move_sample(session, sample_id=move.sample.id, uri=move.uri)
            self.moved[move.uri] = move

    def has_moved_to(self, uri: str) -> bool:
        """Say whether a place is the new one of a sample."""
        return uri in self.moved

    def finish(self, database: Database) -> tuple[Refused, ...]:
        """Take samples whose pictures are nowhere out of the pool, and list what was found."""
        moved = {move.sample.id for move in self.moved.values()}
        gone = [info for info in self.replaced.values() if info.id not in moved]
        if gone:
            with database.write() as session:
                for info in gone:
                    mark_broken(session, sample_id=info.id, reason=REPLACED)
        found = [Refused(printable(move.sample.uri), f"is at {printable(uri)} now") for uri, move in self.moved.items()]
        return (*found, *(Refused(printable(info.uri), REPLACED) for info in gone))


def _is_still_there(sample: SampleInfo) -> bool:
    """Whether a sample's file is where it was and holds the same bytes; one that cannot be read is not."""
    try:
        return hashlib.sha256(Path(sample.uri).read_bytes()).hexdigest() == sample.sha256
    except OSError:
        return False
