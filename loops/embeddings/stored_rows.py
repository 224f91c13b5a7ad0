"""The rows of a feature store as they lie on disk, read by sample id; needs neither torch nor the embedding itself.

A store is a folder: `rows-C.bin` and `ids.bin` grow together, rows first and flushed to disk before ids, so only whole
rows count; `meta.json` says of what the rows are, and their shape. What is mapped is never copied as a whole: the rows
of 60,000 photographs are 300 MB.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from loops.embeddings.backbone import dtype_of
from loops.errors import FeatureStoreError, MissingFeaturesError
from loops.files import replace_file

Ids = NDArray[np.int64]

_SORTED_AT_ONCE = 8_192  # new ids; sorting a million of them after every batch would take as long as embedding


@dataclass(frozen=True)
class RowsMeta:
    """What `meta.json` says."""

    backbone: str  # its name
    row_shape: tuple[int, ...]
    made_by: str | None  # what rows depend on besides the image; None: from before it was noted


def read_meta(folder: Path) -> RowsMeta | None:
    """What the rows of a folder are; None before the first row.

    Raises:
        FeatureStoreError: If the file is there and none of a store's.
    """
    try:
        meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
        return RowsMeta(meta["backbone"], tuple(meta["row_shape"]), meta.get("made_by"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise FeatureStoreError(f"{folder / 'meta.json'} cannot be read as what features are: {error!r}") from error


def write_meta(folder: Path, meta: RowsMeta) -> None:
    """Says what the rows of a folder are; a reader finds the old file or the whole new one."""
    replace_file(folder / "meta.json", json.dumps(vars(meta)).encode())


class IdIndex:
    """Sample ids in the order of their rows, found fast and grown by batches.

    Args:
        ids: `[N]`, in the order of their rows.
    """

    def __init__(self, ids: Ids) -> None:
        self._sorted_ids = self._order = self._newest = np.empty(0, np.int64)
        self._sort_in(ids)

    def __len__(self) -> int:
        """How many there are."""
        return len(self._sorted_ids) + len(self._newest)

    @property
    def ids(self) -> Ids:
        """All of them in the order of their rows, the oldest first."""
        return np.concatenate([self._sorted_ids[np.argsort(self._order)], self._newest])

    def append(self, new_ids: Ids) -> None:
        """Adds ids whose rows follow."""
        self._newest = np.concatenate([self._newest, new_ids])
        if len(self._newest) >= _SORTED_AT_ONCE:
            self._sort_in(self._newest)

    def positions(self, wanted: Ids) -> Ids:
        """Row of each sample, -1 where there is none; searched, for a pass looks up a million ids batch by batch."""
        newest = np.argsort(self._newest, kind="stable")
        in_newest = _found(wanted, self._newest[newest], newest + len(self._sorted_ids))
        return np.maximum(in_newest, _found(wanted, self._sorted_ids, self._order))

    def _sort_in(self, newest: Ids) -> None:
        ids = np.concatenate([self._sorted_ids, newest])
        order = np.concatenate([self._order, len(self._order) + np.arange(len(newest))])
        by_id = np.argsort(ids, kind="stable")
        self._sorted_ids, self._order, self._newest = ids[by_id], order[by_id], np.empty(0, np.int64)


def _found(wanted: Ids, ids: Ids, rows: Ids) -> Ids:
    """The row of each wanted id, -1 where it is not among the ascending ids."""
    if not len(ids):
        return np.full(len(wanted), -1)
    places = np.searchsorted(ids, wanted).clip(max=len(ids) - 1)
    return np.where(ids[places] == wanted, rows[places], -1)


class StoredRows:
    """Rows by sample id; holds those that were there when it was made, and never writes.

    Args:
        folder: Of the store.
        row_shape: As `meta.json` says, or will say; empty: not known before the first row, and there is none.
        dtype: Of the rows.
        first: Holds so many of the oldest rows; None: all.
    """

    def __init__(self, folder: Path, row_shape: tuple[int, ...], dtype: DTypeLike, *, first: int | None = None) -> None:
        self.folder = folder
        self._row_shape, self._dtype = row_shape, np.dtype(dtype)
        count = self._whole_rows() if row_shape else 0
        count = count if first is None else min(count, first)
        self._index = IdIndex(np.fromfile(self._ids_path, np.int64, count) if count else np.empty(0, np.int64))

    @property
    def row_shape(self) -> tuple[int, ...]:
        """Shape of one row: `(C, S, S)`, C = 1 while all are gray, or `(D,)`; empty until the first rows tell."""
        return self._row_shape

    def __len__(self) -> int:
        """How many samples have features."""
        return len(self._index)

    @property
    def ids(self) -> Ids:
        """Ids of all samples in the order of their rows, the oldest first."""
        return self._index.ids

    def missing(self, sample_ids: ArrayLike) -> Ids:
        """Returns those of `sample_ids` that have no features yet, in their order."""
        wanted = np.asarray(sample_ids, np.int64)
        return wanted[self._index.positions(wanted) < 0]

    def rows(self, sample_ids: ArrayLike) -> NDArray[np.generic]:
        """Returns the rows of `sample_ids`, `[N, *row_shape]`, in their order.

        Raises:
            MissingFeaturesError: If a sample was never embedded.
            FeatureStoreError: If the files were taken away meanwhile.
        """
        wanted = np.asarray(sample_ids, np.int64).reshape(-1)
        positions = self._index.positions(wanted)
        if (positions < 0).any():
            raise MissingFeaturesError(wanted[positions < 0].tolist())
        if not len(wanted):
            return np.empty((0, *self._row_shape), self._dtype)
        return np.array(self._mapped()[positions])

    @property
    def _rows_path(self) -> Path:
        return self._path_of_rows(self._row_shape)

    @property
    def _ids_path(self) -> Path:
        return self.folder / "ids.bin"

    @property
    def _row_bytes(self) -> int:
        return int(np.prod(self._row_shape)) * self._dtype.itemsize

    def _path_of_rows(self, row_shape: tuple[int, ...]) -> Path:
        return self.folder / f"rows-{row_shape[0]}.bin"

    def _whole_rows(self) -> int:
        whole = [p.stat().st_size if p.exists() else 0 for p in (self._ids_path, self._rows_path)]
        return min(whole[0] // 8, whole[1] // self._row_bytes)

    def _mapped(self) -> NDArray[np.generic]:
        if not self._rows_path.exists():  # the writer widened it to colors meanwhile; every row is where it was
            meta = read_meta(self.folder)
            self._row_shape = self._row_shape if meta is None else meta.row_shape
        try:
            return self._memmap()
        except (OSError, ValueError) as error:
            raise FeatureStoreError(f"the features in {self.folder} cannot be read: {error}") from error

    def _memmap(self) -> NDArray[np.generic]:
        return np.memmap(self._rows_path, self._dtype, "r", shape=(len(self), *self._row_shape))


def open_rows(folder: Path) -> StoredRows:
    """The rows of a folder, whoever writes them; those that are still being written are left out.

    Raises:
        FeatureStoreError: If the files cannot be read as a store's.
    """
    meta = read_meta(folder)
    if meta is None:
        raise FeatureStoreError(f"{folder} holds no features: there is no meta.json")
    try:
        return StoredRows(folder, meta.row_shape, dtype_of(meta.backbone))
    except (OSError, ValueError, TypeError, ZeroDivisionError) as error:
        raise FeatureStoreError(f"the features in {folder} cannot be read: {error}") from error


def fullest_folder(features_dir: Path) -> Path | None:
    """The folder that holds rows of the most samples, of equals the newest; None before any sample was embedded.

    While the embedding is chosen, one that only some samples went through may be the newest.
    """
    stores = [meta.parent for meta in features_dir.glob("*/meta.json") if (meta.parent / "ids.bin").is_file()]
    return max(stores, key=lambda folder: _rows_and_time(folder / "ids.bin"), default=None)


def _rows_and_time(ids: Path) -> tuple[int, int]:
    found = ids.stat()
    return found.st_size, found.st_mtime_ns
