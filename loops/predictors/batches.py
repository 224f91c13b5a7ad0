"""How rows reach the network: shuffled labeled batches to fit on, and the pool in order to score."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from loops.embeddings.features import FeatureStore
from loops.seeding import seed_of


class EpochBatches(Sampler[list[int]]):
    """Positions of each batch of an epoch: shuffled passes over all labels, one behind the other.

    The order follows from seed and epoch alone, so an epoch is the same in a resumed fit. Lightning calls `set_epoch`.

    Args:
        count: Number of labels.
        batch_size: Positions per batch; a label may be in a batch twice when there are few.
        num_batches: Batches per epoch, of each process.
        seed: Of the fit.
        process: Of the fit, from 0; it has every so many-th batch.
        processes: Of the fit.
    """

    def __init__(
        self, count: int, *, batch_size: int, num_batches: int, seed: int, process: int = 0, processes: int = 1
    ) -> None:
        self._count, self._batch_size, self._num_batches, self._seed = count, batch_size, num_batches, seed
        self._process, self._processes = process, processes
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Says which epoch comes next."""
        self._epoch = epoch

    def __len__(self) -> int:
        """Batches per epoch."""
        return self._num_batches

    def __iter__(self) -> Iterator[list[int]]:
        """Yields the positions of each batch of this process."""
        generator = torch.Generator().manual_seed(seed_of(self._seed, "order", self._epoch))
        positions = self._processes * self._num_batches * self._batch_size
        passes = -(-positions // self._count)
        order = torch.cat([torch.randperm(self._count, generator=generator) for _ in range(passes)])
        for start in range(self._process * self._batch_size, positions, self._processes * self._batch_size):
            yield order[start : start + self._batch_size].tolist()


class LabeledBatches(Dataset[tuple[Tensor, Tensor]]):
    """All labeled rows, in memory; indexed by the positions of a whole batch.

    Args:
        rows: `[N, *row_shape]`.
        labels: `[N]` class indices.
        batch_size: Samples per batch.
        min_batches: Least batches per epoch.
        max_batches: Most batches per epoch.
        seed: Of the fit.
        processes: That fit together, each on batches of its own: an epoch sees so many times as many labels.
    """

    def __init__(
        self,
        rows: Tensor,
        labels: Tensor,
        *,
        batch_size: int,
        min_batches: int,
        max_batches: int,
        seed: int,
        processes: int = 1,
    ) -> None:
        self.rows, self.labels, self.seed = rows, labels, seed
        self._batch_size, self._processes = batch_size, processes
        self._num_batches = min(max_batches, max(min_batches, -(-len(labels) // (batch_size * processes))))

    def __len__(self) -> int:
        """Batches per epoch, of each process."""
        return self._num_batches

    def __getitem__(self, positions: list[int]) -> tuple[Tensor, Tensor]:
        """Returns rows and class indices of one batch."""
        return self.rows[positions], self.labels[positions]

    def fingerprint(self, fitting: object) -> str:
        """What tells a fit on these rows and labels from any other.

        Args:
            fitting: What else decides it; its `repr` must say all of it.
        """
        digest = hashlib.sha256(repr((fitting, self.seed, self._processes)).encode())
        digest.update(self.rows.numpy().tobytes())
        digest.update(self.labels.numpy().tobytes())
        return digest.hexdigest()

    def loader(self, process: int = 0) -> DataLoader[tuple[Tensor, Tensor]]:
        """The batches of a process as Lightning takes them, in a new order each epoch."""
        sampler = EpochBatches(
            len(self.labels),
            batch_size=self._batch_size,
            num_batches=self._num_batches,
            seed=self.seed,
            process=process,
            processes=self._processes,
        )
        return DataLoader(self, sampler=sampler, batch_size=None)


class PoolBatches(Dataset[tuple[Tensor, Tensor]]):
    """Every sample of a pool, batch by batch, with its id; rows are read when their batch is due.

    Args:
        store: Where the rows are.
        sample_ids: `[N]`.
        batch_size: Samples per batch; the last may be smaller.
    """

    def __init__(self, store: FeatureStore, sample_ids: NDArray[np.int64], *, batch_size: int) -> None:
        self.num_samples = len(sample_ids)
        self._store = store
        self._batches = np.split(sample_ids, range(batch_size, len(sample_ids), batch_size))

    def __len__(self) -> int:
        """How many batches."""
        return len(self._batches)

    def __getitem__(self, position: int) -> tuple[Tensor, Tensor]:
        """Returns ids `[B]` and rows `[B, *row_shape]`."""
        sample_ids = self._batches[position]
        return torch.from_numpy(sample_ids), torch.from_numpy(self._store.rows(sample_ids))

    def loader(self) -> DataLoader[tuple[Tensor, Tensor]]:
        """The batches as Lightning takes them, in their order."""
        return DataLoader(self, batch_size=None, shuffle=False)
