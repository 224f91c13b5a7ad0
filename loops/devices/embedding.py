"""Embedding on several devices: processes read and embed their shares of the samples, one process stores the rows."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader

from loops.devices.processes import Devices, Job, TileWriter, backbone_in, predict_share, read_job
from loops.embeddings.embedders import embedder_of
from loops.embeddings.features import FeatureStore, prepared_samples

TILE = 256  # samples that a process embeds before it writes them; what is written is kept, whatever becomes of the pass
_OWN_NETWORK = 10  # times as long as decoding an image is what a network takes that looks at it

Load = Callable[[Any], Any]  # from what says where a sample is, or what it is, to the sample


def pays(devices: Devices, store: FeatureStore, samples: int) -> bool:
    """Whether processes of their own would be done sooner than they take to begin."""
    return samples * (1 if store.backbone.is_pixels else _OWN_NETWORK) >= devices.least


def embed_on_devices(
    store: FeatureStore,
    sample_ids: NDArray[np.int64],
    sources: Sequence[Any],
    devices: Devices,
    *,
    module: str,
    progress: Callable[[int, int], None],
    on_broken: Callable[[int, str], None],
) -> None:
    """Computes features on all devices; what is stored when it is ended stays so.

    Args:
        store: Is filled.
        sample_ids: `[N]`, none of them in the store yet.
        sources: Where each sample lies, as all machines see it, or what it is; plain data for JSON.
        devices: On what.
        module: Calls `embed_share` in each process.
        progress: Called with (done, total) again and again; what it raises ends the pass.
        on_broken: Called with (sample id, reason) for each sample that cannot be read; it is left out.

    Raises:
        PassFailedError: If a process did not end well.
    """
    done = 0

    def collect() -> None:
        nonlocal done
        for path in sorted(folder.glob("*.npz")):
            done += _store_tile(path, store, on_broken)
        progress(done, len(sample_ids))

    with devices.new_pass() as folder:
        np.save(folder / "ids.npy", sample_ids)
        (folder / "sources.json").write_text(json.dumps(list(sources)), encoding="utf-8")
        share = -(-len(sample_ids) // devices.processes)
        job = {"backbone": asdict(store.backbone), "tile": max(1, min(TILE, share)), "store": str(store.folder)}
        devices.run(folder, module, job, collect)
        collect()


def _store_tile(path: Path, store: FeatureStore, on_broken: Callable[[int, str], None]) -> int:
    with np.load(path, allow_pickle=False) as tile:
        ids, rows, broken, reasons = (tile[name] for name in ("ids", "rows", "broken", "reasons"))
    if len(ids):
        store.append(ids, rows)
    for sample_id, reason in zip(broken.tolist(), reasons.tolist(), strict=True):
        on_broken(sample_id, reason)
    path.unlink()
    return len(ids) + len(broken)


def embed_share(folder: Path, load: Load) -> None:
    """This process's share of a pass, and on each machine the start of the others."""
    job = read_job(folder)
    ids = np.load(folder / "ids.npy")
    sources = json.loads((folder / "sources.json").read_text(encoding="utf-8"))
    module = _Embedding(job, load, dict(zip(ids.tolist(), sources, strict=True)))
    tiles: Any = torch.split(torch.from_numpy(ids), job["tile"])
    predict_share(job, module, DataLoader(tiles, batch_size=None), TileWriter(folder, ".npz", _write))


class _Embedding(pl.LightningModule):
    """From ids to rows."""

    def __init__(self, job: Job, load: Load, source_of: dict[int, Any]) -> None:
        super().__init__()
        self._job, self._load, self._source_of = job, load, source_of

    def on_predict_start(self) -> None:
        """Makes the embedder where Lightning has put this process: on its own GPU, if there are some."""
        self._embedder = embedder_of(backbone_in(self._job), Path(self._job["store"]), self._job["accelerator"])

    def predict_step(self, ids: Tensor, _batch_idx: int, _dataloader_idx: int = 0) -> dict[str, NDArray[Any]]:
        """Rows of those that can be read, and why the others cannot."""
        broken: dict[int, str] = {}
        samples = prepared_samples(
            ids.tolist(), lambda i: self._load(self._source_of[i]), self._embedder.prepare, broken.__setitem__
        )
        prepared, size = list(samples.values()), self._embedder.batch_size
        rows = [self._embedder.embed(prepared[start : start + size]) for start in range(0, len(prepared), size)]
        return {
            "ids": np.array(list(samples), np.int64),
            "rows": np.concatenate(rows) if rows else np.empty(0),
            "broken": np.array(list(broken), np.int64),
            "reasons": np.array(list(broken.values()), np.str_),
        }


def _write(tile: dict[str, NDArray[Any]], path: Path) -> None:
    with path.open("wb") as file:
        np.savez(file, **tile)
