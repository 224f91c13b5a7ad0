from __future__ import annotations

from collections import OrderedDict
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from loops.errors import AttachError
from loops.predictors.logits import Logits, core_of, logits_of, with_features

LOGITS = torch.tensor([[1.0, 2.0]])


class Gives(nn.Module):
    def __init__(self, output: Any) -> None:
        super().__init__()
        self.output = output

    def forward(self, *_: Any, **__: Any) -> Any:
        return self.output


@pytest.mark.parametrize(
    ("output", "where"),
    [
        (LOGITS, None),
        ({"loss": 0, "logits": LOGITS}, None),
        ({"preds": LOGITS}, None),
        (OrderedDict(scores=LOGITS), "scores"),
        (SimpleNamespace(logits=LOGITS), None),
        ((LOGITS, "attention"), None),
        (("loss", LOGITS), 1),
        (("a", ("b", LOGITS)), lambda output: output[1][1]),
    ],
)
def test_the_logits_are_found_in_what_forward_returns(output: Any, where: Any) -> None:
    assert logits_of(output, where) is LOGITS


@pytest.mark.parametrize(
    ("output", "found"), [({"scores": LOGITS}, "a dict"), (torch.zeros(2), r"shape \[2\]"), (None, "a NoneType")]
)
def test_what_is_no_logits_is_refused_in_a_sentence(output: Any, found: str) -> None:
    with pytest.raises(AttachError, match=f"one number per class for each sample; found {found}"):
        Logits(Gives(output))(torch.zeros(1, 2))


def test_a_dictionary_is_given_as_keywords() -> None:
    class Named(nn.Module):
        def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
            return ids * mask

    assert Logits(Named())({"ids": torch.ones(1, 2), "mask": torch.zeros(1, 2)}).sum() == 0


def test_the_core_is_the_chain_that_does_all_there_is_to_do() -> None:
    chain = nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.5), nn.Linear(2, 2))

    class Passes(nn.Module):
        def __init__(self, after: bool) -> None:
            super().__init__()
            self.net, self.after = chain, after

        def forward(self, x: Tensor) -> Tensor:
            return self.net(x) + 1 if self.after else self.net(x)

    plain, more = Logits(Passes(False)), Logits(Passes(True))
    assert core_of(plain, torch.zeros(1, 2)) is chain
    assert core_of(more, torch.zeros(1, 2)) is more.module


def test_features_are_what_the_last_linear_layer_of_so_many_classes_is_given() -> None:
    network = Logits(nn.Sequential(nn.Linear(3, 5), nn.ReLU(), nn.Linear(5, 2)))
    x = torch.randn(4, 3)
    layer, features = with_features(network, x)
    assert layer is network.module[2]
    assert torch.equal(features, network.module[:2](x))


class OfTwoInputs(nn.Module):
    """As a language model takes them: by name."""

    def forward(self, ids, mask):
        return torch.stack([(ids * mask).sum(1), mask.sum(1)], 1)


class OfOneDictionary(OfTwoInputs):
    def forward(self, batch):
        return super().forward(**batch)


@pytest.mark.parametrize("kind", [OfTwoInputs, OfOneDictionary])
def test_a_dictionary_is_given_by_names_or_whole_as_forward_takes_it(kind):
    inputs = {"ids": torch.tensor([[3.0, 4.0]]), "mask": torch.tensor([[1.0, 0.0]])}
    assert Logits(kind())(inputs).tolist() == [[3.0, 1.0]]
