"""A pass of a learner over a large pool on several devices: Lightning's `predict`, each tile into a file of its own.

python -m loops.spread.learner FOLDER     takes part in the pass that `FOLDER/job.json` describes
"""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from lightning_fabric.utilities import move_data_to_device  # type: ignore[import-untyped]
from numpy.typing import ArrayLike, NDArray

from loops.embeddings.features import FeatureStore
from loops.errors import PassFailedError
from loops.learners.batches import PoolBatches
from loops.learners.learner import Learner
from loops.learners.learner_spec import LearnerSpec
from loops.oracle import PoolScores
from loops.spread.processes import Devices, Job, TileWriter, backbone_in, predict_share, read_job

MODULE = "loops.spread.learner"


class SpreadLearner(Learner):
    """A learner whose passes over many samples run on several devices; the same numbers come out.

    Args:
        devices: On what.
        *given: Of `Learner`.
        **named: Of `Learner`.
    """

    def __init__(self, *given: Any, devices: Devices, **named: Any) -> None:  # noqa: ANN401
        super().__init__(*given, **named)
        self._devices = devices
        self._round_number: int | None = None  # of the pass; None: it predicts

    def score(self, sample_ids: ArrayLike, *, round_number: int) -> PoolScores:
        """Scores every sample by MC dropout; see `Learner.score`."""
        self._round_number = round_number
        try:
            return super().score(sample_ids, round_number=round_number)
        finally:
            self._round_number = None

    def _predict(self, model: pl.LightningModule, ids: NDArray[np.int64]) -> list[Any]:
        if len(ids) < self._devices.least:
            return super()._predict(model, ids)
        size, tiles = self.spec.score_batch_size, range(0, len(ids), self.spec.score_batch_size)
        with self._devices.new_pass() as folder:
            job = self._describe(folder, ids)
            self._devices.run(
                folder,
                MODULE,
                job,
                lambda: self._devices.progress(min(len(ids), size * len(list(folder.glob("*.pt")))), len(ids)),
            )
            try:
                return [torch.load(folder / f"{start // size}.pt", weights_only=True) for start in tiles]
            except FileNotFoundError as error:
                raise PassFailedError("a part of the pool came back without scores") from error

    def _describe(self, folder: Path, ids: NDArray[np.int64]) -> Job:
        """Writes what the processes need, and says where it is."""
        saved = self.save(folder / "model.ckpt", {})
        np.save(folder / "ids.npy", ids)
        return {
            "spec": asdict(self.spec),
            "store": str(self.store.folder),
            "backbone": asdict(self.store.backbone),
            "rows": len(self.store),
            "learner": {"num_classes": self.num_classes, "seed": self._seed, "mc_iterations": self._mc_iterations},
            "round_number": self._round_number,
            "sha256": saved.sha256,
            "size": saved.size,
        }


def _write(prediction: Any, path: Path) -> None:  # noqa: ANN401
    torch.save(move_data_to_device(prediction, torch.device("cpu")), path)


def take_part(folder: Path) -> None:
    """This process's share of a pass, and on each machine the start of the others."""
    job = read_job(folder)
    store = FeatureStore(Path(job["store"]), backbone_in(job), first=job["rows"])
    learner = Learner(LearnerSpec(**job["spec"]), store, **job["learner"])
    learner.load(folder / "model.ckpt", sha256=job["sha256"], size=job["size"])
    ids = np.load(folder / "ids.npy")
    batches = PoolBatches(store, ids, batch_size=learner.spec.score_batch_size)
    writer = TileWriter(folder, ".pt", _write)
    predict_share(job, learner.model_of_pass(len(ids), job["round_number"]), batches.loader(), writer)


if __name__ == "__main__":
    take_part(Path(sys.argv[1]))
