"""The model as a new folder, for use where LabelLoop is not, or by `labelloop predict` and `serve`."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from app.errors import ExportError, NoModelError
from app.formats.whole_folder import new_target, whole_folder
from app.project.project import Project
from app.trainer.model_card import model_card
from app.trainer.published import Published, newest_published
from loops.embeddings.embedders import fitted_file
from loops.errors import NotEnoughSamplesError, NotFittedError
from loops.files import replace_file
from loops.predictors.exported_model import ExportedModel, save_model, save_onnx
from loops.predictors.student import Agreement, taught_by
from storage.engine import Database

ABOUT, TORCH_FILE, ONNX_FILE, EMBEDDING, CARD = "classes.json", "model.pt2", "model.onnx", "embedding", "README.md"
VERSION = 2  # of the folder; 1 took squares of pixels


@dataclass(frozen=True)
class WrittenModel:
    """What an export of the model holds."""

    folder: Path
    round_number: int
    classes: int


def export_model(database: Database, project: Project, out: Path, *, as_onnx: bool = False) -> WrittenModel:
    """Writes what answers in the newest published round, whoever it is.

    Args:
        database: The project's.
        project: Whose model.
        out: The folder to make.
        as_onnx: Instead of a file of torch's.

    Raises:
        ExportError: When `out` exists, the model stands on somebody's own embedding, or it cannot be written.
        NoModelError: When no round was trained yet, or the checkpoint cannot be used.
        OnnxMissingError: When the packages that write ONNX are not installed.
    """
    embedding = project.settings().embedding
    if embedding:
        raise ExportError(f"The model stands on the embedding {embedding}, which is not LabelLoop's to hand on.")
    target = new_target(out)
    published = newest_published(project, database)
    model, agreement = _model(published)
    about = _about(published, model, agreement)
    with whole_folder(target) as folder:
        if as_onnx:
            save_onnx(model, folder / ONNX_FILE, about)
        else:
            save_model(model, folder / TORCH_FILE)
        _copy_fitted(published, folder / EMBEDDING)
        replace_file(folder / ABOUT, (json.dumps(about, ensure_ascii=False, indent=2) + "\n").encode())
        replace_file(folder / CARD, model_card(about, model, as_onnx=as_onnx).encode())
    return WrittenModel(target, published.round_info.number, model.num_classes)


def _model(published: Published) -> tuple[ExportedModel, Agreement | None]:
    """What answers; a network that was taught by it where it is no module, and how far the two agree."""
    try:
        answer, agreement = published.predictor.as_module(), None
        if answer is None:
            pool = published.bench.embedded_pool.ids
            student, agreement = taught_by(published.predictor, published.bench.network(), pool)
            answer = student.as_module()
    except (NotEnoughSamplesError, NotFittedError) as error:
        raise NoModelError(f"The model of {published.version} cannot be exported: {error}.") from error
    return ExportedModel(answer, published.store, num_classes=len(published.classes)), agreement


def _copy_fitted(published: Published, folder: Path) -> None:
    """What the embedding learned of the pool, such as the columns of a table."""
    name = fitted_file(published.store.backbone)
    if name and (published.store.folder / name).is_file():  # of two embeddings of texts one needs none
        folder.mkdir()
        shutil.copyfile(published.store.folder / name, folder / name)


def _about(published: Published, model: ExportedModel, agreement: Agreement | None) -> dict[str, Any]:
    info = published.round_info
    return {
        "version": VERSION,
        "project": published.bench.settings.name,
        "kind": published.kind,
        "classes": list(published.classes),
        "embedding": published.store.backbone.name,
        "embedding_made_by": published.store.backbone.made_by,
        "input": model.input_name,
        "side": model.side,
        "channels": model.channels,
        "numbers": model.numbers,
        "round": info.number,
        "labels": info.labels,
        "pool": len(published.bench.pool),
        "learner": info.predictor,
        "acquisition": info.acquisition,
        "answers": published.predictor.describe().name,
        # Measured of what answers in the project, which is not told of a network that was only taught by it.
        "accuracy": published.accuracy if agreement is None else None,
        "student": None if agreement is None else {**asdict(agreement), "teacher": published.accuracy},
        "torch": torch.__version__,
    }
