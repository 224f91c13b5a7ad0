"""The data of a loop that is attached to a Trainer: what may be asked about, who answers, and what is held out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial
from typing import Any

import numpy as np
import pytorch_lightning as pl
from numpy.typing import ArrayLike, NDArray
from torch.utils.data import DataLoader, Dataset

from loops.acquisition import catalog
from loops.class_indices import class_indices
from loops.data_sources import source_of
from loops.errors import AttachError, NotEnoughSamplesError
from loops.lightning_private import refuse_searches
from loops.oracle import AskedLabels, Oracle
from loops.random_numbers import draws, random_numbers_of
from loops.seeding import seed_of
from loops.training_samples import (
    Labeled,
    Samples,
    SeededOrder,
    indexed,
    inputs_of,
    own_labels,
    read,
    unchanged,
)
from loops.transfer import evaluation_batch, overridden_hooks

EVALUATED_AT_ONCE = 256  # samples; of larger ones give `batch_size`

Known = Sequence[int] | NDArray[np.integer[Any]]


class ActiveLearningDataModule(pl.LightningDataModule):
    """A pool of samples, an oracle who knows or is asked for their labels, and a test set that is never trained on.

        data = ActiveLearningDataModule(dataset, oracle=labels, query_size=20, acquisition="bald", test=held_out)
        trainer.fit(module, data)

    A sample's id is its place in the dataset; those of the test set follow.

    Args:
        dataset: `dataset[i] -> (x, y)`, or a dictionary with the label under `target`, `label`, `labels` or `y`, as
            Flash and Hugging Face have it; or a `LightningDataModule`, whose dataset and transforms are taken over.
        oracle: A sequence of all labels, a function from a list of indices to their labels (None skips one), or a
            project; None: the labels that the dataset has itself.
        query_size: Samples that one round asks about.
        acquisition: A name of the catalog, `package.module:name`, a function from `probs_N_C_K` to `scores_N`, or a
            BaaL heuristic.
        test: Held-out samples with labels, for the curve; that of a `LightningDataModule` by default.
        val: For the module's own `validation_step`: a dataset, or a list of several torch datasets, a dataloader each;
            those of a `LightningDataModule` by default.
        plain: The same samples without augmentation, which the pool is scored by; the dataset itself by default.
        embedding: `[N, D]`, a row for each sample of the pool, that the cold start groups by. By default the inputs
            where they are small, otherwise what the module makes of them before its last layer.
        batch_size: Of training; that of a `LightningDataModule` by default, otherwise 32.
        num_workers: Of each dataloader.
        cold_start: Of `loops.acquisition.catalog.COLD_STARTS`.
        seed: Of all that is drawn: the order of batches, dropout, ties.
    """

    def __init__(
        self,
        dataset: Any,  # noqa: ANN401 - anything with a length and an index, or a LightningDataModule
        *,
        oracle: Oracle | Known | Callable[[list[int]], Sequence[int | None]] | None = None,
        query_size: int = 10,
        acquisition: Any = catalog.MARGIN,  # noqa: ANN401
        test: Samples | None = None,
        val: Samples | Sequence[Dataset[Any]] | None = None,
        plain: Samples | None = None,
        embedding: ArrayLike | None = None,
        batch_size: int | None = None,
        num_workers: int | None = None,
        cold_start: str = "diverse",
        seed: int = 0,
    ) -> None:
        super().__init__()
        source = source_of(dataset)
        self._source = replace(
            source,
            test=source.test if test is None else test,
            val=source.val if val is None else _each(val),
            batch_size=batch_size or source.batch_size,
            num_workers=source.num_workers if num_workers is None else num_workers,
        )
        self.samples, self.test_samples = self._source.samples, self._source.test
        self._plain = self.samples if plain is None else plain
        _refuse(cold_start, query_size=query_size, batch_size=1 if batch_size is None else batch_size)
        _refuse_streams(dataset=[self.samples], plain=[self._plain], test=[test], val=self._source.val)
        if len(self._plain) != len(self.samples) or (embedding is not None and len(embedding) != len(self.samples)):  # type: ignore[arg-type]
            raise AttachError(f"plain= and embedding= must have as many rows as the dataset, {len(self.samples)}")
        self.query_size = query_size
        self.acquisition = catalog.find(acquisition) if isinstance(acquisition, str) else catalog.given(acquisition)
        self.cold_start, self.seed = cold_start, seed
        self.embedding = None if embedding is None else np.asarray(embedding, np.float32)
        self.labels: Mapping[int, int] = {}  # of the fit that runs: sample id -> class index
        self._order = SeededOrder(min(query_size, len(self.samples)), seed=0)  # of the first round, for schedulers
        self.fit_seed = seed
        self._own_labels: Sequence[int | None] | None = None
        self._oracle = oracle
        if self._source.val:
            self.val_dataloader = self._validated  # type: ignore[method-assign]  # of an instance, so that there is none else
        if self._source.test is not None:
            self.test_dataloader = partial(self._evaluated, self._source.test)  # type: ignore[method-assign]
        for hook in overridden_hooks(self._source.module):  # where it has none, that of the fitted module counts
            setattr(self, hook, partial(self._hook_of_source, hook))

    @property
    def sample_ids(self) -> NDArray[np.int64]:
        """Of the pool, labeled or not."""
        return np.arange(len(self.samples), dtype=np.int64)

    @property
    def test_labels(self) -> dict[int, int]:
        """Sample id -> class index of the test set; its ids follow those of the pool."""
        if self.test_samples is None:
            return {}
        return dict(enumerate(own_labels(self.test_samples), start=len(self.samples)))

    def oracle(self, num_classes: int | None = None) -> Oracle:
        """The oracle that answers the queries: the given one, or one that asks the given labels.

        Args:
            num_classes: C, that labels are below; None: not known.

        Raises:
            AttachError: If there are not as many known labels as samples, or labels are no class indices.
        """
        given: Any = self._oracle
        if hasattr(given, "for_data"):  # a project, which is opened for these samples
            given = given.for_data(self)
        if hasattr(given, "answer"):
            found: Oracle = given
            return found
        test = self.test_labels
        class_indices(test.values(), num_classes)
        return AskedLabels(self._asked, self.sample_ids, query_size=self.query_size, test=test, num_classes=num_classes)

    def known_labels(self) -> dict[int, int]:
        """Labels of all samples that have one, for a loop that asks no questions.

        Raises:
            AttachError: If there are not as many as samples.
        """
        if hasattr(self._oracle, "answer") or hasattr(self._oracle, "for_data"):
            raise AttachError("a loop that asks nothing needs known labels, not somebody to ask")
        ids = self.sample_ids.tolist()
        return {i: label for i, label in zip(ids, class_indices(self._asked(ids)), strict=True) if label is not None}

    def begin_fit(
        self,
        labels: Mapping[int, int],
        *,
        seed: int,
        done: tuple[int, int] = (0, 0),
        process: tuple[int, int] = (0, 1),
    ) -> None:
        """Says what the next fit trains on.

        Args:
            labels: Sample id -> class index.
            seed: Of the order of batches, and of what the dataset draws.
            done: Of a fit that was interrupted: the epoch, and how many of its batches are done.
            process: Which of how many that fit together.
        """
        self.labels = labels
        self.fit_seed = seed
        drawn = done[0], done[1] * self._source.batch_size
        shuffled = not getattr(self.trainer, "overfit_batches", 0)
        order = partial(SeededOrder, drawn=drawn, process=process, shuffled=shuffled)
        self._order = order(len(labels), seed=seed_of(seed, "data"))

    def train_dataloader(self) -> DataLoader[Any]:
        """Batches of the labeled samples."""
        size, batch = len(self._order), self._source.batch_size
        return DataLoader(
            Labeled(self.samples, self.labels, self._source.collate),
            batch_size=batch,
            sampler=self._order,
            num_workers=self._source.num_workers,
            collate_fn=unchanged,
            drop_last=size > batch and size % batch == 1,  # batch norm cannot train on one sample
        )

    def input_of(self, sample_id: int) -> Any:  # noqa: ANN401
        """One sample without its label, as the dataset gives it."""
        return inputs_of(self._plain[sample_id])

    def inputs(self, sample_ids: ArrayLike, batch_size: int | None = None) -> Iterator[Any]:
        """What `forward` takes, batch by batch in the order of the ids, without augmentation or labels.

        Args:
            sample_ids: `[N]`, of the pool or the test set.
            batch_size: 256 by default, or that of training if it is larger.
        """
        ids = np.asarray(sample_ids, np.int64).reshape(-1)
        loader = DataLoader(
            _Either(self._plain, self.test_samples, ids, self._evaluation_seed, self._source.evaluation_collate),
            batch_size=batch_size or max(EVALUATED_AT_ONCE, self._source.batch_size),
            num_workers=self._source.num_workers,
            collate_fn=unchanged,
        )
        return (inputs_of(self._on_device(batch)) for batch in loader)

    def setup(self, stage: str) -> None:
        """Called by the Trainer before anything is run.

        Raises:
            AttachError: If a search is to run the fit loop, which would ask the oracle.
        """
        del stage
        if self.trainer is not None:
            refuse_searches(self.trainer)

    def state_dict(self) -> dict[str, Any]:
        """How many samples the fit trains on, which schedulers are made for before a loop is restored."""
        return {"size": len(self._order)}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes it over."""
        self._order = SeededOrder(state_dict["size"], seed=0)

    def _hook_of_source(self, hook: str, *args: Any) -> Any:  # noqa: ANN401
        """As the `LightningDataModule` whose data it is."""
        assert self._source.module is not None
        self._source.module.trainer = self.trainer
        return getattr(self._source.module, hook)(*args)

    @cached_property
    def _evaluation_seed(self) -> int | None:
        """Of a pool whose samples are drawn though nothing is trained: each is then always the same."""
        return self.seed if draws(lambda: self._source.evaluation_collate([self._plain[0]])) else None

    def _on_device(self, batch: Any) -> Any:  # noqa: ANN401
        if self.trainer is None:
            return self._source.evaluation_on_device(batch)
        return evaluation_batch(self.trainer, batch)

    def _asked(self, sample_ids: list[int]) -> Sequence[int | None]:
        if callable(self._oracle):
            return self._oracle(sample_ids)
        if self._own_labels is None:
            known = own_labels(self.samples) if self._oracle is None else class_indices(self._oracle)
            if len(known) != len(self.samples):
                raise AttachError(f"{len(self.samples)} samples need as many labels, found {len(known)}")
            self._own_labels = known
        return [self._own_labels[sample_id] for sample_id in sample_ids]

    def _validated(self) -> list[DataLoader[Any]]:
        return [self._evaluated(samples) for samples in self._source.val]

    def _evaluated(self, samples: Samples) -> DataLoader[Any]:
        return DataLoader(
            samples,  # type: ignore[arg-type]  # anything with a length and an index
            batch_size=self._source.batch_size,
            num_workers=self._source.num_workers,
            collate_fn=self._source.evaluation_collate,
        )


class _Either(Dataset[Any]):
    """Samples of the pool and of the test set, by id; with a seed, each draws whatever it draws anew from that.

    What `collate` draws for a batch of them follows from its first sample.
    """

    def __init__(
        self,
        pool: Samples,
        test: Samples | None,
        sample_ids: NDArray[np.int64],
        seed: int | None,
        collate: Callable[[list[Any]], Any],
    ) -> None:
        self._pool, self._test, self._ids, self._seed, self._collate = pool, test, sample_ids.tolist(), seed, collate

    def __len__(self) -> int:
        return len(self._ids)

    def __getitem__(self, place: int) -> Any:  # noqa: ANN401
        sample_id = self._ids[place]
        if self._seed is None:
            return self._sample(sample_id)
        with random_numbers_of(seed_of(self._seed, "evaluation", sample_id)):
            return self._sample(sample_id)

    def __getitems__(self, places: list[int]) -> Any:  # noqa: ANN401
        ids = [self._ids[place] for place in places]
        if self._seed is None:
            return self._collate(self._read(ids))
        samples = [self[place] for place in places]
        with random_numbers_of(seed_of(self._seed, "evaluation", ids[0])):
            return self._collate(samples)

    def _read(self, ids: list[int]) -> list[Any]:
        return read(self._pool, ids) if max(ids) < len(self._pool) else [self._sample(sample_id) for sample_id in ids]

    def _sample(self, sample_id: int) -> Any:  # noqa: ANN401
        if sample_id < len(self._pool):
            return self._pool[sample_id]
        assert self._test is not None, "ids beyond the pool are of the test set"
        return self._test[sample_id - len(self._pool)]


def _refuse(cold_start: str, **sizes: Any) -> None:  # noqa: ANN401
    if cold_start not in catalog.COLD_STARTS:
        raise AttachError(f"there is no cold start {cold_start!r}; known are {', '.join(catalog.COLD_STARTS)}")
    for name, size in sizes.items():
        if not isinstance(size, int | np.integer) or size < 1:
            raise AttachError(f"{name} must be a whole number from 1, found {size}")


def _each(val: Samples | Sequence[Dataset[Any]]) -> tuple[Samples, ...]:
    """A list is one dataset of its samples, unless all that it holds are datasets."""
    if isinstance(val, list | tuple) and val and all(isinstance(one, Dataset) for one in val):
        return tuple(val)
    return (val,)


def _refuse_streams(**given: Sequence[Any]) -> None:
    for name, datasets in given.items():
        for samples in datasets:
            if samples is not None:
                indexed(name, samples)
    if not len(given["dataset"][0]):
        raise NotEnoughSamplesError(wanted=1, found=0)
