"""A script whose oracle is a person: rounds are published in a project, labeled there, and the script goes on."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import ModelCheckpoint
from torch import Tensor, nn
from torch.utils.data import TensorDataset

from app import LabelLoop
from app.errors import AlreadyRunningError, ProjectError
from app.project.project import open_project
from app.script_oracle import ScriptOracle
from loops import ActiveLearningDataModule, ActiveLearningLoop
from storage.engine import Database
from storage.labels import record_decision
from storage.metrics import list_metrics
from storage.projects import get_or_create_annotator, kind_of_samples
from storage.queue import claim_batch
from storage.rounds import list_rounds
from storage.samples import list_samples

pytestmark = [
    pytest.mark.filterwarnings("ignore:The dataloader, .*, does not have many workers:UserWarning"),
    pytest.mark.filterwarnings("ignore:Detected KeyboardInterrupt:UserWarning"),
    pytest.mark.filterwarnings("ignore:Checkpoint directory .* exists and is not empty:UserWarning"),
    pytest.mark.filterwarnings("ignore:You're resuming from a checkpoint that ended:UserWarning"),
    pytest.mark.filterwarnings("ignore:The number of training batches:UserWarning"),
]
COUNT, QUERY_SIZE = 24, 4


def pictures(seed: int = 0) -> TensorDataset:
    """Bright left or bright right halves; the class of sample i is i % 2."""
    labels = torch.arange(COUNT) % 2
    pixels = 0.3 * torch.rand(COUNT, 1, 8, 8, generator=torch.Generator().manual_seed(seed))
    pixels[labels == 0, :, :, :4] += 0.6
    pixels[labels == 1, :, :, 4:] += 0.6
    return TensorDataset(pixels, labels)


class Halves(pl.LightningModule):
    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Flatten(), nn.Linear(64, 8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(8, 2))

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)

    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        return nn.functional.cross_entropy(self(batch[0]), batch[1])

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.parameters(), 0.05)


class Person:
    """Sits at the browser: whenever the script waits, labels a round; leaves after so many rounds."""

    def __init__(self, folder: Path, rounds: int) -> None:
        self.folder, self.left, self.labeled = folder, rounds, 0

    def __call__(self, _oracle: ScriptOracle, _stop: threading.Event) -> None:
        if self.left == 0:
            raise KeyboardInterrupt
        self.left -= 1
        project = open_project(self.folder)
        with closing(project.open_database()) as database:
            for _ in range(QUERY_SIZE):
                self._label(database, project.project_id(database))

    def _label(self, database: Database, project_id: int, flip: int = 0) -> None:
        with database.write() as session:
            annotator = get_or_create_annotator(session, project_id=project_id, name="me")
            claim = claim_batch(session, project_id=project_id, annotator_id=annotator, count=1)[0]
            record_decision(
                session,
                project_id=project_id,
                sample_id=claim.sample.id,
                annotator_id=annotator,
                action="label",
                class_index=int(Path(claim.sample.uri).stem) % 2,
                request_id=claim.token,
            )
        self.labeled += 1


def a_script(
    folder: Path, *, ckpt: str | None = None, checkpoints: Path | None = None, shown: Sequence[Any] = ()
) -> ActiveLearningLoop:
    """What a person writes."""
    oracle = LabelLoop(folder, classes=["left", "right"], shown=shown, serve=False)
    data = ActiveLearningDataModule(
        pictures(), oracle=oracle, query_size=QUERY_SIZE, acquisition="bald", test=pictures(1)
    )
    saving = [] if checkpoints is None else [ModelCheckpoint(str(checkpoints), save_last=True, every_n_train_steps=1)]
    trainer = pl.Trainer(
        max_epochs=5,
        logger=False,
        enable_checkpointing=checkpoints is not None,
        enable_progress_bar=False,
        enable_model_summary=False,
        callbacks=saving,
    )
    loop = ActiveLearningLoop(wrapping=trainer.fit_loop, rounds=3)
    trainer.fit_loop = loop  # type: ignore[assignment]
    torch.manual_seed(0)
    trainer.fit(Halves(), data, ckpt_path=ckpt)
    return loop


def test_a_person_labels_what_the_script_asks_and_the_script_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = Person(tmp_path / "cats", rounds=3)
    monkeypatch.setattr(ScriptOracle, "rest", lambda oracle, stop: person(oracle, stop))
    loop = a_script(tmp_path / "cats")
    assert [labels for labels, _ in loop.curve] == [4, 8, 12]
    assert loop.curve[-1][1] > 0.9
    project = open_project(tmp_path / "cats")
    with closing(project.open_database()) as database, database.read() as session:
        project_id = project.project_id(database)
        rounds = list_rounds(session, project_id=project_id)
        accuracies = [m.value for m in list_metrics(session, project_id=project_id) if m.name == "accuracy_test"]
    assert [(info.number, info.labels, info.predictor) for info in rounds] == [
        (0, 0, "Halves"), (1, 4, "Halves"), (2, 8, "Halves"), (3, 12, "Halves"),
    ]  # fmt: skip
    assert accuracies == [accuracy for _, accuracy in loop.curve]
    scores = pq.read_table(project.rounds_dir / "0002" / "scores.parquet")
    assert scores.num_rows == COUNT - 8
    assert (project.features_dir / "map.parquet").is_file()


@pytest.mark.parametrize("with_checkpoint", [False, True])
def test_ctrl_c_and_start_again_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, with_checkpoint: bool
) -> None:
    person = Person(tmp_path / "cats", rounds=2)
    monkeypatch.setattr(ScriptOracle, "rest", lambda oracle, stop: person(oracle, stop))
    checkpoints = tmp_path / "checkpoints"
    first = a_script(tmp_path / "cats", checkpoints=checkpoints)
    assert [labels for labels, _ in first.curve] == [4, 8]
    person.left = 1
    with caplog.at_level(logging.WARNING):
        second = a_script(tmp_path / "cats", checkpoints=checkpoints, ckpt="last" if with_checkpoint else None)
    assert person.labeled == 12
    assert second.curve[-1][0] == 12
    assert ("of the checkpoint's" in caplog.text) is False


@pytest.mark.parametrize(
    ("kind", "shown"),
    [
        ("text", [f"the {i} th" for i in range(COUNT)]),
        ("table", [{"number": i, "is odd": i % 2 == 1} for i in range(COUNT)]),
    ],
)
def test_people_are_shown_texts_and_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, shown: list[Any]
) -> None:
    person = Person(tmp_path / "cats", rounds=3)
    monkeypatch.setattr(ScriptOracle, "rest", lambda oracle, stop: person(oracle, stop))
    loop = a_script(tmp_path / "cats", shown=shown)
    assert [labels for labels, _ in loop.curve] == [4, 8, 12]
    project = open_project(tmp_path / "cats")
    with closing(project.open_database()) as database, database.read() as session:
        assert kind_of_samples(session, project_id=project.project_id(database)) == kind
        first = list_samples(session, project_id=project.project_id(database), split="pool")[0]
    assert first.content == (shown[0] if kind == "text" else '{"number": "0", "is odd": "False"}')


@pytest.mark.parametrize(
    ("shown", "words"), [(["one"], "what is shown is of 1"), (["a", {"b": 1}] * (COUNT // 2), "all texts or all rows")]
)
def test_what_cannot_be_shown_is_refused(tmp_path: Path, shown: list[Any], words: str) -> None:
    with pytest.raises(ProjectError, match=words):
        a_script(tmp_path / "cats", shown=shown)
    assert not (tmp_path / "cats" / "settings.toml").exists()


def test_a_project_of_other_samples_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    person = Person(tmp_path / "cats", rounds=0)
    monkeypatch.setattr(ScriptOracle, "rest", lambda oracle, stop: person(oracle, stop))
    a_script(tmp_path / "cats")
    fewer = ActiveLearningDataModule(
        TensorDataset(*(part[:10] for part in pictures().tensors)), oracle=LabelLoop(tmp_path / "cats", serve=False)
    )
    trainer = pl.Trainer(max_epochs=1, logger=False, enable_checkpointing=False, enable_progress_bar=False)
    trainer.fit_loop = ActiveLearningLoop(wrapping=trainer.fit_loop, rounds=1)  # type: ignore[assignment]
    with pytest.raises(ProjectError, match="not made of the 10 samples"):
        trainer.fit(Halves(), fewer)


def test_a_new_project_needs_classes(tmp_path: Path) -> None:
    data = ActiveLearningDataModule(pictures(), oracle=LabelLoop(tmp_path / "cats"))
    with pytest.raises(ProjectError, match="is a new project"):
        data.oracle()


def test_two_scripts_do_not_share_a_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def second(_oracle: ScriptOracle, _stop: threading.Event) -> None:
        with pytest.raises(AlreadyRunningError):
            a_script(tmp_path / "cats")
        raise KeyboardInterrupt

    monkeypatch.setattr(ScriptOracle, "rest", second)
    a_script(tmp_path / "cats")
