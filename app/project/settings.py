"""The settings of a project: one frozen dataclass, kept in ``settings.toml``, refused at construction."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import tomli_w

from app.errors import SettingsError
from app.rights import file_mode
from loops.acquisition import catalog
from loops.errors import UnknownAcquisitionError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PREDICTORS = ("auto", "cnn", "features")  # or somebody's own, `package.module:name`
RECOMMENDED_NETWORK = "timm:vit_small_patch14_dinov2.lvd142m"  # an embedding: DINOv2 small, for photographs
LONGEST_NAME = 200
MOST_MC_ITERATIONS = 1000
MOST_ANNOTATORS = 10  # of one sample
MOST_SEED = 2**63 - 1  # the database keeps the seed in a signed 64-bit integer
RANGES: Mapping[str, tuple[float, float]] = {
    # of every setting that is a number: the least and the most
    "query_size": (1, 100_000),
    "labeling_budget": (0, 1_000_000_000),
    "target_accuracy": (0.0, 1.0),
    "audit_share": (0.0, 0.5),
    "mc_iterations": (2, MOST_MC_ITERATIONS),  # BALD of a single draw is 0 for every sample: one ranks nothing
    "overlap": (1, MOST_ANNOTATORS),
    "overlap_share": (0.0, 1.0),
    "seed": (0, MOST_SEED),
}


@dataclass(frozen=True)
class ProjectSettings:
    """What a person chose for one project.

    Raises:
        SettingsError: When a value cannot be used; the message names the setting, what is allowed and what was found.
    """

    name: str
    predictor: str = "auto"  # one of PREDICTORS, or somebody's own
    embedding: str = ""  # one's own: module:function, FILE.npy, FILE.pt, FILE.onnx, timm:NAME; empty: the predictor's
    acquisition: str = catalog.DEFAULT  # of the catalog, or somebody's own
    query_size: int = 10  # labels that finish a labeling round
    labeling_budget: int = 0  # labels in all; 0: no limit
    target_accuracy: float = 0.0  # share 0..1, stop asking once reached; 0: none
    audit_share: float = 0.1  # share 0..0.5 of what is shown that is drawn uniformly and never trained on
    mc_iterations: int = 20  # MC-dropout draws per sample
    cold_start: str = "diverse"  # one of `catalog.COLD_STARTS`
    reset_weights: bool = True  # train from fresh weights each round
    re_rank: bool = True  # refit the last layer after each label and rank the unseen part of the queue anew
    cross_validate: bool = True  # between rounds: accuracy by cross-validation, and labels that are likely wrong
    overlap: int = 1  # annotators who decide, blind to each other, on a sample of the overlapping share
    overlap_share: float = 0.1  # share 0..1 of the samples that several decide on; nothing while overlap is 1
    wrong_suggestions: bool = True  # among suggestions that are shown, seed some wrong ones and count who accepts them
    seed: int = 0
    stop: str = ""  # a stopping criterion, package.module:name; empty: none
    trainer: Mapping[str, Any] = field(default_factory=dict)  # of one's own module: its Trainer's settings

    def __post_init__(self) -> None:
        """Refuse what cannot be used, here rather than an hour into a training."""
        check_types(self)
        if not self.name.strip() or len(self.name) > LONGEST_NAME or not self.name.isprintable():
            raise SettingsError(
                f"The project's name must be 1 to {LONGEST_NAME} printable characters; found {self.name!r}."
            )
        check_predictor("predictor", self.predictor)
        check_trainer(self.trainer, self.predictor)
        check_acquisition("acquisition", self.acquisition)
        if self.stop and not catalog.is_own(self.stop):
            raise SettingsError(f"stop must be package.module:name, or empty; found {self.stop!r}.")
        check_choice("cold_start", self.cold_start, tuple(catalog.COLD_STARTS))
        if self.embedding and self.predictor == "cnn":
            raise SettingsError("The predictor 'cnn' learns from pixels, not from an embedding; choose 'features'.")
        for setting, (low, high) in RANGES.items():
            check_range(setting, getattr(self, setting), low, high)


def check_choice(setting: str, value: str, allowed: tuple[str, ...]) -> None:
    """Refuse a value that is not one of the words allowed."""
    if value not in allowed:
        raise SettingsError(f"{setting} must be one of {', '.join(allowed)}; found {value!r}.")


def check_predictor(setting: str, name: str) -> None:
    """Refuse what is no predictor's name; somebody's own is not imported here."""
    if not catalog.is_own(name):
        check_choice(setting, name, (*PREDICTORS, "package.module:name") if name else PREDICTORS)


def check_trainer(trainer: object, predictor: str) -> None:
    """Refuse a Trainer's settings where no module of one's own is fitted; what they say is checked with the module."""
    if not isinstance(trainer, Mapping):
        raise SettingsError(f"trainer must be a table, [trainer] and lines below it; found {trainer!r}.")
    if trainer and not catalog.is_own(predictor):
        raise SettingsError(
            f"[trainer] is for a LightningModule of your own, and the predictor is {predictor!r}; "
            "take it out of settings.toml, or name your module."
        )


def check_acquisition(setting: str, name: str) -> None:
    """Refuse what is no acquisition function's name; somebody's own is not imported here."""
    try:
        catalog.find(name)
    except UnknownAcquisitionError:
        check_choice(setting, name, (*catalog.names(), "package.module:name"))


def check_range(setting: str, value: float, low: float, high: float) -> None:
    """Refuse a number outside ``low..high``, both included; NaN is outside."""
    if not low <= value <= high:
        raise SettingsError(f"{setting} must be from {low:,} to {high:,}; found {value!r}.")


def check_types(settings: object) -> None:
    """Refuse a field whose value is not of the field's declared plain type (TOML has types; people mix them up)."""
    for setting in fields(settings):  # type: ignore[arg-type]
        value = getattr(settings, setting.name)
        wanted = str(setting.type)
        if not _is_of_type(value, wanted):
            raise SettingsError(f"{setting.name} must be {_TYPE_WORDS.get(wanted, wanted)}; found {value!r}.")
        if wanted == "float":
            object.__setattr__(settings, setting.name, float(value))


_TYPE_WORDS = {"str": "text", "int": "a whole number", "float": "a number", "bool": "true or false"}
_PLAIN_TYPES: Mapping[str, tuple[type, ...]] = {"str": (str,), "int": (int,), "float": (int, float), "bool": (bool,)}


def _is_of_type(value: object, wanted: str) -> bool:
    if wanted not in _PLAIN_TYPES:
        return True
    if isinstance(value, bool) and wanted != "bool":  # Python counts True as 1; a person who wrote `true` did not
        return False
    return isinstance(value, _PLAIN_TYPES[wanted])


def load_settings(path: Path) -> ProjectSettings:
    """Read ``settings.toml``.

    Raises:
        SettingsError: When the file cannot be read, is no TOML, or holds an unknown or refused setting.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{path} could not be read: {error.strerror or error}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} is not valid TOML: {error}.") from error
    try:
        return _from_values(values)
    except SettingsError as error:
        raise SettingsError(f"{path}: {error}") from error


def _from_values(values: Mapping[str, Any]) -> ProjectSettings:
    if "learner" in values:  # as the setting was called before
        values = {"predictor" if name == "learner" else name: value for name, value in values.items()}
    known = {setting.name for setting in fields(ProjectSettings)}
    unknown = sorted(set(values) - known)
    if unknown:
        raise SettingsError(f"unknown setting {unknown[0]!r}; known are {', '.join(sorted(known))}.")
    if "name" not in values:
        raise SettingsError('the project\'s name is missing; add a line like name = "Digits".')
    return ProjectSettings(**values)


def save_settings(path: Path, settings: ProjectSettings) -> None:
    """Write ``settings.toml`` so that a reader sees the old file or the new one, never half of one."""
    values = asdict(settings)
    if not settings.trainer:  # an empty table at the end would take in the lines that people add below it
        del values["trainer"]
    write_atomically(path, tomli_w.dumps(values).encode("utf-8"))


def write_atomically(path: Path, content: bytes) -> None:
    """Replace a file's content through a temporary file in the same folder; a crash leaves the old file whole."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(file_mode())  # mkstemp's is the owner's alone, also where a group shares the project
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    if sys.platform == "win32":  # a folder cannot be opened there
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
