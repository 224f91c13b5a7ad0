"""Flash's demo of active learning, with Flash's loop, BaaL's loop and ours in turn: same task, same data, same budget.

python benchmarks/bench_against_flash.py --seeds 5

The demo is a Flash classification task on images, fine-tuned in each round and asked by BALD. Flash's `ImageClassifier`
wants torchvision; the task here is Flash's `ClassificationTask` over a small network, on the sample digits.
Prints what each loop reaches, what a round costs beyond fit and scoring, and what of the demo goes wrong.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import io
import logging
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import Dataset

from loops import ActiveLearningDataModule, ActiveLearningLoop
from loops.frozen import ClassificationTask, FlashDataModule, FlashTrainer, RunningStage, heuristics

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from baal.active import ActiveLearningDataset
    from baal.active import ActiveLearningLoop as BaalLoop
    from baal.bayesian.dropout import patch_module
    from baal.modelwrapper import ModelWrapper
    from flash.core.data.io.input import DataKeys, Input
    from flash.image.classification.integrations.baal.data import ActiveLearningDataModule as FlashData
    from flash.image.classification.integrations.baal.loop import ActiveLearningLoop as FlashLoop

DIGITS = Path(__file__).parent.parent / "sample_data" / "digits"
POOL, TEST, START, QUERY_SIZE, K = 600, 300, 20, 20, 20


def images(split: str, count: int) -> tuple[Tensor, list[int]]:
    """The first sample digits."""
    with (DIGITS / ("test.csv" if split == "test" else "labels.csv")).open() as file:
        rows = [row for row in csv.DictReader(file) if row["path"].startswith(f"{split}/")][:count]
    pixels = np.stack([np.asarray(Image.open(DIGITS / row["path"]).convert("L").resize((16, 16))) for row in rows])
    return torch.from_numpy(pixels[:, None] / 255).float(), [int(row["label"]) for row in rows]


class Digits(Input):
    """As Flash's own inputs are written."""

    def load_data(self, split: str, count: int) -> list[dict]:
        self.num_classes = 10
        return [{DataKeys.INPUT: x, DataKeys.TARGET: y} for x, y in zip(*images(split, count), strict=True)]


class Task(ClassificationTask):
    """A backbone and a head with dropout, as in the demo."""

    def __init__(self) -> None:
        super().__init__(
            loss_fn=nn.functional.cross_entropy, num_classes=10, optimizer="adam", learning_rate=3e-3, metrics=[]
        )
        self.backbone = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(),
            nn.MaxPool2d(2), nn.Flatten(),
        )  # fmt: skip
        self.head = nn.Sequential(nn.Dropout(0.3), nn.Linear(512, 64), nn.ReLU(), nn.Dropout(0.3), nn.Linear(64, 10))

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.backbone(x))

    def training_step(self, batch: Any, _batch_idx: int) -> Tensor:
        return nn.functional.cross_entropy(self(batch[DataKeys.INPUT]), batch[DataKeys.TARGET])

    def predict_step(self, batch: Any, _batch_idx: int, dataloader_idx: int = 0) -> Any:  # noqa: ARG002 - Flash's name
        return {DataKeys.PREDS: torch.softmax(self(batch[DataKeys.INPUT]), 1)}


def accuracy(task: nn.Module) -> float:
    """On the test images, dropout off."""
    pixels, labels = images("test", TEST)
    was = task.training
    with torch.no_grad():
        found = (task.eval()(pixels).argmax(1) == torch.tensor(labels)).float().mean().item()
    task.train(was)
    return found


def a_trainer(epochs: int) -> FlashTrainer:
    """A quiet one."""
    return FlashTrainer(
        max_epochs=epochs, logger=False, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False, accelerator="cpu",
    )  # fmt: skip


def data_module() -> FlashDataModule:
    """All the pool, labeled; each loop hides the labels from itself."""
    return FlashDataModule(Digits(RunningStage.TRAINING, "pool", POOL), batch_size=16)


Curve = list[tuple[int, float]]


def ours(rounds: int, epochs: int, seed: int, acquisition: Any = "bald") -> tuple[Curve, dict]:
    """The demo's lines, with our loop."""
    torch.manual_seed(seed)
    test = [{DataKeys.INPUT: x, DataKeys.TARGET: y} for x, y in zip(*images("test", TEST), strict=True)]
    data = ActiveLearningDataModule(
        data_module(), query_size=QUERY_SIZE, acquisition=acquisition, test=test, seed=seed, cold_start="random"
    )
    trainer = a_trainer(epochs)
    loop = Timed(wrapping=trainer.fit_loop, rounds=rounds, mc_iterations=K)
    trainer.fit_loop = loop
    trainer.finetune(Task(), datamodule=data, strategy="no_freeze")
    return loop.curve, loop.seen


class Timed(ActiveLearningLoop):
    """Ours, with a look at what it scored and how long its parts took."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.seen = {"bald": [], "scored": [], "beyond": [], "round": []}

    def advance(self) -> None:
        started, self.parts = time.perf_counter(), 0.0
        super().advance()
        whole = time.perf_counter() - started
        if self.parts:
            self.seen["beyond"].append(whole - self.parts)
            self.seen["round"].append(whole)

    def fit(self, answers: Any) -> None:
        attachment = self._attachment
        run = attachment.wrapped.run

        def timed() -> None:
            started = time.perf_counter()
            run()
            self.parts += time.perf_counter() - started

        attachment.wrapped.run = timed
        try:
            super().fit(answers)
        finally:
            del attachment.wrapped.run

    def evaluate(self, answers: Any) -> Any:
        started = time.perf_counter()
        found = super().evaluate(answers)
        self.parts += time.perf_counter() - started
        return found

    def score_pool(self, answers: Any) -> Any:
        started = time.perf_counter()
        scores = super().score_pool(answers)
        if scores is not None:
            self.parts += time.perf_counter() - started
            self.seen["bald"].append(float(np.ptp(scores.scores["bald"])))
            self.seen["scored"].append(len(scores.sample_ids) / len(answers.pool))
        return scores


def flashs(rounds: int, epochs: int, seed: int) -> tuple[Curve, dict]:
    """The demo as it is."""
    torch.manual_seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - what its first labels are drawn from
    data = FlashData(labelled=data_module(), initial_num_labels=START, query_size=QUERY_SIZE)
    task, curve, seen = Task(), [], {"bald": [], "scored": []}

    class Watched(type(data)):  # type: ignore[misc]
        def label(self, probabilities: Any = None, indices: Any = None) -> None:
            curve.append((self._dataset.n_labelled, accuracy(task)))
            scores = self.heuristic.get_uncertainties(torch.cat([p[0].unsqueeze(0) for p in probabilities]))
            seen["bald"].append(float(np.ptp(scores)))
            seen["scored"].append(len(scores) / self._dataset.n_unlabelled)
            super().label(probabilities=probabilities, indices=indices)

    data.__class__ = Watched
    trainer = a_trainer(rounds)
    loop = FlashLoop(label_epoch_frequency=epochs, inference_iteration=K)
    loop.connect(trainer.fit_loop)
    trainer.fit_loop = loop
    trainer.finetune(task, datamodule=data, strategy="no_freeze")
    return curve, seen


def baals(rounds: int, epochs: int, seed: int) -> tuple[Curve, dict]:
    """BaaL's own loop, as its tutorial writes it."""

    class Pairs(Dataset):
        def __init__(self) -> None:
            self.pixels, self.targets = images("pool", POOL)

        def __len__(self) -> int:
            return POOL

        def __getitem__(self, i: int) -> tuple[Tensor, int]:
            return self.pixels[i], self.targets[i]

    torch.manual_seed(seed)
    active = ActiveLearningDataset(Pairs(), random_state=seed)
    active.label_randomly(START)
    model = patch_module(Task())
    wrapper = ModelWrapper(model, nn.CrossEntropyLoss())
    first = {name: weight.clone() for name, weight in model.state_dict().items()}
    loop = BaalLoop(
        active, wrapper.predict_on_dataset, heuristics.BALD(), query_size=QUERY_SIZE, batch_size=64, iterations=K,
        use_cuda=False, workers=0, verbose=False,
    )  # fmt: skip
    curve: Curve = []
    for _ in range(rounds):
        model.load_state_dict(first)
        optimizer = torch.optim.Adam(model.parameters(), 3e-3)
        wrapper.train_on_dataset(active, optimizer, 16, epochs, use_cuda=False, workers=0)
        pixels, labels = images("test", TEST)
        votes = wrapper.predict_on_batch(pixels, K).softmax(1).mean(-1)
        curve.append((active.n_labelled, (votes.argmax(1) == torch.tensor(labels)).float().mean().item()))
        loop.step()
    return curve, {}


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--quick", action="store_true", help="whether it runs: one seed, two short rounds")
    options = parser.parse_args()
    if options.quick:
        options.seeds, options.rounds, options.epochs = 1, 2, 2
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    torch.set_num_threads(1)
    runs = {
        "Flash's loop": flashs,
        "BaaL's loop": baals,
        "ours, BALD": ours,
        "ours, BaaL's BALD": lambda *of: ours(*of, acquisition=heuristics.BALD()),
        "ours, margin": lambda *of: ours(*of, acquisition="margin"),
        "ours, random": lambda *of: ours(*of, acquisition="random"),
    }
    found = {name: [silent(act, options, seed) for seed in range(options.seeds)] for name, act in runs.items()}
    labels = [count for count, _ in found["ours, BALD"][0][0]]
    print(f"accuracy in %, median (worst) of {options.seeds} seeds, {options.epochs} epochs a round")
    print("| labels | " + " | ".join(map(str, labels)) + " |\n|---|" + "---|" * len(labels))
    for name, results in found.items():
        at = np.array([[100 * accuracy for _, accuracy in curve[: len(labels)]] for curve, _ in results])
        print(f"| {name} | " + " | ".join(f"{np.median(a):.1f} ({a.min():.1f})" for a in at.T) + " |")
    print("\n| what the question was made of | Flash's loop | ours |\n|---|---|---|")
    loops = ("Flash's loop", "ours, BALD")
    scored, spread = ([f"{np.median(seen_of(found[name], key)):.2g}" for name in loops] for key in ("scored", "bald"))
    print(f"| share of the pool that was scored | {' | '.join(scored)} |")
    print(f"| largest less smallest BALD, nats | {' | '.join(spread)} |")
    beyond, whole = (np.array(seen_of(found["ours, BALD"], key)) for key in ("beyond", "round"))
    milliseconds, share = 1000 * beyond, 100 * beyond / whole
    print(
        f"\nof a round of ours beyond the wrapped fit and the passes: median {np.median(milliseconds):.0f} ms, "
        f"{np.median(share):.1f} %; most {milliseconds.max():.0f} ms"
    )


def seen_of(results: list, key: str) -> list[float]:
    """Of all seeds and rounds."""
    return [x for _, seen in results for x in seen[key]]


def silent(act: Any, options: argparse.Namespace, seed: int) -> tuple[Curve, dict]:
    """Without what BaaL prints."""
    with contextlib.redirect_stdout(io.StringIO()):
        return act(options.rounds, options.epochs, seed)


if __name__ == "__main__":
    main()
