"""What a round trains on: samples with the labels that were given, in an order that a resumed run repeats."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import (
    DataLoader,
    Dataset,
    DistributedSampler,
    IterableDataset,
    SequentialSampler,
    TensorDataset,
    default_collate,
)

from loops.class_indices import class_index
from loops.errors import AttachError
from loops.random_numbers import random_numbers_of
from loops.seeding import seed_of

if TYPE_CHECKING:
    import pytorch_lightning as pl

TARGETS = ("target", "targets", "label", "labels", "y")  # keys under which a dictionary holds a sample's label
READ_AT_ONCE = 1000  # samples, where all of them are looked at for their labels
INPUT = "input"  # key of the input where there is one; without, all but the label is the input


class Samples(Protocol):
    """A dataset: torch's, Flash's or Hugging Face's, or a list."""

    def __len__(self) -> int:
        """How many."""
        ...

    def __getitem__(self, position: int, /) -> Any:  # noqa: ANN401
        """`(x, y)`, or a dictionary that holds both."""
        ...


def unchanged(batch: Any) -> Any:  # noqa: ANN401
    """A batch as it is."""
    return batch


@dataclass(frozen=True)
class Source:
    """Where samples come from and how they become batches."""

    samples: Samples  # the pool
    test: Samples | None = None
    val: tuple[Samples, ...] = ()
    batch_size: int = 32  # of training
    num_workers: int = 0
    collate: Callable[[list[Any]], Any] = default_collate
    evaluation_collate: Callable[[list[Any]], Any] = default_collate
    evaluation_on_device: Callable[[Any], Any] = unchanged  # what is still done to a batch there
    module: pl.LightningDataModule | None = None  # whose hooks transform batches of training


class Draw(NamedTuple):
    """One sample of an epoch."""

    position: int  # among the labeled samples, whose ids ascend
    seed: int  # of whatever the dataset draws for it, such as a distortion


class SeededOrder(DistributedSampler[Any], SequentialSampler):
    """Another order in each epoch, a function of seed and epoch alone; of several processes each has its part of it.

    A `DistributedSampler` and a `SequentialSampler` by name, so that Lightning puts none of its own in its place.

    Args:
        size: Samples.
        seed: Of the fit.
        drawn: Of an epoch that was interrupted: the epoch, and how many of its samples are not to be drawn again.
        process: Which of how many processes that fit together; they all have as many samples, some of them twice.
        shuffled: Whether it is another order in each epoch; otherwise that of the ids, as `overfit_batches` has it.
    """

    def __init__(
        self,
        size: int,
        *,
        seed: int,
        drawn: tuple[int, int] = (0, 0),
        process: tuple[int, int] = (0, 1),
        shuffled: bool = True,
    ) -> None:
        rank, processes = process
        super().__init__(range(size), num_replicas=processes, rank=rank)  # type: ignore[arg-type]
        self._size, self._seed, self._drawn, self._shuffled = size, seed, drawn, shuffled

    def __iter__(self) -> Iterator[Draw]:  # type: ignore[override]  # what `Labeled` is indexed by
        """The order of the epoch, from where it was interrupted."""
        generator = torch.Generator().manual_seed(seed_of(self._seed, "order", self.epoch))
        order: list[int] = torch.randperm(self._size, generator=generator).tolist()
        order = order if self._shuffled else list(range(self._size))
        order = (order * self.num_replicas)[: self.total_size][self.rank :: self.num_replicas]
        epoch, drawn = self._drawn
        drawn = drawn if epoch == self.epoch else 0
        return iter([Draw(at, seed_of(self._seed, "sample", self.epoch, at)) for at in order[drawn:]])


class Labeled(Dataset[Any]):
    """The labeled samples of a dataset, with the labels that were given in place of the dataset's own.

    Args:
        samples: All samples; a sample's id is its place.
        labels: Sample id -> class index.
        collate: Makes a batch of its samples, and may draw as the dataset does; a dataloader is given `unchanged`.
    """

    def __init__(
        self, samples: Samples, labels: Mapping[int, int], collate: Callable[[list[Any]], Any] = default_collate
    ) -> None:
        self._samples, self._collate = samples, collate
        self.labels = sorted(labels.items())

    def __len__(self) -> int:
        """Labeled samples."""
        return len(self.labels)

    def __getitem__(self, draw: Draw | int) -> Any:  # noqa: ANN401
        """One sample with its label."""
        sample_id, label = self.labels[draw.position if isinstance(draw, Draw) else draw]
        return with_label(self._samples[sample_id], label)

    def __getitems__(self, draws: Sequence[Draw | int]) -> Any:  # noqa: ANN401
        """A batch; whatever is drawn for it follows from the batch, in whichever process it is made."""
        if not draws or not isinstance(draws[0], Draw):
            return self._collate([self[draw] for draw in draws])
        with random_numbers_of(draws[0].seed):
            return self._collate([self[draw] for draw in draws])


def with_label(sample: Any, label: int) -> Any:  # noqa: ANN401
    """A sample with another label: `(x, y)` or a dictionary.

    Raises:
        AttachError: If it has no place for a label.
    """
    if isinstance(sample, Mapping):
        key = target_key(sample)
        return {**sample, TARGETS[0] if key is None else key: _written_like(sample.get(key), label)}
    if isinstance(sample, Sequence | tuple) and len(sample) == 2:
        return (sample[0], _written_like(sample[1], label))
    raise _unpaired(sample)


def _written_like(own: Any, label: int) -> Any:  # noqa: ANN401
    """A label in the type and shape in which the dataset has its own: a loss may want floats, or columns."""
    if isinstance(own, Tensor) and own.numel() == 1:
        return own.new_full(own.shape, label)
    if isinstance(own, np.ndarray) and own.size == 1:
        return np.full_like(own, label)
    return type(own)(label) if isinstance(own, float | np.generic) else label


def indexed(name: str, samples: Any) -> None:  # noqa: ANN401
    """Refuses what cannot be asked for one sample or another.

    Raises:
        AttachError: If it has no length or no index.
    """
    by_name = isinstance(samples, Mapping) and 0 not in samples  # of Hugging Face's splits
    is_indexed = hasattr(samples, "__len__") and hasattr(samples, "__getitem__") and not by_name
    if isinstance(samples, IterableDataset) or not is_indexed:
        hint = "; give its .dataset" if isinstance(samples, DataLoader) else ""
        hint = f"; give one of {', '.join(map(repr, samples))}" if by_name else hint
        raise AttachError(f"{name} must have a length and an index, found {_described(samples)}{hint}")
    if (
        name != "plain"
        and isinstance(samples, list | tuple)
        and samples
        and isinstance(samples[0], Tensor | np.ndarray)
    ):
        raise AttachError(
            f"{name} must hold samples (x, y), found {_described(samples)} arrays; of rows and labels make a "
            "torch.utils.data.TensorDataset(x, y)"
        )


def inputs_of(batch: Any) -> Any:  # noqa: ANN401
    """What a module's `forward` is given of a batch: all but the label."""
    if not isinstance(batch, Mapping):
        return batch[0] if isinstance(batch, list | tuple) else batch
    if INPUT in batch:
        return batch[INPUT]
    target = target_key(batch)
    rest = {key: value for key, value in batch.items() if key != target}
    return next(iter(rest.values())) if len(rest) == 1 else rest


def label_of(sample: Any) -> int:  # noqa: ANN401
    """The dataset's own label of a sample.

    Raises:
        AttachError: If it has none, or one that is no class index.
    """
    key = target_key(sample) if isinstance(sample, Mapping) else None
    if isinstance(sample, Mapping) and key is None:
        raise AttachError(f"each sample must have one of the keys {', '.join(TARGETS)}, found {', '.join(sample)}")
    if key is None and not (isinstance(sample, Sequence | tuple) and len(sample) == 2):
        raise _unpaired(sample)
    return class_index(sample[1 if key is None else key])


def own_labels(samples: Samples) -> list[int]:
    """All labels that a dataset has itself; where it keeps them apart, no sample is loaded."""
    targets = getattr(samples, "targets", None)
    if isinstance(samples, TensorDataset) and len(samples.tensors) == 2:
        targets = samples.tensors[1]
    targets = targets.tolist() if isinstance(targets, Tensor | np.ndarray) else targets
    if isinstance(targets, list) and len(targets) == len(samples) and all(isinstance(y, int) for y in targets):
        return targets
    starts = range(0, len(samples), READ_AT_ONCE)
    batches = (read(samples, list(range(len(samples)))[start : start + READ_AT_ONCE]) for start in starts)
    return [label_of(sample) for batch in batches for sample in batch]


def read(samples: Samples, positions: list[int]) -> list[Any]:
    """Some samples: at once, where the dataset reads them so, as Hugging Face's does in a tenth of the time."""
    at_once = getattr(samples, "__getitems__", None)
    return [samples[position] for position in positions] if at_once is None else list(at_once(positions))


def target_key(sample: Mapping[Any, Any]) -> Any:  # noqa: ANN401 - Flash's keys are enums that equal strings
    """The key of the label; None where there is none."""
    return next((key for key in sample if str(getattr(key, "value", key)) in TARGETS), None)


def _unpaired(sample: Any) -> AttachError:  # noqa: ANN401
    return AttachError(f"each sample must be a pair (x, y) or a dictionary with a label, found {_described(sample)}")


def _described(sample: Any) -> str:  # noqa: ANN401
    size = f" of {len(sample)}" if isinstance(sample, list | tuple) else ""
    return f"a {type(sample).__name__}{size}"
