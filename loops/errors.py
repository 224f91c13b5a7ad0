"""What can go wrong in `loops`, each with a sentence for the person at the screen.

LoopsError
├── AttachError                 a dataset, module or Trainer does not fit the loop that was attached to it
├── CheckpointDamagedError      a file is not, byte for byte, what was written
├── CheckpointMismatchError     a sound file holds a model of another kind
├── FeatureStoreError           cached features cannot be used
│   └── MissingFeaturesError    samples that were never embedded
├── IdenticalDrawsError         MC dropout drew the same answer K times
├── NotEnoughSamplesError      more was asked for than there is
├── NotFittedError              the predictor has no model yet
├── OnnxMissingError            the packages that write ONNX are not installed
├── OwnCodeError                somebody's own function or predictor cannot be used
├── OwnEmbeddingError           somebody's own embedding cannot be used
├── PassFailedError             several devices did not finish scoring a pool
├── TrainingInterruptedError    a fit or a scoring pass was stopped before its end
├── UnknownAcquisitionError     no acquisition function of that name
├── UnknownPredictorError       no predictor of that name
└── YieldedLossesError          a training step does not yield one loss per optimizer
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


class LoopsError(Exception):
    """Root of all errors that `loops` raises on purpose."""


class AttachError(LoopsError):
    """A dataset, a module or a Trainer does not fit the loop that was attached to it."""


class CheckpointDamagedError(LoopsError):
    """A checkpoint is not what was written, or is not one of ours."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"the checkpoint {path.name} cannot be used: {reason}")
        self.path = path
        self.reason = reason


class CheckpointMismatchError(LoopsError):
    """A sound checkpoint holds a model of another kind: the settings or the classes changed since."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"the checkpoint {path.name} is of another kind of predictor: {reason}")


class FeatureStoreError(LoopsError):
    """The cached features of a backbone cannot be used."""


class MissingFeaturesError(FeatureStoreError):
    """Features were asked for of samples that have none."""

    def __init__(self, sample_ids: Sequence[int]) -> None:
        first = ", ".join(str(sample_id) for sample_id in sample_ids[:5])
        more = ", ..." if len(sample_ids) > 5 else ""
        super().__init__(f"{len(sample_ids)} samples have no cached features (ids {first}{more}); embed them first")
        self.sample_ids = tuple(sample_ids)


class IdenticalDrawsError(LoopsError):
    """All MC iterations gave the same answer, so they say nothing about doubt."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the draws have nothing to say: {reason}")


class NotEnoughSamplesError(LoopsError):
    """More samples were asked for than there are."""

    def __init__(self, *, wanted: int, found: int) -> None:
        super().__init__(f"asked for {wanted} samples, found {found}")


class NotFittedError(LoopsError):
    """A prediction was asked of a predictor that was neither fitted nor loaded."""

    def __init__(self) -> None:
        super().__init__("there is no model yet: fit the predictor or load a checkpoint first")


class OnnxMissingError(LoopsError):
    """The packages that write ONNX are not installed."""

    def __init__(self) -> None:
        super().__init__("to write ONNX, install it first: pip install 'labelloop[onnx]'")


class OwnCodeError(LoopsError):
    """An acquisition function or a predictor that is not LabelLoop's cannot be imported, or does not do its part."""

    def __init__(self, reference: str, reason: str) -> None:
        super().__init__(f"{reference} cannot be used: {reason}")


class OwnEmbeddingError(LoopsError):
    """Somebody's own embedding cannot be loaded, or gives no row of numbers per image."""


class PassFailedError(LoopsError):
    """A pass over the pool on several devices came to no end."""


class TrainingInterruptedError(LoopsError):
    """A fit, or a pass over a pool, ended before its last step."""

    def __init__(self, *, steps: int, wanted: int, doing: str = "training") -> None:
        super().__init__(f"{doing} was stopped after {steps} of {wanted} steps")


class UnknownAcquisitionError(LoopsError):
    """There is no acquisition function of that name."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        super().__init__(f"there is no acquisition function {name!r}; known are {', '.join(known)}")


class UnknownPredictorError(LoopsError):
    """There is no predictor, or backbone, of that name."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        super().__init__(f"there is no predictor {name!r}; known are {', '.join(known)}")


class YieldedLossesError(LoopsError):
    """A training step does not yield one loss per optimizer."""

    def __init__(self, found: str, *, wanted: int) -> None:
        super().__init__(f"training_step must yield one loss for each of its {wanted} optimizers; {found}")
