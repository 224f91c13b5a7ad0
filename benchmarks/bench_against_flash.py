"""Flash's demo of active learning, with Flash's loop, BaaL's loop and ours in turn: same task, same data, same budget.

    python benchmarks/bench_against_flash.py --seeds 5                            the sample digits
    python benchmarks/bench_against_flash.py --seeds 5 --data FOLDER --side 32    other images

FOLDER has `pool.csv` and `test.csv` with the columns path and label. The demo is a Flash classification task on images,
fine-tuned in each round and asked by BALD. Flash's `ImageClassifier` wants torchvision; the task here is Flash's
`ClassificationTask` over a small network. All begin each round with the same weights and
are judged with dropout off. Prints what each loop reaches, what a round costs beyond fit and scoring, and what of the
demo goes wrong.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import logging
import time
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from flash_task import POOL, RATE, Images
from torch import nn
from torch.utils.data import TensorDataset

from loops import ActiveLearningDataModule, ActiveLearningLoop
from loops.frozen import FlashTrainer, heuristics

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from baal.active import ActiveLearningDataset
    from baal.active import ActiveLearningLoop as BaalLoop
    from baal.bayesian.dropout import patch_module
    from baal.modelwrapper import ModelWrapper
    from flash.image.classification.integrations.baal.data import ActiveLearningDataModule as FlashData
    from flash.image.classification.integrations.baal.loop import ActiveLearningLoop as FlashLoop

DIGITS = Path(__file__).parent.parent / "sample_data" / "digits"
QUERY_SIZE, K = 20, 20


@dataclass
class Found:
    """What a run showed; a list holds a number a round."""

    curve: list[tuple[int, float]] = field(default_factory=list)  # labels trained on, accuracy
    scored: list[float] = field(default_factory=list)  # share of the pool
    bald: list[float] = field(default_factory=list)  # largest less smallest, nats
    asked: list[list[int]] = field(default_factory=list)  # places in the pool
    steps: list[float] = field(default_factory=list)  # that the optimizer had done when a round after the first began
    beyond: list[float] = field(default_factory=list)  # seconds beyond fit and passes
    seconds: list[float] = field(default_factory=list)  # of a round
    run: float = 0.0  # seconds in all

    @property
    def twice(self) -> int:
        """Questions about a sample that was asked before."""
        everything = [place for asked in self.asked for place in asked]
        return len(everything) - len(set(everything))

    @property
    def unused(self) -> int:
        """Labels that were asked for and no model was trained on."""
        return sum(map(len, self.asked)) - self.curve[-1][0]


class Beginnings(pl.Callback):
    """Notes how far the optimizer is when a round's fit begins."""

    def __init__(self, found: Found) -> None:
        self._found, self._rounds = found, 0

    def on_train_start(self, trainer: pl.Trainer, _module: object) -> None:
        self._rounds += 1
        if self._rounds > 1:
            states = trainer.optimizers[0].state.values()
            self._found.steps.append(max((float(state["step"]) for state in states), default=0.0))


def a_trainer(epochs: int, found: Found) -> FlashTrainer:
    """A quiet one."""
    return FlashTrainer(
        max_epochs=epochs, logger=False, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False, accelerator="cpu", callbacks=[Beginnings(found)],
    )  # fmt: skip


def ours(images: Images, rounds: int, epochs: int, seed: int, acquisition: Any = "bald") -> Found:
    """The demo's lines, with our loop."""
    torch.manual_seed(seed)
    found = Found()

    def oracle(places: list[int]) -> list[int]:
        found.asked.append(places)
        return [images.labels[place] for place in places]

    data = ActiveLearningDataModule(
        images.data_module(), oracle=oracle, query_size=QUERY_SIZE, acquisition=acquisition,
        test=images.dictionaries("test"), seed=seed, cold_start="random",
    )  # fmt: skip
    trainer = a_trainer(epochs, found)
    loop = Timed(found, wrapping=trainer.fit_loop, rounds=rounds, mc_iterations=K)
    trainer.fit_loop = loop
    trainer.finetune(images.task(seed), datamodule=data, strategy="no_freeze")
    found.curve = loop.curve
    return found


class Timed(ActiveLearningLoop):
    """Ours, with a look at what it scored and how long its parts took."""

    def __init__(self, found: Found, **options: Any) -> None:
        super().__init__(**options)
        self._found = found

    def advance(self) -> None:
        started, self.parts = time.perf_counter(), 0.0
        super().advance()
        whole = time.perf_counter() - started
        if self.parts:
            self._found.beyond.append(whole - self.parts)
            self._found.seconds.append(whole)

    def fit(self, answers: Any) -> None:
        attachment = self._attached._attachment
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
            self._found.bald.append(float(np.ptp(scores.scores["bald"])))
            self._found.scored.append(len(scores.sample_ids) / len(answers.pool))
        return scores


def flashs(images: Images, rounds: int, epochs: int, seed: int) -> Found:
    """The demo as it is."""
    torch.manual_seed(seed)
    data = FlashData(labelled=images.data_module(), query_size=QUERY_SIZE)
    data._dataset.label(images.first(seed))  # its own would be others
    task, found = images.task(seed), Found(asked=[images.first(seed)])

    class Watched(type(data)):  # type: ignore[misc]
        def label(self, probabilities: Any = None, indices: Any = None) -> None:
            found.curve.append((self._dataset.n_labelled, images.accuracy(task)))
            scores = self.heuristic.get_uncertainties(torch.cat([p[0].unsqueeze(0) for p in probabilities]))
            found.bald.append(float(np.ptp(scores)))
            found.scored.append(len(scores) / self._dataset.n_unlabelled)
            before = self._dataset.labelled.copy()
            super().label(probabilities=probabilities, indices=indices)
            found.asked.append(np.flatnonzero(self._dataset.labelled & ~before).tolist())

    data.__class__ = Watched
    trainer = a_trainer(rounds, found)
    loop = FlashLoop(label_epoch_frequency=epochs, inference_iteration=K)
    loop.connect(trainer.fit_loop)
    trainer.fit_loop = loop
    trainer.finetune(task, datamodule=data, strategy="no_freeze")
    return found


def baals(images: Images, rounds: int, epochs: int, seed: int) -> Found:
    """BaaL's own loop, as its tutorial writes it."""
    torch.manual_seed(seed)
    pool = TensorDataset(images.pool, torch.tensor(images.labels))
    active = ActiveLearningDataset(pool, random_state=seed)
    active.label(images.first(seed))
    model, judged = patch_module(images.task(seed)), images.task(seed)  # in the patched one dropout is never off
    wrapper = ModelWrapper(model, nn.CrossEntropyLoss())
    first = {name: weight.clone() for name, weight in model.state_dict().items()}
    found = Found(asked=[images.first(seed)])

    class Watched(heuristics.BALD):  # type: ignore[misc]
        def get_ranks(self, predictions: Any) -> Any:
            ranks, scores = super().get_ranks(predictions)
            found.bald.append(float(np.ptp(scores)))
            found.scored.append(len(scores) / active.n_unlabelled)
            return ranks, scores

    loop = BaalLoop(
        active, wrapper.predict_on_dataset, Watched(), query_size=QUERY_SIZE, batch_size=64, iterations=K,
        use_cuda=False, workers=0, verbose=False,
    )  # fmt: skip
    for _ in range(rounds):
        model.load_state_dict(first)
        optimizer = torch.optim.Adam(model.parameters(), RATE)
        wrapper.train_on_dataset(active, optimizer, 16, epochs, use_cuda=False, workers=0)
        judged.load_state_dict(model.state_dict())
        found.curve.append((active.n_labelled, images.accuracy(judged)))
        before = active.labelled.copy()
        loop.step()
        found.asked.append(np.flatnonzero(active.labelled & ~before).tolist())
    return found


LOOPS = {
    "Flash's loop": flashs,
    "BaaL's loop": baals,
    "ours, BALD": ours,
    "ours, margin": lambda *of: ours(*of, acquisition="margin"),
    "ours, random": lambda *of: ours(*of, acquisition="random"),
}


def main() -> None:
    """Prints the tables."""
    options = parse()
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    torch.set_num_threads(1)
    images = Images.read(options.data, options.side)
    found = {
        name: [run(act, images, options, seed) for seed in range(options.seeds)]
        for name, act in LOOPS.items()
        if not options.only or name in options.only
    }
    print(
        f"{len(images.labels)} images of {options.side} pixels in {images.classes} classes, {len(images.test_labels)} "
        f"to test; accuracy in %, median (worst) of {options.seeds} seeds, {options.epochs} epochs a round\n"
    )
    print_curves(found)
    print_questions(found)
    if "ours, BALD" in found:
        print_overhead(found["ours, BALD"])


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DIGITS, help="a folder with pool.csv and test.csv")
    parser.add_argument("--side", type=int, default=16, help="pixels")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--only", action="append", choices=list(LOOPS), help="one loop; may be given several times")
    parser.add_argument("--quick", action="store_true", help="whether it runs: one seed, two short rounds")
    options = parser.parse_args()
    if options.quick:
        options.seeds, options.rounds, options.epochs = 1, 2, 2
    return options


def run(act: Any, images: Images, options: argparse.Namespace, seed: int) -> Found:
    """Without what BaaL prints."""
    started = time.perf_counter()
    with contextlib.redirect_stdout(io.StringIO()):
        found: Found = act(images, options.rounds, options.epochs, seed)
    found.run = time.perf_counter() - started
    return found


def print_curves(found: dict[str, list[Found]]) -> None:
    """A line a loop, a column a budget."""
    labels = [count for count, _ in next(iter(found.values()))[0].curve]
    print("| labels | " + " | ".join(map(str, labels)) + " | s |\n|---|" + "---|" * (len(labels) + 1))
    firsts = [sorted(result.asked[0]) for result in next(iter(found.values()))]
    for name, results in found.items():
        assert [sorted(result.asked[0]) for result in results] == firsts, f"{name} began with other labels"
        for result in results:
            assert [count for count, _ in result.curve] == labels, f"{name} had another budget"
        at = np.array([[100 * accuracy for _, accuracy in result.curve] for result in results])
        cells = [f"{np.median(a):.1f} ({a.min():.1f})" for a in at.T]
        print(f"| {name} | {' | '.join(cells)} | {np.median([result.run for result in results]):.0f} |")


def print_questions(found: dict[str, list[Found]]) -> None:
    """What each loop's questions were made of."""
    print(f"\n| median of all rounds | {' | '.join(found)} |\n|---|" + "---|" * len(found))
    rows = {
        "share of the pool that was scored": lambda r: r.scored,
        "largest less smallest BALD, nats": lambda r: r.bald,
        "last place in the pool that a model asked about, share of it": lambda r: [max(p) / POOL for p in r.asked[1:]],
        "steps that the optimizer had done when a round began": lambda r: r.steps,
        "labels asked for twice, a run": lambda r: [r.twice],
        "labels asked for after the last fit, a run": lambda r: [r.unused],
    }
    for name, of in rows.items():
        values = [[value for result in results for value in of(result)] for results in found.values()]
        print(f"| {name} | {' | '.join(f'{np.median(v):.2g}' if v else '-' for v in values)} |")


def print_overhead(results: list[Found]) -> None:
    """Of our loop, beyond what is done inside."""
    beyond = np.array([seconds for result in results for seconds in result.beyond])
    whole = np.array([seconds for result in results for seconds in result.seconds])
    milliseconds, share = 1000 * beyond, 100 * beyond / whole
    print(
        f"\nof a round of ours beyond the wrapped fit and the passes: median {np.median(milliseconds):.0f} ms, "
        f"{np.median(share):.1f} %; most {milliseconds.max():.0f} ms"
    )


if __name__ == "__main__":
    main()
