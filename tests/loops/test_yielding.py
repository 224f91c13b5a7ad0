import re
from collections import OrderedDict

import pytest
import pytorch_lightning as pl
import torch
from pytorch_lightning.trainer.states import TrainerFn
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader

from loops.errors import YieldedLossesError
from loops.frozen import Trainer
from loops.yielding import LossSequence, YieldLoop

bce = nn.functional.binary_cross_entropy_with_logits


class Networks(pl.LightningModule):
    """A small GAN on digits, and the optimizers of its parts."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.generator = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 64))
        self.discriminator = nn.Sequential(nn.Linear(64, 16), nn.ReLU(), nn.Linear(16, 1))

    def configure_optimizers(self):
        return [torch.optim.Adam(part.parameters(), lr=0.01) for part in (self.discriminator, self.generator)]

    def discriminator_loss(self, digits, noise):
        told = self.discriminator(torch.cat([digits, self.generator(noise).detach()]))
        return bce(told, torch.cat([torch.ones(len(digits), 1), torch.zeros(len(noise), 1)]))

    def generator_loss(self, noise):
        return bce(self.discriminator(self.generator(noise)), torch.ones(len(noise), 1))


class Gan(Networks):
    def training_step(self, digits, batch_idx):
        noise = torch.randn(len(digits), 4)
        yield self.discriminator_loss(digits, noise)
        yield self.generator_loss(noise)


class ManualGan(Networks):
    """The same, with everything that `YieldLoop` leaves to Lightning written out."""

    accumulate = 1

    def __init__(self):
        super().__init__()
        self.automatic_optimization = False

    def training_step(self, digits, batch_idx):
        noise = torch.randn(len(digits), 4)
        losses = (lambda: self.discriminator_loss(digits, noise), lambda: self.generator_loss(noise))
        for index, (optimizer, loss) in enumerate(zip(self.optimizers(), losses, strict=True)):
            self.toggle_optimizer(optimizer, index)
            if batch_idx % self.accumulate == 0:
                optimizer.zero_grad()
            self.manual_backward(loss() / self.accumulate)
            if batch_idx % self.accumulate == self.accumulate - 1:
                optimizer.step()
            self.untoggle_optimizer(index)


@pytest.fixture(scope="module")
def digits():
    """50 batches of 16 digits, 0..1."""
    rows = torch.from_numpy(load_digits().data).float() / 16
    return DataLoader(list(rows[:800].split(16)), batch_size=None)


def fit(model, loader, ckpt_path=None, **options):
    """Fits one epoch through a YieldLoop; returns the trainer."""
    quiet = dict.fromkeys(("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary"), False)
    trainer = pl.Trainer(**{"accelerator": "cpu", "max_epochs": 1, **quiet, **options})
    trainer.fit_loop.epoch_loop.batch_loop.connect(optimizer_loop=YieldLoop())
    torch.manual_seed(1)
    trainer.fit(model, loader, ckpt_path=ckpt_path)
    return trainer


def assert_equal_weights(one, other, tolerance=0.0):
    for name, weights in one.state_dict().items():
        torch.testing.assert_close(weights, other.state_dict()[name], rtol=0, atol=tolerance, msg=name)


# Lightning tells people to use workers; the digits are in memory.
pytestmark = pytest.mark.filterwarnings("ignore:The dataloader, .*, does not have many workers", "ignore:The number of")


@pytest.mark.parametrize("accumulate", [1, 2])
def test_fifty_steps_of_a_gan_equal_the_same_gan_with_manual_optimization(digits, accumulate):
    model, manual = Gan(), ManualGan()
    manual.accumulate = accumulate
    fit(model, digits, accumulate_grad_batches=accumulate)
    fit(manual, digits)

    assert_equal_weights(model, manual, tolerance=1e-6)
    assert not torch.equal(model.generator[0].weight, Gan().generator[0].weight)


def test_both_optimizers_step_once_per_batch_or_per_accumulated_batches(digits):
    assert fit(Gan(), digits).global_step == 2 * 50
    assert fit(Gan(), digits, accumulate_grad_batches=2).global_step == 2 * 25


class Halving(pl.LightningModule):
    """N weights of 1, one per optimizer; each loss is the sum of all weights, so SGD of rate 1 takes 1 off."""

    def __init__(self, optimizers=3):
        super().__init__()
        self.weights = nn.ParameterList(torch.ones(1) for _ in range(optimizers))
        self.seen = []

    def configure_optimizers(self):
        return [torch.optim.SGD([weight], lr=1.0) for weight in self.weights]

    def training_step(self, batch, batch_idx):
        for index in range(len(self.weights)):
            self.seen.append([weight.item() for weight in self.weights])
            assert [weight.requires_grad for weight in self.weights] == [i == index for i in range(len(self.weights))]
            yield sum(self.weights)
        self.seen.append([weight.item() for weight in self.weights])


ONE_BATCH = DataLoader([torch.ones(2)], batch_size=None)


def test_each_of_three_optimizers_has_stepped_before_the_next_loss_is_computed():
    model = Halving(3)
    fit(model, ONE_BATCH)

    assert model.seen == [[1, 1, 1], [0, 1, 1], [0, 0, 1], [0, 0, 0]]


def test_one_optimizer_is_a_number_of_optimizers_too():
    model = Halving(1)
    fit(model, ONE_BATCH)

    assert model.seen == [[1], [0]]


class Yielding(Halving):
    """Two optimizers; yields as often as it is told."""

    def __init__(self, losses):
        super().__init__(2)
        self.losses = losses

    def training_step(self, batch):
        for _ in range(self.losses):
            yield sum(self.weights)


@pytest.mark.parametrize(
    ("losses", "sentence"),
    [
        (0, "training_step must yield one loss for each of its 2 optimizers; it ended after 0"),
        (1, "training_step must yield one loss for each of its 2 optimizers; it ended after 1"),
        (3, "training_step must yield one loss for each of its 2 optimizers; it went on to yield loss 3"),
    ],
)
def test_a_step_that_yields_too_few_or_too_many_losses_says_so(losses, sentence):
    with pytest.raises(YieldedLossesError, match=f"^{re.escape(sentence)}$"):
        fit(Yielding(losses), ONE_BATCH)


class Returning(Halving):
    def training_step(self, batch, batch_idx, *optimizer_idx):
        return sum(self.weights)


def test_a_step_that_is_no_generator_says_so():
    with pytest.raises(YieldedLossesError, match="it is no generator but returned a Tensor"):
        fit(Returning(2), ONE_BATCH)


class Lbfgs(Yielding):
    def configure_optimizers(self):
        return [torch.optim.LBFGS([weight]) for weight in self.weights]


def test_an_optimizer_that_evaluates_its_loss_again_is_refused():
    with pytest.raises(YieldedLossesError, match="one asked for its loss twice within a step, as LBFGS does"):
        fit(Lbfgs(2), ONE_BATCH)


class Frequencies(Yielding):
    def configure_optimizers(self):
        return [{"optimizer": optimizer, "frequency": 1} for optimizer in super().configure_optimizers()]


def test_optimizers_that_take_turns_are_refused():
    with pytest.raises(YieldedLossesError, match="frequencies let only 1 of them step"):
        fit(Frequencies(2), ONE_BATCH)


class Stray(Yielding):
    """A `next()` on something empty, in the generator or in a hook."""

    def __init__(self, where):
        super().__init__(2)
        self.where = where

    def training_step(self, batch):
        for part in ("first", "second", "end"):
            if part == self.where:
                next(iter([]))
            if part != "end":
                yield sum(self.weights)

    def on_before_zero_grad(self, optimizer):
        if self.where == "hook":
            next(iter([]))


@pytest.mark.parametrize("where", ["first", "second", "end", "hook"])
def test_a_stray_stop_iteration_is_an_error_and_no_silent_end(where):
    with pytest.raises(RuntimeError, match="StopIteration"):
        fit(Stray(where), ONE_BATCH)


class Skipping(Halving):
    def training_step(self, batch, batch_idx):
        yield sum(self.weights)
        yield None
        yield {"loss": sum(self.weights), "extra": 7}

    def on_train_batch_end(self, outputs, batch, batch_idx):
        self.outputs = outputs


def test_none_skips_an_optimizer_and_a_dict_carries_more_than_the_loss():
    model = Skipping(3)
    with pytest.warns(UserWarning, match="returned `None`"):
        fit(model, ONE_BATCH)

    assert [weight.item() for weight in model.weights] == [0, 1, 0]
    assert [output.get("extra") for output in model.outputs] == [None, 7]


class Logging(Yielding):
    def training_step(self, batch):
        for index, weight in enumerate(self.weights):
            self.log(f"before_{index}", weight)
            yield sum(self.weights)
        self.log("after", sum(self.weights), on_epoch=True, on_step=False)


def test_a_step_logs_before_between_and_after_its_losses():
    logged = fit(Logging(2), ONE_BATCH).logged_metrics

    assert {name: value.item() for name, value in logged.items()} == {"before_0": 1, "before_1": 1, "after": 0}


class Products(Halving):
    def training_step(self, batch, batch_idx):
        self.dtypes = []
        for weight in self.weights:
            product = batch[None].to(weight.device) @ weight.expand(2, 1)
            self.dtypes.append(product.dtype)
            yield product.sum()
        self.dtypes.append((batch[None] @ self.weights[0].expand(2, 1)).dtype)


@pytest.mark.filterwarnings("ignore:torch.set_default_tensor_type")  # Lightning 1.9 with torch 2, for precision 64
@pytest.mark.parametrize(("precision", "dtype"), [(32, torch.float32), ("bf16", torch.bfloat16), (64, torch.float64)])
def test_every_part_of_a_step_runs_in_the_trainers_precision(precision, dtype):
    """Also the parts after a yield, which an autocast around the call that makes the generator would miss."""
    model = Products(2)
    fit(model, ONE_BATCH, precision=precision)

    assert model.dtypes == [dtype] * 3
    assert [weight.item() for weight in model.weights] == [-1, -1]


def test_the_module_has_its_own_training_step_back_afterwards(digits):
    model = Gan()
    fit(model, ONE_BATCH_OF_DIGITS)
    with pytest.raises(YieldedLossesError):
        fit(failed := Yielding(1), ONE_BATCH)

    assert "training_step" not in {**vars(model), **vars(failed)}


ONE_BATCH_OF_DIGITS = DataLoader([torch.ones(2, 64)], batch_size=None)


def test_it_works_in_the_quiet_trainer_too(digits):
    model, same = Gan(), Gan()
    trainer = Trainer(accelerator="cpu", max_epochs=1, callbacks=[])
    trainer.fit_loop.epoch_loop.batch_loop.connect(optimizer_loop=YieldLoop())
    torch.manual_seed(1)
    trainer.fit(model, digits)
    fit(same, digits)

    assert_equal_weights(model, same)


def alone(model, state=None):
    """The loop with a trainer that runs none of its own; with the model's and the optimizers' saved state."""
    trainer = pl.Trainer(accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False)
    trainer.state.fn, trainer.training, model.trainer = TrainerFn.FITTING, True, trainer
    trainer.strategy.connect(model)
    trainer.strategy.setup(trainer)
    loop = YieldLoop()
    loop.trainer = trainer
    if state is not None:
        model.load_state_dict(state["model"])
        for optimizer, saved in zip(trainer.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        loop.load_state_dict(state["loop"])
    return loop


def run(loop, batches):
    for batch_idx, batch in batches:
        loop.run(list(enumerate(loop.trainer.optimizers)), OrderedDict(batch=batch, batch_idx=batch_idx))


class KilledError(Exception):
    pass


@pytest.mark.parametrize("steps", range(7))
def test_alone_and_killed_after_any_step_it_goes_on_to_the_last_bit(digits, steps, tmp_path):
    """Three batches of two optimizers; also within a step, and after its last optimizer."""
    batches = list(enumerate(digits))[:3]
    torch.manual_seed(1)
    whole = Gan()
    torch.manual_seed(1)
    run(alone(whole), batches)

    killed, taken = Gan(), []
    torch.manual_seed(1)
    loop = alone(killed)
    loop.on_advance_start = lambda *_: die_if(len(taken) == steps)
    loop.on_advance_end = lambda: (taken.append(1), die_if(len(taken) == steps))
    with pytest.raises(KilledError):
        run(loop, batches)
    state = {
        "model": killed.state_dict(),
        "optimizers": [optimizer.state_dict() for optimizer in loop.trainer.optimizers],
        "loop": loop.state_dict(),
    }
    torch.save(state, tmp_path / "killed.ckpt")

    resumed = Gan()
    torch.manual_seed(99)
    again = alone(resumed, torch.load(tmp_path / "killed.ckpt", weights_only=True))
    run(again, batches[max(0, steps - 1) // 2 :])

    assert_equal_weights(resumed, whole)
    assert again.optim_progress.optimizer_steps == 6


def die_if(now):
    if now:
        raise KilledError


def test_a_fit_resumed_from_a_trainers_checkpoint_equals_an_uninterrupted_one(digits, tmp_path):
    whole, resumed = Gan(), Gan()
    fit(whole, digits, max_epochs=2, callbacks=[SeedPerEpoch()])
    fit(Gan(), digits, max_epochs=1, callbacks=[SeedPerEpoch()]).save_checkpoint(tmp_path / "first.ckpt")
    trainer = fit(resumed, digits, max_epochs=2, callbacks=[SeedPerEpoch()], ckpt_path=tmp_path / "first.ckpt")

    assert trainer.global_step == 2 * 100
    assert_equal_weights(resumed, whole)


class SeedPerEpoch(pl.Callback):
    def on_train_epoch_start(self, trainer, pl_module):
        torch.manual_seed(trainer.current_epoch)


def test_losses_come_one_by_one_and_the_rest_runs_at_the_end():
    said = []

    def step(batch):
        said.append("begin")
        yield batch
        yield 2 * batch
        said.append("end")

    losses = LossSequence(step, wanted=2)
    assert said == []
    assert [losses.loss(0, (3,)), losses.loss(1, (3,))] == [3, 6]
    assert said == ["begin"]
    losses.finish((3,))
    assert said == ["begin", "end"]


def test_a_sequence_asked_for_its_second_loss_first_passes_the_first():
    assert LossSequence(lambda batch: iter_of(batch, 2 * batch), wanted=2).loss(1, (3,)) == 6


def iter_of(*losses):
    yield from losses
