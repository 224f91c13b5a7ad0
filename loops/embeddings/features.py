"""Features of each sample, computed once per backbone and kept on disk, memory-mapped, by sample id."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from loops.checkpoint import replace_file
from loops.embeddings.backbone import Backbone, backbone_of
from loops.errors import FeatureStoreError, MissingFeaturesError

_SORTED_AT_ONCE = 8_192  # new ids; sorting a million of them after every batch would take as long as embedding


class FeatureStore:
    """Rows of one backbone by sample id; append-only, one writer.

    Three files: `rows-C.bin` and `ids.bin` grow together, rows first and flushed to disk before ids, so only whole rows
    count; `meta.json` says the shape. A torn tail from a crash is written over by the next append. Rows that were
    made by other weights, or by another transform, are thrown away. While one object writes, others of the same folder
    may read: each holds the rows that were there when it was made.

    Args:
        folder: Made when missing.
        backbone: What a row is; or a name that `backbone_of` knows.
        first: Holds so many of the oldest rows, for a reader; None: all.

    Raises:
        FeatureStoreError: If the folder holds features of something else.
    """

    def __init__(self, folder: Path, backbone: Backbone | str, *, first: int | None = None) -> None:
        self.folder = folder
        self.backbone = backbone_of(backbone) if isinstance(backbone, str) else backbone
        folder.mkdir(parents=True, exist_ok=True)
        self._sorted_ids = self._order = self._newest = np.empty(0, np.int64)
        self._row_shape = self._read_meta()
        self._load_ids(first)

    @property
    def row_shape(self) -> tuple[int, ...]:
        """Shape of one row: `(C, S, S)`, C = 1 while all are gray, or `(D,)`; empty until the first rows tell."""
        return self._row_shape

    def __len__(self) -> int:
        """How many samples have features."""
        return len(self._sorted_ids) + len(self._newest)

    @property
    def ids(self) -> NDArray[np.int64]:
        """Ids of all samples in the order of their rows, the oldest first."""
        return np.concatenate([self._sorted_ids[np.argsort(self._order)], self._newest])

    def missing(self, sample_ids: ArrayLike) -> NDArray[np.int64]:
        """Returns those of `sample_ids` that have no features yet, in their order."""
        wanted = np.asarray(sample_ids, np.int64)
        return wanted[self._positions(wanted) < 0]

    def rows(self, sample_ids: ArrayLike) -> NDArray[np.generic]:
        """Returns the rows of `sample_ids`, `[N, *row_shape]`, in their order.

        Raises:
            MissingFeaturesError: If a sample was never embedded.
        """
        wanted = np.asarray(sample_ids, np.int64).reshape(-1)
        positions = self._positions(wanted)
        if (positions < 0).any():
            raise MissingFeaturesError(wanted[positions < 0].tolist())
        if not len(wanted):
            return np.empty((0, *self._row_shape), self.backbone.dtype)
        return np.array(self._mapped()[positions])

    def flat_rows(self, sample_ids: ArrayLike) -> NDArray[np.float32]:
        """Returns the rows of `sample_ids` as vectors, `features_N_D`."""
        rows = self.rows(sample_ids)
        return rows.reshape(len(rows), int(np.prod(self._row_shape))).astype(np.float32)

    def append(self, sample_ids: ArrayLike, rows: NDArray[np.generic]) -> None:
        """Adds rows; they are on disk when it returns.

        Args:
            sample_ids: `[N]`, none of them in the store yet.
            rows: `[N, *row_shape]`; gray and color pixels may be mixed from call to call.

        Raises:
            FeatureStoreError: If ids repeat or rows have another shape.
        """
        new_ids = np.asarray(sample_ids, np.int64)
        if len(np.unique(new_ids)) < len(new_ids) or len(self.missing(new_ids)) < len(new_ids):
            raise FeatureStoreError(f"some of {len(new_ids)} samples have features already")
        if not self._row_shape:
            self._write_meta(rows.shape[1:])
        rows = self._in_channels(rows)
        if rows.shape != (len(new_ids), *self._row_shape):
            raise FeatureStoreError(f"rows of shape {self._row_shape} wanted, {rows.shape[1:]} found")
        _write_at(self._rows_path, len(self) * self._row_bytes, np.ascontiguousarray(rows, self.backbone.dtype))
        _write_at(self._ids_path, len(self) * 8, new_ids)
        self._newest = np.concatenate([self._newest, new_ids])
        if len(self._newest) >= _SORTED_AT_ONCE:
            self._sort_in(self._newest)

    @property
    def _rows_path(self) -> Path:
        return self._path_of_rows(self._row_shape)

    @property
    def _ids_path(self) -> Path:
        return self.folder / "ids.bin"

    @property
    def _row_bytes(self) -> int:
        return int(np.prod(self._row_shape)) * np.dtype(self.backbone.dtype).itemsize

    def _path_of_rows(self, row_shape: tuple[int, ...]) -> Path:
        return self.folder / f"rows-{row_shape[0]}.bin"

    def _read_meta(self) -> tuple[int, ...]:
        path = self.folder / "meta.json"
        if not path.exists():
            shape = self.backbone.row_shape
            return (1, *shape[1:]) if self.backbone.is_pixels else shape
        meta = json.loads(path.read_text())
        if meta["backbone"] != self.backbone.name:
            raise FeatureStoreError(f"{self.folder} holds features of {meta['backbone']}, not of {self.backbone.name}")
        if meta.get("made_by", self.backbone.made_by) != self.backbone.made_by:
            (self.folder / "ids.bin").unlink(missing_ok=True)
        return tuple(meta["row_shape"])

    def _write_meta(self, row_shape: tuple[int, ...]) -> None:
        meta = {"backbone": self.backbone.name, "row_shape": list(row_shape), "made_by": self.backbone.made_by}
        replace_file(self.folder / "meta.json", json.dumps(meta).encode())
        self._row_shape = row_shape

    def _load_ids(self, first: int | None) -> None:
        count = self._whole_rows() if self._row_shape else 0
        count = count if first is None else min(count, first)
        self._sort_in(np.fromfile(self._ids_path, np.int64, count) if count else np.empty(0, np.int64))
        path = self.folder / "meta.json"
        if not self._row_shape:
            return
        if not path.exists() or json.loads(path.read_text()).get("made_by") != self.backbone.made_by:
            self._write_meta(self._row_shape)

    def _whole_rows(self) -> int:
        whole = [p.stat().st_size if p.exists() else 0 for p in (self._ids_path, self._rows_path)]
        return min(whole[0] // 8, whole[1] // self._row_bytes)

    def _sort_in(self, newest: NDArray[np.int64]) -> None:
        """Puts ids that follow on disk into the sorted index."""
        ids = np.concatenate([self._sorted_ids, newest])
        order = np.concatenate([self._order, len(self._order) + np.arange(len(newest))])
        by_id = np.argsort(ids, kind="stable")
        self._sorted_ids, self._order, self._newest = ids[by_id], order[by_id], np.empty(0, np.int64)

    def _positions(self, wanted: NDArray[np.int64]) -> NDArray[np.int64]:
        """Row of each sample, -1 where there is none; searched, for a pass looks up a million ids batch by batch."""
        newest = np.argsort(self._newest, kind="stable")
        in_newest = _found(wanted, self._newest[newest], newest + len(self._sorted_ids))
        return np.maximum(in_newest, _found(wanted, self._sorted_ids, self._order))

    def _mapped(self) -> NDArray[np.generic]:
        try:
            return self._memmap()
        except FileNotFoundError:  # the writer widened it to colors meanwhile; every row is where it was
            self._row_shape = self._read_meta()
            return self._memmap()

    def _memmap(self) -> NDArray[np.generic]:
        return np.memmap(self._rows_path, self.backbone.dtype, "r", shape=(len(self), *self._row_shape))

    def _in_channels(self, rows: NDArray[np.generic]) -> NDArray[np.generic]:
        if not self.backbone.is_pixels or rows.ndim != 4 or rows.shape[1] == self._row_shape[0]:
            return rows
        if rows.shape[1] == 3:
            self._widen_to_colors()
        return np.broadcast_to(rows, (len(rows), *self._row_shape)) if rows.shape[1] == 1 else rows

    def _widen_to_colors(self) -> None:
        """Rewrites a gray store for colors; the meta file flips it over, so a crash leaves the gray one whole."""
        colors = self.backbone.row_shape
        target = self._path_of_rows(colors)
        target.unlink(missing_ok=True)
        row_bytes = int(np.prod(colors))
        for start in range(0, len(self), 4096):
            rows = self._mapped()[start : start + 4096]
            _write_at(target, start * row_bytes, np.broadcast_to(rows, (len(rows), *colors)))
        gray = self._rows_path
        self._write_meta(colors)
        gray.unlink(missing_ok=True)


def _found(wanted: NDArray[np.int64], ids: NDArray[np.int64], rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """The row of each wanted id, -1 where it is not among the ascending ids."""
    if not len(ids):
        return np.full(len(wanted), -1)
    places = np.searchsorted(ids, wanted).clip(max=len(ids) - 1)
    return np.where(ids[places] == wanted, rows[places], -1)


def _write_at(path: Path, offset: int, content: ArrayLike, dtype: DTypeLike = None) -> None:
    with path.open("r+b" if path.exists() else "w+b") as file:
        file.truncate(offset)
        file.seek(offset)
        file.write(np.ascontiguousarray(content, dtype).tobytes())
        file.flush()
        os.fsync(file.fileno())


def embed(
    store: FeatureStore,
    sample_ids: ArrayLike,
    load: Callable[[int], NDArray[Any]],
    *,
    progress: Callable[[int, int], None],
    on_broken: Callable[[int, str], None],
    should_stop: Callable[[], bool],
    accelerator: str = "auto",
) -> None:
    """Computes the features that `store` lacks, batch by batch; killed or stopped, it goes on where it was.

    Args:
        store: Is filled.
        sample_ids: Which samples.
        load: Sample id -> image, uint8 `[H, W, C]` (C = 1 to 4) or `[H, W]`, or what else the embedder of this backbone
            takes; may raise for a broken file.
        progress: Called with (done, total) at the start and after each batch.
        on_broken: Called with (sample id, reason) for each image that cannot be read; it is left out.
        should_stop: Asked before each batch.
        accelerator: `auto` or `cpu`.
    """
    from loops.embeddings.embedding import embedder_of  # torch only where something is to be embedded

    todo = store.missing(sample_ids).tolist()
    embedder = embedder_of(store.backbone, accelerator) if todo else None
    progress(0, len(todo))
    for start in range(0, len(todo), embedder.batch_size if embedder else 1):
        if embedder is None or should_stop():
            return
        batch = todo[start : start + embedder.batch_size]
        prepared = prepared_images(batch, load, embedder.prepare, on_broken)
        if prepared:
            store.append(list(prepared), embedder.embed(list(prepared.values())))
        progress(start + len(batch), len(todo))


def prepared_images(
    sample_ids: Sequence[int],
    load: Callable[[int], NDArray[Any]],
    prepare: Callable[[NDArray[Any]], NDArray[Any]],
    on_broken: Callable[[int, str], None],
) -> dict[int, NDArray[Any]]:
    """What an embedder takes, by sample id, one image in memory at a time; broken ones are told of and left out."""
    prepared = {}
    for sample_id in sample_ids:
        try:
            prepared[sample_id] = prepare(load(sample_id))
        except Exception as error:  # noqa: BLE001, PERF203 - bad files raise many types; none may stop a round
            on_broken(sample_id, f"{type(error).__name__}: {error}")
    return prepared
