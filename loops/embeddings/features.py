"""Features of each sample, computed once per backbone and kept on disk, memory-mapped, by sample id."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from loops.embeddings.backbone import Backbone
from loops.embeddings.kinds import backbone_of
from loops.embeddings.stored_rows import RowsMeta, StoredRows, read_meta, write_meta
from loops.errors import FeatureStoreError


class FeatureStore(StoredRows):
    """Rows of one backbone by sample id; append-only, one writer.

    A torn tail from a crash is written over by the next append. Rows that were made by other weights, or by another
    transform, are thrown away. While one object writes, others of the same folder may read: each holds the rows that
    were there when it was made.

    Args:
        folder: Made when missing.
        backbone: What a row is; or a name that `backbone_of` knows.
        first: Holds so many of the oldest rows, for a reader; None: all.

    Raises:
        FeatureStoreError: If the folder holds features of something else.
    """

    def __init__(self, folder: Path, backbone: Backbone | str, *, first: int | None = None) -> None:
        self.backbone = backbone_of(backbone) if isinstance(backbone, str) else backbone
        folder.mkdir(parents=True, exist_ok=True)
        meta = read_meta(folder)
        if meta is not None:
            self._check(folder, meta)
        super().__init__(
            folder, self._first_shape() if meta is None else meta.row_shape, self.backbone.dtype, first=first
        )
        if self._row_shape and (meta is None or meta.made_by != self.backbone.made_by):
            self._write_meta(self._row_shape)

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
        _write_at(self._rows_path, len(self) * self._row_bytes, np.ascontiguousarray(rows, self._dtype))
        _write_at(self._ids_path, len(self) * 8, new_ids)
        self._index.append(new_ids)

    def _check(self, folder: Path, meta: RowsMeta) -> None:
        """Refuses features of something else, and throws away those that would be made otherwise today."""
        if meta.backbone != self.backbone.name:
            raise FeatureStoreError(f"{folder} holds features of {meta.backbone}, not of {self.backbone.name}")
        if meta.made_by not in (None, self.backbone.made_by):
            (folder / "ids.bin").unlink(missing_ok=True)

    def _first_shape(self) -> tuple[int, ...]:
        shape = self.backbone.row_shape
        return (1, *shape[1:]) if self.backbone.is_pixels else shape

    def _write_meta(self, row_shape: tuple[int, ...]) -> None:
        write_meta(self.folder, RowsMeta(self.backbone.name, row_shape, self.backbone.made_by))
        self._row_shape = row_shape

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
    load: Callable[[int], Any],
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
        load: Sample id -> what the embedder of this backbone takes, such as an image, uint8 `[H, W, C]` (C = 1 to 4)
            or `[H, W]`; may raise for a broken file.
        progress: Called with (done, total) at the start and after each batch.
        on_broken: Called with (sample id, reason) for each sample that cannot be read; it is left out.
        should_stop: Asked before each batch.
        accelerator: `auto` or `cpu`.
    """
    from loops.embeddings.embedders import embedder_of  # torch only where something is to be embedded

    todo = store.missing(sample_ids).tolist()
    embedder = embedder_of(store.backbone, store.folder, accelerator) if todo else None
    progress(0, len(todo))
    for start in range(0, len(todo), embedder.batch_size if embedder else 1):
        if embedder is None or should_stop():
            return
        batch = todo[start : start + embedder.batch_size]
        prepared = prepared_samples(batch, load, embedder.prepare, on_broken)
        if prepared:
            store.append(list(prepared), embedder.embed(list(prepared.values())))
        progress(start + len(batch), len(todo))


def prepared_samples(
    sample_ids: Sequence[int],
    load: Callable[[int], Any],
    prepare: Callable[[Any], Any],
    on_broken: Callable[[int, str], None],
) -> dict[int, Any]:
    """What an embedder takes, by sample id, one sample in memory at a time; broken ones are told of and left out."""
    prepared = {}
    for sample_id in sample_ids:
        try:
            prepared[sample_id] = prepare(load(sample_id))
        except Exception as error:  # noqa: BLE001, PERF203 - bad files raise many types; none may stop a round
            on_broken(sample_id, f"{type(error).__name__}: {error}")
    return prepared
