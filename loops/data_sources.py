"""What a person gives as data: a dataset, or a data module whose dataloaders say of what they are made."""

from __future__ import annotations

from typing import Any

import pytorch_lightning as pl
from lightning_utilities.core.rank_zero import rank_zero_warn
from torch.utils.data import BatchSampler, DataLoader, DistributedSampler, RandomSampler, SequentialSampler

from loops.errors import AttachError
from loops.frozen import source_of_flash
from loops.training_samples import Source


def source_of(dataset: Any) -> Source:  # noqa: ANN401
    """The datasets of a dataset or a data module, Flash's or any of Lightning's, and how its batches are made.

    Raises:
        AttachError: If the data module gives several training dataloaders, or something else.
    """
    if not isinstance(dataset, pl.LightningDataModule):
        return Source(dataset)
    return source_of_flash(dataset) or _source_of_lightning(dataset)


def _source_of_lightning(module: pl.LightningDataModule) -> Source:
    """What its dataloaders are made of."""
    module.prepare_data()
    module.setup("fit")
    train = module.train_dataloader()
    if not isinstance(train, DataLoader):
        raise AttachError(f"its train_dataloader() must give one DataLoader, found a {type(train).__name__}")
    val, test = _datasets_of(module, "val_dataloader"), next(iter(_datasets_of(module, "test_dataloader")), None)
    _say_what_is_not_used(train)
    batch_size, collate = getattr(train.batch_sampler, "batch_size", None) or Source.batch_size, train.collate_fn
    return Source(train.dataset, test, val, batch_size, train.num_workers, collate, collate, module=module)  # type: ignore[arg-type]


def _say_what_is_not_used(train: DataLoader[Any]) -> None:
    """A sampler of one's own is made for all samples; a round has few, and its order is the one that can be resumed."""
    batches = train.batch_sampler
    own = batches.sampler if type(batches) is BatchSampler else batches
    if not isinstance(own, RandomSampler | SequentialSampler | DistributedSampler | None):
        rank_zero_warn(
            f"the {type(own).__name__} of train_dataloader() is not used: each round shuffles what is labeled"
        )


def _datasets_of(module: pl.LightningDataModule, name: str) -> tuple[Any, ...]:
    if getattr(type(module), name) is getattr(pl.LightningDataModule, name):
        return ()
    module.setup("test" if name.startswith("test") else "fit")
    found = getattr(module, name)()
    loaders = found if isinstance(found, list | tuple) else [found]
    return tuple(loader.dataset for loader in loaders if isinstance(loader, DataLoader))
