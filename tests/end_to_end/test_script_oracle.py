"""A script whose oracle is a person in a real browser; killed between two rounds and started again."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.project.project import open_project
from tests.end_to_end.conftest import Running, end_with_all_descendants, look_until, plain_environment

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

COUNT, QUERY_SIZE, ROUNDS = 40, 5, 2
SCRIPT = f"""
import sys

import torch
from pytorch_lightning import LightningModule, Trainer
from pytorch_lightning.callbacks import ModelCheckpoint
from torch import nn
from torch.utils.data import TensorDataset

from app import LabelLoop
from loops import ActiveLearningDataModule, ActiveLearningLoop


class Module(LightningModule):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Flatten(), nn.Linear(256, 16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, 2))

    def forward(self, x):
        return self.net(x)

    def training_step(self, batch, batch_idx):
        return nn.functional.cross_entropy(self(batch[0]), batch[1])

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), 0.01)


def halves(seed):
    labels = torch.arange({COUNT}) % 2
    pixels = 0.3 * torch.rand({COUNT}, 1, 16, 16, generator=torch.Generator().manual_seed(seed))
    pixels[labels == 0, :, :, :8] += 0.6
    pixels[labels == 1, :, :, 8:] += 0.6
    return TensorDataset(pixels, labels)


folder = sys.argv[1]
data = ActiveLearningDataModule(
    halves(0), oracle=LabelLoop(folder, classes=["0", "1"]), query_size={QUERY_SIZE}, acquisition="bald", test=halves(1)
)
saving = ModelCheckpoint(folder + "-checkpoints", save_last=True, every_n_train_steps=1)
trainer = Trainer(max_epochs=20, logger=False, enable_progress_bar=False, callbacks=[saving])
trainer.fit_loop = ActiveLearningLoop(wrapping=trainer.fit_loop, rounds={ROUNDS})
trainer.fit(Module(), data, ckpt_path="last")
print("curve", trainer.fit_loop.curve)
"""
LABELS = {f"{i:02}.png": i % 2 for i in range(COUNT)}


@pytest.fixture
def start_script(tmp_path: Path, repository: Path) -> Iterator[object]:
    started: list[subprocess.Popen[str]] = []

    def start() -> Running:
        path, said = tmp_path / "script.py", tmp_path / f"said-{len(started)}"
        path.write_text(SCRIPT)
        environment = {**plain_environment(), "PYTHONPATH": str(repository)}
        with said.open("w") as out:
            process = subprocess.Popen(
                [sys.executable, "-W", "ignore", str(path), str(tmp_path / "cats")],
                stdout=out, stderr=subprocess.STDOUT, text=True, start_new_session=True, env=environment,
            )  # fmt: skip
        started.append(process)
        look_until(lambda: "LabelLoop is at" in said.read_text() or process.poll() is not None, "the script's address")
        assert process.poll() is None, said.read_text()
        url = re.search(r"http://\S+", said.read_text())
        assert url is not None
        project = open_project(tmp_path / "cats")
        running = Running(project, process, url.group(), LABELS, said, project.open_database())
        look_until(running.is_healthy, "the screens")
        return running

    yield start
    for process in started:
        end_with_all_descendants(process)


def test_the_script_goes_on_with_what_a_person_labels_and_after_a_kill(start_script, labeler, wait_for):
    running = start_script()
    wait_for(lambda: running.open_round() == 0, "the first questions")
    person = labeler(running)
    token = person.open()
    for _ in range(QUERY_SIZE):
        token = person.label(token)
    person.wait_until_saved()
    wait_for(lambda: running.open_round() == 1, "the first round that was trained")
    running.process.kill()
    running.process.wait()
    running.database.close()

    again = start_script()
    wait_for(lambda: again.open_round() == 1, "the same round")
    person = labeler(again)
    token = person.open()
    for _ in range(QUERY_SIZE):
        token = person.label(token)
    assert again.process.wait(300) == 0, again.said.read_text()
    curve = re.search(r"curve (\[.*\])", again.said.read_text())
    assert curve is not None, again.said.read_text()
    assert ast.literal_eval(curve.group(1))[-1][0] == ROUNDS * QUERY_SIZE
    rounds = again.rows("SELECT number, labels, learner FROM rounds ORDER BY number")
    assert rounds == [(0, 0, "Module"), (1, 5, "Module"), (2, 10, "Module")]
    again.database.close()
