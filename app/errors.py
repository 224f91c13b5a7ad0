"""What the application refuses, one tree; every message is a sentence for the person at the screen.

AppError
├── SettingsError            settings.toml, or a choice made on the command line, cannot be used
├── ProjectError             a folder that is no project, or already is one
├── UsageError               a command was put together wrongly (exit code 2)
├── SupervisorError          screens and trainer could not be started or kept running
│   ├── AlreadyRunningError  another supervisor holds this project
│   └── PortTakenError       the port asked for is in use
├── TrainerRunningError      another trainer holds this project
├── FilesAwayError           no file of the project is where it was
├── ReRankerEndedError       the trainer's process that ranks after every label is gone
├── UnreadableScoresError    a round's file of scores is missing or damaged
├── UnreadableMapError       the file of the pool's map is damaged
├── ExportError              an export could not be written
├── NoModelError             nothing was trained yet that could answer, or it cannot be used
├── ServerAwayError          the `labelloop serve` at an address does not answer
├── AnsweringError           what was asked to answer, or about, cannot be used
├── SimulationError          some of several simulated runs failed
└── DemoError                the sample data of the demo was not found
"""

from __future__ import annotations

from pathlib import Path


class AppError(Exception):
    """Anything the application refuses; ``str(error)`` is shown to a person as it is."""


def is_refusal(error: BaseException) -> bool:
    """Whether an error was raised on purpose, by any part of LabelLoop: its message is a sentence for a person."""
    from app.formats.errors import ImportingError  # here: importing a class of errors is not to import its package
    from loops.errors import LoopsError
    from storage.errors import StorageError

    return isinstance(error, (AppError, ImportingError, LoopsError, StorageError))


class SettingsError(AppError):
    """A setting was refused."""


class ProjectError(AppError):
    """A folder could not be opened, or made, as a project."""


class UsageError(AppError):
    """A command was put together wrongly."""


class SupervisorError(AppError):
    """Screens and trainer could not be started or kept running."""


class AlreadyRunningError(SupervisorError):
    """Another supervisor holds the project."""

    def __init__(self, folder: Path) -> None:
        """Say which project it is."""
        super().__init__(
            f"The project {folder} is already running; stop the other 'labelloop run' first, or open its page."
        )


class PortTakenError(SupervisorError):
    """The port asked for is in use."""

    def __init__(self, port: int) -> None:
        """Say which port it is."""
        super().__init__(f"Port {port} is taken by another program; choose another one with --port, or leave it out.")


class TrainerRunningError(AppError):
    """Another trainer holds the project."""

    def __init__(self, folder: Path) -> None:
        """Say which project it is."""
        super().__init__(f"A trainer is already running for the project {folder}; it resumes by itself.")


class FilesAwayError(AppError):
    """No file of the project is where it was; it may come back."""


class ReRankerEndedError(AppError):
    """The trainer's process that ranks after every label is gone; the trainer has to start again."""

    def __init__(self) -> None:
        super().__init__("The process that ranks the queue after every label has ended; the trainer starts again.")


class UnreadableScoresError(AppError):
    """A round's file cannot be read as scores."""

    def __init__(self, path: Path) -> None:
        """Say which file, and what to do."""
        super().__init__(
            f"The file {path.parent.name}/{path.name} cannot be read as scores. Choose another round, "
            "or press 'Train now' on the Label screen to have the pool scored anew."
        )


class UnreadableMapError(AppError):
    """The file of the pool's map cannot be read."""

    def __init__(self, path: Path) -> None:
        """Say which file, and that it comes back."""
        super().__init__(
            f"The file {path.parent.name}/{path.name} cannot be read as a map; the trainer draws it anew after the "
            "next round."
        )


class ExportError(AppError):
    """An export could not be written."""


class NoModelError(AppError):
    """Nothing was trained yet that could answer, or it cannot be used."""


class ServerAwayError(AppError):
    """The server at an address does not answer, or not as one of ours."""


class AnsweringError(AppError):
    """What was asked to answer, or about, cannot be used."""


class CertificateError(AppError):
    """There is nothing to certify, or a certificate is not what the project says."""


class SimulationError(AppError):
    """Some of several simulated runs failed."""


class DemoError(AppError):
    """The sample data of the demo was not found."""
