"""Everything storage refuses, as one tree; a message is a sentence for the person at the screen.

StorageError
├── DatabaseError                     the database as a whole cannot be used
│   ├── DatabaseUrlError              no URL we can open
│   ├── SchemaTooNewError             written by a newer LabelLoop
│   ├── ForeignDatabaseError          a database, but not LabelLoop's
│   ├── NetworkFileSystemError        locks cannot be trusted there
│   ├── DatabaseDamagedError          unreadable or inconsistent
│   ├── DatabaseBusyError             a lock did not come in time
│   ├── DiskFullError                 no room for the write
│   ├── DatabaseReadOnlyError         the file or its folder may not be written
│   ├── DatabaseUnavailableError      the server or the disk does not answer
│   ├── BackupError                   a backup was not made, or was not good
│   ├── DatabaseReplacedError         another file is in its place since it was opened
│   ├── NoDatabaseError               there is none, and only init makes one
│   ├── JournalError                  a label's line beside the database was not written
│   ├── ForeignJournalError           the journal beside the database is another project's
│   ├── JournalThereError             a new database would lie beside another one's journal
│   └── RestoreError                  no database can be put together from backup and journal
├── UnknownProjectError
├── UnknownSampleError
├── UnknownEventError
├── NoMomentError                     nothing was labeled by then
├── UnknownRoundError
├── UnknownAnnotatorError
├── UnknownImportError
├── UnknownGroupError
├── ProjectExistsError
├── InvalidClassError                 a class name or index that cannot be used
├── InvalidSampleError                a sample that cannot be stored
├── InvalidQueryError                 a line of a ranking that must not be asked
├── InvalidSuspectError               a suspicion that makes no sense
├── InvalidDecisionError              a decision that makes no sense
│   ├── RequestIdReusedError
│   └── LimitReachedError             one label more than the project is to have
├── RoundStateError                   not legal in the round's state
└── StaleGenerationError              a newer trainer has taken over
"""

from __future__ import annotations

from pathlib import Path


class StorageError(Exception):
    """Base of everything this package raises on purpose."""


class DatabaseError(StorageError):
    """The database as a whole cannot be used."""


class DatabaseUrlError(DatabaseError):
    """The URL names no database LabelLoop can open."""

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(f"The database {url} cannot be opened: {reason}.")


class SchemaTooNewError(DatabaseError):
    """A newer LabelLoop has written this database."""

    def __init__(self, *, found: str, newest_known: str) -> None:
        super().__init__(
            f"This project was opened by a newer LabelLoop (schema {found}; this one knows up to {newest_known}). "
            "Install the newer version; nothing was changed."
        )


class ForeignDatabaseError(DatabaseError):
    """The database holds tables, but not LabelLoop's."""

    def __init__(self, url: str) -> None:
        super().__init__(f"{url} is a database of another program, not LabelLoop's; nothing was changed.")


class NetworkFileSystemError(DatabaseError):
    """The database file would lie on a file system whose locks cannot be trusted."""

    def __init__(self, path: Path, *, kind: str, mount_point: str) -> None:
        super().__init__(
            f"{path} lies on a network file system ({kind} at {mount_point}), where SQLite loses data. Move the "
            "project to a local disk, or set LABELLOOP_DATABASE_URL to a PostgreSQL database."
        )


class DatabaseDamagedError(DatabaseError):
    """The database cannot be read, or contradicts itself."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"The database is damaged ({reason}). Nothing was written. 'labelloop restore' brings all labels back from "
            "the newest backup and the label journal."
        )


class DatabaseBusyError(DatabaseError):
    """Another process held the lock for longer than we wait."""

    def __init__(self, reason: str = "another process is writing") -> None:
        super().__init__(f"The database is busy ({reason}); nothing was saved. Try again in a moment.")


class DiskFullError(DatabaseError):
    """There was no room; the transaction was rolled back."""

    def __init__(self) -> None:
        super().__init__("The disk is full; the last action was not saved. Everything saved before is safe. Make room.")


class DatabaseReadOnlyError(DatabaseError):
    """The file, or the folder around it, may not be written."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"The database may not be written ({reason}); check the rights of the project's folder.")


class DatabaseUnavailableError(DatabaseError):
    """The database server or the disk does not answer."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"The database does not answer ({reason}).")


class BackupError(DatabaseError):
    """A backup was not made, or did not pass its check."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"No backup was made: {reason}.")


class JournalError(DatabaseError):
    """The label is in the database, but not in the file that would bring it back."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"The database has it, but its line in the label journal was not written: {reason}. Try it again."
        )


class ForeignJournalError(DatabaseError):
    """The journal beside the database is another project's."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"The label journal beside the database belongs to another project, {name!r}; nothing was changed. Move "
            "it to where it belongs."
        )


class DatabaseReplacedError(DatabaseError):
    """Another file is where the one lay that is open, or none: what is written would be in nobody's project."""

    def __init__(self, path: str) -> None:
        super().__init__(f"{path} was replaced, moved or deleted since it was opened; open the project again.")


class NoDatabaseError(DatabaseError):
    """There is no database, and only making a project makes one."""

    def __init__(self, place: str) -> None:
        super().__init__(
            f"There is no database at {place}. 'labelloop restore' brings a lost one back from a backup or the label "
            "journal; a new one is made by 'labelloop init' alone."
        )


class RestoreError(DatabaseError):
    """Nothing was restored; the database is as it was."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"Nothing was restored: {reason}.")


class UnknownProjectError(StorageError):
    """There is no such project."""

    def __init__(self, project_id: int) -> None:
        super().__init__(f"There is no project {project_id} in this database.")


class UnknownSampleError(StorageError):
    """There is no such sample in the project."""

    def __init__(self, sample_id: int) -> None:
        super().__init__(f"There is no sample {sample_id} in this project.")


class UnknownEventError(StorageError):
    """There is no such label event in the project."""

    def __init__(self, event_id: int | str) -> None:
        super().__init__(f"There is no label event {event_id} in this project.")


class UnknownRoundError(StorageError):
    """There is no such round."""

    def __init__(self, round_id: int) -> None:
        super().__init__(f"There is no round with the id {round_id}.")


class UnknownAnnotatorError(StorageError):
    """There is no such annotator in the project."""

    def __init__(self, annotator_id: int) -> None:
        super().__init__(f"There is no annotator {annotator_id} in this project.")


class NoMomentError(StorageError):
    """Nothing was labeled by then."""


class UnknownImportError(StorageError):
    """There is no such import in the project."""

    def __init__(self, import_id: int) -> None:
        super().__init__(f"There is no import {import_id} in this project.")


class UnknownGroupError(StorageError):
    """There is no such group in the project."""

    def __init__(self, key: str) -> None:
        super().__init__(f"There is no group {key!r} in this project.")


class ProjectExistsError(StorageError):
    """A project of this name is already there."""

    def __init__(self, name: str) -> None:
        super().__init__(f"There already is a project named {name!r}; choose another name.")


class JournalThereError(DatabaseError):
    """A new database would lie beside the label journal of another one."""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            f"labels.journal of another database lies there, in {folder}, and each database has a folder of its own "
            "with its journal; name another folder."
        )


class DatabaseNotEmptyError(StorageError):
    """A project cannot be copied to where one is."""

    def __init__(self) -> None:
        super().__init__("that database holds a project already; choose an empty one, nothing is overwritten")


class InvalidClassError(StorageError):
    """A class name or index cannot be used."""


class InvalidSampleError(StorageError):
    """A sample cannot be stored as given."""


class InvalidQueryError(StorageError):
    """A line of a ranking must not be asked."""

    def __init__(self, sample_id: int, reason: str) -> None:
        super().__init__(f"Sample {sample_id} cannot be asked about: {reason}.")


class InvalidSuspectError(StorageError):
    """A suspicion makes no sense."""

    def __init__(self, sample_id: int, reason: str) -> None:
        super().__init__(f"The label of sample {sample_id} cannot be suspected: {reason}.")


class InvalidDecisionError(StorageError):
    """A decision makes no sense, such as a label without a class."""


class RequestIdReusedError(InvalidDecisionError):
    """A request id came again with another content."""

    def __init__(self, request_id: str) -> None:
        super().__init__(f"The request {request_id} was already used for another answer; reload the page.")


class LimitReachedError(InvalidDecisionError):
    """The budget or the target accuracy is reached: no further sample is labeled."""

    def __init__(self, reached: str) -> None:
        super().__init__(f"{reached} To go on, raise it on Setup.")


class RoundStateError(StorageError):
    """The round's state does not allow this step."""

    def __init__(self, *, wanted: str, number: int, state: str) -> None:
        super().__init__(f"Cannot {wanted}: round {number} is {state}.")


class StaleGenerationError(StorageError):
    """A trainer that was replaced tried to write."""

    def __init__(self, *, generation: int, current: int) -> None:
        super().__init__(f"Trainer generation {generation} was replaced by generation {current}; it must stop.")
