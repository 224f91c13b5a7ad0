import csv
import io
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from loops.fit import FitLoop, TrainingEpochLoop
from loops.predictors.batches import LabeledBatches

DIGITS = Path(__file__).parents[2] / "sample_data" / "digits"
EPOCHS, STEPS = 2, 3
OPTIMIZERS = {"adam": torch.optim.Adam, "l-bfgs": partial(torch.optim.LBFGS, max_iter=3)}


class KilledError(Exception):
    pass


def loss(model, batch):
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


def batches(order):
    rows = torch.randn(12, 4, generator=torch.Generator().manual_seed(1))
    labels = torch.arange(12) % 3
    if order == "by torch":
        return DataLoader(TensorDataset(rows, labels), batch_size=4, shuffle=True)
    return LabeledBatches(rows, labels, batch_size=4, min_batches=STEPS, max_batches=STEPS, seed=7).loader()


def make_loop(order="by torch", optimizer="adam"):
    model = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.5), nn.Linear(8, 3))
    for place, weights in enumerate(model.parameters()):
        nn.init.normal_(weights, generator=torch.Generator().manual_seed(place))
    epoch_loop = TrainingEpochLoop(
        Fabric(accelerator="cpu", devices=1),
        model=model,
        optimizer=OPTIMIZERS[optimizer](model.parameters(), lr=0.1),
        dataloader=batches(order),
        loss=loss,
        seed=0,
    )
    return FitLoop(epoch_loop, max_epochs=EPOCHS), model


def kill_after(loop, steps):
    """The state as it is after that many steps of the whole fit, through a file and back."""
    saved = io.BytesIO()

    def on_advance_end():
        TrainingEpochLoop.on_advance_end(loop.epoch_loop)
        if loop.epoch_loop.progress.total.completed == steps:
            torch.save(loop.state_dict(), saved)
            raise KilledError

    loop.epoch_loop.on_advance_end = on_advance_end
    with pytest.raises(KilledError):
        loop.run()
    return torch.load(io.BytesIO(saved.getvalue()), weights_only=True)


def assert_same_bits(first, second):
    for weights, others in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(weights, others)


def test_digits_are_learned_as_in_the_original_example():
    rows = list(csv.DictReader((DIGITS / "labels.csv").read_text().splitlines()))[::3]
    images = np.stack([np.asarray(Image.open(DIGITS / row["path"]).convert("L")) for row in rows])
    pixels = torch.from_numpy(images).flatten(1).float() / 255
    classes = torch.tensor([int(row["label"]) for row in rows])
    model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Dropout(0.25), nn.Linear(64, 10))
    epoch_loop = TrainingEpochLoop(
        Fabric(accelerator="cpu", devices=1),
        model=model,
        optimizer=torch.optim.Adam(model.parameters(), lr=0.01),
        dataloader=DataLoader(TensorDataset(pixels[100:], classes[100:]), batch_size=64, shuffle=True),
        loss=loss,
        seed=0,
    )
    FitLoop(epoch_loop, max_epochs=10).run()

    assert (model.eval()(pixels[:100]).argmax(1) == classes[:100]).float().mean() > 0.9


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("order", ["by torch", "by epoch"])
@pytest.mark.parametrize("steps", range(1, EPOCHS * STEPS + 1))
def test_killed_at_any_step_and_restored_it_is_as_if_never_stopped(order, steps, optimizer):
    whole, expected = make_loop(order, optimizer)
    whole.run()
    state = kill_after(make_loop(order, optimizer)[0], steps)
    torch.rand(steps)  # whatever else the new process drew
    restored, model = make_loop(order, optimizer)
    restored.load_state_dict(state)
    restored.run()

    assert_same_bits(model, expected)
    assert restored.progress.total.completed == EPOCHS
    assert restored.epoch_loop.progress.total.completed == EPOCHS * STEPS


def test_a_state_between_two_epochs_begins_the_next_one_with_its_first_step():
    whole, expected = make_loop()
    whole.run()
    stopped, _ = make_loop()
    stopped._max_epochs = 1
    stopped.run()
    restored, model = make_loop()
    restored.load_state_dict(stopped.state_dict())
    restored.run()

    assert_same_bits(model, expected)


def test_the_inner_loop_runs_alone():
    inner = make_loop()[0].epoch_loop
    inner.run()

    assert inner.done
    assert inner.progress.current.completed == STEPS
    inner.run()
    assert inner.progress.current.completed == STEPS
    assert inner.progress.total.completed == 2 * STEPS


def test_a_state_stays_as_it_was_when_training_goes_on():
    loop, _ = make_loop()
    before = loop.state_dict()
    first = before["epoch_loop.state_dict"]["model"]["0.weight"].clone()
    loop.run()

    assert torch.equal(before["epoch_loop.state_dict"]["model"]["0.weight"], first)
    assert before["epoch_loop.progress"]["total"]["completed"] == 0


@pytest.mark.parametrize("order", ["by torch", "by epoch"])
def test_each_epoch_has_an_order_of_its_own(order):
    loop, _ = make_loop(order)
    seen = []
    loop.epoch_loop._loss = lambda model, batch: seen.append(batch[0]) or loss(model, batch)
    loop.run()
    first, second = torch.cat(seen[:STEPS]), torch.cat(seen[STEPS:])

    assert not torch.equal(first, second)
    assert torch.equal(first.sort(0).values, second.sort(0).values)


def test_each_step_has_random_numbers_of_its_own():
    loop, _ = make_loop()
    drawn = []
    loop.epoch_loop._loss = lambda model, batch: drawn.append(torch.rand(1).item()) or loss(model, batch)
    loop.run()

    assert len(set(drawn)) == EPOCHS * STEPS


def test_random_numbers_of_the_process_are_left_alone():
    loop, _ = make_loop()
    torch.manual_seed(3)
    expected = torch.rand(5)
    torch.manual_seed(3)
    loop.run()

    assert torch.equal(torch.rand(5), expected)


def test_a_dataloader_that_ends_early_is_an_error_not_the_end():
    class Short(list):
        def __len__(self):
            return 4

    loop, _ = make_loop()
    loop.epoch_loop._dataloader = Short(batches("by torch"))

    with pytest.raises(RuntimeError, match="StopIteration"):
        loop.run()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_it_trains_on_a_gpu():
    model = nn.Linear(4, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    fabric = Fabric(accelerator="cuda", devices=1)
    inner = TrainingEpochLoop(
        fabric, model=model, optimizer=optimizer, dataloader=batches("by torch"), loss=loss, seed=0
    )
    FitLoop(inner, max_epochs=EPOCHS).run()

    assert model.weight.is_cuda
    assert inner.progress.total.completed == EPOCHS * STEPS
