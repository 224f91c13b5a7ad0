"""The trained model as a new folder: `model.pt2`, `classes.json`, `README.txt`. For use where LabelLoop is not."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from app.errors import ExportError
from app.formats.whole_folder import new_target, whole_folder
from app.project.project import Project
from app.trainer.resuming import restored, with_checkpoint
from app.trainer.workbench import at_rest
from loops.errors import CheckpointDamagedError, NotEnoughSamplesError, NotFittedError
from loops.files import replace_file
from loops.predictors.exported_model import ExportedModel, model_of_checkpoint, save_model
from loops.predictors.student import Agreement, taught_by
from storage.engine import Database
from storage.metrics import MetricInfo, list_metrics
from storage.projects import list_classes
from storage.rounds import RoundInfo, list_rounds

_MEASURED_ON = {  # the first that was measured counts, as on every screen
    "accuracy_test": "the labeled test set",
    "accuracy_audit": "audit samples, drawn at random and never trained on",
}
_README = """A model that LabelLoop trained: an image in, one probability per class out. classes.json says how good it
was measured to be, and on what. It needs Python with torch (made with {torch}), NumPy and Pillow; lay images with
transparent parts on white first. In this folder:

import json, numpy, torch; from PIL import Image, ImageOps
about, model = json.load(open("classes.json", encoding="utf-8")), torch.export.load("model.pt2").module()
image = ImageOps.exif_transpose(Image.open("image.png")).convert("{mode}").resize(({side}, {side}), Image.BILINEAR)
pixels = torch.from_numpy(numpy.array(image)).reshape(1, {side}, {side}, {channels}).permute(0, 3, 1, 2)
print(dict(zip(about["classes"], model(pixels)[0].tolist())))
"""


@dataclass(frozen=True)
class WrittenModel:
    """What an export of the model holds."""

    folder: Path
    round_number: int
    classes: int


@dataclass(frozen=True)
class _Trained:
    """A published round with a checkpoint, and what is known of it."""

    round_info: RoundInfo
    classes: Sequence[str]  # of the project, which may have grown since
    metrics: Sequence[MetricInfo]  # of this round


def export_model(database: Database, project: Project, out: Path) -> WrittenModel:
    """Writes the model of the newest published round.

    Args:
        database: The project's.
        project: Whose model.
        out: The folder to make.

    Raises:
        ExportError: When `out` exists, no round was trained yet, the checkpoint is damaged, the model stands on
            somebody's own embedding, or it cannot be written.
    """
    embedding = project.settings().embedding
    if embedding:
        raise ExportError(f"The model stands on the embedding {embedding}, which is not LabelLoop's to hand on.")
    target = new_target(out)
    trained = _newest(database, project.project_id(database))
    model, agreement = _model(project, trained.round_info), None
    if model is None:
        model, agreement = _student(project, database, trained.round_info)
    described = _description(trained, model, agreement)
    with whole_folder(target) as folder:
        save_model(model, folder / "model.pt2")
        replace_file(folder / "classes.json", (json.dumps(described, ensure_ascii=False, indent=2) + "\n").encode())
        replace_file(folder / "README.txt", _readme(model).encode())
    return WrittenModel(target, trained.round_info.number, model.num_classes)


def _newest(database: Database, project_id: int) -> _Trained:
    with database.read() as session:
        rounds = with_checkpoint(list_rounds(session, project_id=project_id))
        newest = next((info for info in rounds if info.state in ("open", "closed")), None)
        if newest is None:
            raise ExportError("No round of this project was trained yet; there is no model to export.")
        metrics = list_metrics(session, project_id=project_id)
        return _Trained(
            newest,
            classes=[entry.name for entry in list_classes(session, project_id=project_id)],
            metrics=[metric for metric in metrics if metric.round_number == newest.number],
        )


def _model(project: Project, round_info: RoundInfo) -> ExportedModel | None:
    path = project.folder / str(round_info.checkpoint)
    try:
        return model_of_checkpoint(
            path, sha256=str(round_info.checkpoint_sha256), size=round_info.checkpoint_bytes or 0
        )
    except CheckpointDamagedError as error:
        raise ExportError(
            f"The model of round {round_info.number} cannot be exported: {error}; the next round writes a new one."
        ) from error


def _student(project: Project, database: Database, round_info: RoundInfo) -> tuple[ExportedModel, Agreement]:
    """A network that was taught what the project's predictor answers, and how far it agrees with it."""
    bench = at_rest(project, database)
    try:
        student, agreement = taught_by(restored(bench, round_info), bench.network(), bench.embedded_pool.ids)
    except (NotEnoughSamplesError, NotFittedError) as error:
        raise ExportError(f"The model of round {round_info.number} cannot be exported: {error}.") from error
    with tempfile.TemporaryDirectory() as folder:
        saved = student.save(Path(folder) / "student.ckpt", {})
        model = model_of_checkpoint(saved.path, sha256=saved.sha256, size=saved.size)
    assert model is not None, "a network is a network"
    return model, agreement


def _description(trained: _Trained, model: ExportedModel, agreement: Agreement | None) -> dict[str, Any]:
    return {
        "classes": list(trained.classes[: model.num_classes]),
        "side": model.side,
        "channels": model.channels,
        "round": trained.round_info.number,
        "labels": trained.round_info.labels,
        "learner": trained.round_info.learner,
        "acquisition": trained.round_info.acquisition,
        "members": len(model.members),
        # Measured of what answers in the project, which is not told of a network that was only taught by it.
        "accuracy": _accuracy(trained.metrics) if agreement is None else None,
        "student": None if agreement is None else {**asdict(agreement), "teacher": _accuracy(trained.metrics)},
        "torch": torch.__version__,
    }


def _accuracy(metrics: Sequence[MetricInfo]) -> dict[str, Any] | None:
    of_name = {metric.name: metric for metric in metrics}
    for name, measured_on in _MEASURED_ON.items():
        if name in of_name:
            metric = of_name[name]
            bounds = {"value": metric.value, "low": metric.low, "high": metric.high}
            return bounds | {"n": metric.n, "measured_on": measured_on}
    return None


def _readme(model: ExportedModel) -> str:
    mode = "L" if model.channels == 1 else "RGB"
    return _README.format(torch=torch.__version__, side=model.side, channels=model.channels, mode=mode)
