import subprocess
import sys
import warnings
from functools import partial

import pytest
import torch
from torch import nn

from loops.frozen import (
    _IMPORT_WARNINGS,
    Classifier,
    FreezeUnfreeze,
    Trainer,
    _silenced,
    heuristic_of,
    heuristics,
    replace_layers,
    yardstick,
)


@pytest.fixture
def classifier():
    return Classifier(
        prepare=nn.Identity(),
        augment=nn.Identity(),
        backbone=nn.Sequential(nn.Linear(4, 4)),
        head=nn.Sequential(nn.Linear(4, 2)),
        num_classes=2,
        total_steps=100,
        learning_rate=0.01,
        weight_decay=0.0,
        seed=0,
    )


def test_the_door_silences_named_messages_and_nothing_else():
    with _silenced(_IMPORT_WARNINGS), pytest.raises(DeprecationWarning, match="something new"):
        warnings.warn("something new", DeprecationWarning, stacklevel=1)


def test_nothing_is_said_on_import_or_while_fitting(tmp_path):
    """In a fresh interpreter, as a person at a terminal sees it."""
    script = (
        "import numpy as np; from pathlib import Path; from loops.embeddings.features import FeatureStore\n"
        "from loops.predictors.network import Network; from dataclasses import replace\n"
        "from loops.predictors.network_spec import choose_network\n"
        f"store = FeatureStore(Path({str(tmp_path)!r}), 'pixels-16')\n"
        "store.append(range(9), np.random.default_rng(0).integers(0, 255, (9, 1, 16, 16), dtype=np.uint8))\n"
        "spec = replace(choose_network('cnn', ['pixels-16']), epochs=2, min_steps_per_epoch=2)\n"
        "predictor = Network(spec, store, num_classes=2, seed=0, accelerator='cpu')\n"
        "predictor.fit({0: 0, 1: 1}, round_number=1); predictor.predict([3]); predictor.score([3, 4], round_number=1)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_yardstick_is_baals_heuristic_of_that_name():
    assert isinstance(yardstick("BALD"), heuristics.BALD)
    with pytest.raises(AttributeError):
        yardstick("BLAD")


@pytest.mark.parametrize("found", [heuristics.BatchBALD(3), partial(heuristics.BatchBALD, 3)])
def test_an_object_and_a_partial_of_baals_are_heuristics_with_what_they_were_given(found):
    assert heuristic_of(found).num_samples == 3


def test_a_class_of_baals_is_one_and_whatever_else_is_callable_is_none():
    assert isinstance(heuristic_of(heuristics.Entropy), heuristics.Entropy)
    assert heuristic_of(len) is None
    assert heuristic_of(partial(len)) is None
    assert heuristic_of(dict) is None


def test_layers_are_replaced_at_any_depth():
    network = nn.Sequential(nn.Sequential(nn.Dropout(0.5)), nn.Linear(2, 2))

    assert replace_layers(network, lambda layer: nn.Identity() if isinstance(layer, nn.Dropout) else None)
    assert isinstance(network[0][0], nn.Identity)
    assert not replace_layers(network, lambda _: None)


def test_the_learning_rate_rises_to_its_highest_and_falls_to_nothing(classifier):
    factors = [classifier._learning_rate_factor(step) for step in range(100)]

    assert factors[0] < 0.1
    assert 0.9 < max(factors) <= 1.0
    assert factors.index(max(factors)) in range(10, 16)
    assert factors[-1] < 0.001


def test_flash_knows_the_backbone_by_its_name(classifier):
    assert classifier.modules_to_freeze() is classifier.backbone


def test_finetuning_freezes_the_backbone_until_its_epoch(classifier):
    before = classifier.backbone[0].weight.detach().clone()
    batches = [(torch.ones(2, 4), torch.tensor([0, 1]))]
    trainer = Trainer(accelerator="cpu", max_epochs=2, callbacks=[])
    trainer.finetune(classifier, torch.utils.data.DataLoader(batches, batch_size=None), strategy=FreezeUnfreeze(9))

    assert torch.equal(classifier.backbone[0].weight, before)


def test_predict_returns_each_batch_whole(classifier):
    batches = [(torch.arange(3), torch.ones(3, 4)), (torch.arange(2), torch.ones(2, 4))]
    trainer = Trainer(accelerator="cpu", max_epochs=1, callbacks=[])
    tiles = trainer.predict(classifier, torch.utils.data.DataLoader(batches, batch_size=None))

    assert [tile.shape for tile in tiles] == [(3, 2), (2, 2)]
