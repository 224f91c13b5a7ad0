"""What must hold of any scoring of a pool, as functions of a subject and a case; and three subjects."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Protocol

import numpy as np
import torch
from baal import ModelWrapper
from baal.active import heuristics
from baal.active.dataset import ActiveLearningDataset
from baal.bayesian.caching_utils import MCCachingModule
from baal.bayesian.dropout import MCDropoutModule
from flash.image.classification.integrations.baal.data import ActiveLearningDataModule
from flash.image.classification.integrations.baal.dropout import InferenceMCDropoutTask
from torch import Tensor, nn
from torch.utils.data import Dataset

from loops.acquisition.catalog import find
from loops.acquisition.choosing import scorer
from loops.acquisition.functions import rank
from loops.frozen import Classifier
from loops.predictors.layers import PrepareFeatures
from loops.uncertainty.mc_dropout import MCDropout, MCDropoutScorer, gather

FUNCTIONS = ("bald", "predictive_entropy", "margin", "variation_ratios")
_BAAL = dict(
    zip(FUNCTIONS, (heuristics.BALD, heuristics.Entropy, heuristics.Margin, heuristics.Certainty), strict=True)
)


@dataclass(frozen=True)
class Case:
    """One pool, one network, one question."""

    seed: int
    samples: int = 12
    features: int = 8
    classes: int = 3
    draws: int = 8  # K
    batch: int = 5  # samples
    query: int = 3  # samples
    function: str = "bald"

    def network(self) -> nn.Sequential:
        """Two layers with dropout between; weights large enough that draws disagree."""
        torch.manual_seed(self.seed)
        layers = nn.Linear(self.features, 16), nn.ReLU(), nn.Dropout(0.5), nn.Linear(16, self.classes)
        layers[3].weight.data *= 8
        return nn.Sequential(*layers).eval()

    def rows(self) -> Tensor:
        """`[N, D]`."""
        return torch.randn(self.samples, self.features, generator=torch.Generator().manual_seed(self.seed + 1))

    def ids(self) -> np.ndarray:
        """Sample ids in no order and with gaps."""
        return np.random.default_rng(self.seed).choice(10**6, self.samples, replace=False)


class Subject(Protocol):
    """Something that scores pools."""

    def draw(self, network: nn.Module, rows: Tensor, case: Case) -> Tensor:
        """Logits `[N, C, K]`, batch by batch."""
        ...

    def ask(self, logits_N_C_K: Tensor, ids: np.ndarray, case: Case) -> list[int]:
        """The ids of the query, from what was drawn."""
        ...

    def draw_again(self, network: nn.Module, rows: Tensor, change: Callable[[nn.Module], None], case: Case) -> Tensor:
        """Draws, lets the weights change as training does, draws again as its loop does: the second logits."""
        ...

    def seen(self, rows: Tensor, noise: nn.Module, case: Case) -> Tensor:
        """What the network sees of the pool when training augments with `noise`."""
        ...


def draws_differ(subject: Subject, case: Case) -> bool:
    """MC draws of a pass are not all the same."""
    logits = subject.draw(case.network(), case.rows(), case)
    return bool((logits != logits[..., :1]).any())


def masks_are_shared(subject: Subject, case: Case) -> bool:
    """A sample's score depends on the sample and the seed, not on what is in its batch."""
    network, rows = case.network(), case.rows()
    together = subject.draw(network, rows, case)
    alone = torch.cat([subject.draw(network, row[None], case) for row in rows])
    return torch.allclose(together, alone, atol=1e-4)


def ids_map(subject: Subject, case: Case) -> bool:
    """Asked are the ids with the highest scores, whatever the order of the pool: brute force, sample by sample."""
    logits, ids = subject.draw(case.network(), case.rows(), case), case.ids()
    asked = subject.ask(logits, ids, case)
    scores = scorer(find(case.function))(torch.softmax(logits, 1).numpy())
    score_of = dict(zip(ids.tolist(), scores.tolist(), strict=True))
    if len(set(asked)) != case.query or not set(asked) <= set(score_of):
        return False
    return min(score_of[i] for i in asked) >= sorted(scores)[-case.query] - 1e-5


def uncertain_first(subject: Subject, case: Case) -> bool:
    """A torn sample is asked before sure ones, by every function."""
    ids = case.ids()
    logits = torch.zeros(case.samples, case.classes, case.draws)
    logits[:, 0] = 6.0 + torch.arange(case.samples)[:, None] / 10
    torn = case.seed % case.samples
    logits[torn] = 0.0
    logits[torn, 0, ::2] = logits[torn, 1, 1::2] = 3.0
    return subject.ask(logits, ids, Case(case.seed, query=1, batch=1, function=case.function))[0] == ids[torn]


def no_stale_answer(subject: Subject, case: Case) -> bool:
    """After training, answers are nearer to those of the new weights than to those of the old."""
    old, new, trained = case.network(), case.network(), case.network()
    negate(new)
    again = subject.draw_again(trained, case.rows(), negate, case).mean(-1)
    from_old, from_new = (again - subject.draw(network, case.rows(), case).mean(-1) for network in (old, new))
    return bool(from_new.norm() < from_old.norm())


def no_augmentation(subject: Subject, case: Case) -> bool:
    """The pool is scored as it is, not as training distorts it."""
    return torch.equal(subject.seen(case.rows(), Noise(), case), case.rows())


PROPERTIES: dict[str, Callable[[Subject, Case], bool]] = {
    "draws differ": draws_differ,
    "masks are shared": masks_are_shared,
    "ids map": ids_map,
    "uncertain first": uncertain_first,
    "no stale answer": no_stale_answer,
    "no augmentation": no_augmentation,
}


def negate(network: nn.Module) -> None:
    """Training that turned the first layer round."""
    for parameter in list(network.parameters())[:2]:
        parameter.data.mul_(-1)


class Noise(nn.Module):
    """Augmentation, in training mode."""

    def forward(self, rows: Tensor) -> Tensor:
        """Distorts while training."""
        return rows + 1.0 if self.training else rows


class LabelLoop:
    """Ours."""

    def draw(self, network: nn.Module, rows: Tensor, case: Case) -> Tensor:
        """Batch by batch through one committee of masks."""
        committee = MCDropout(network, mc_iterations=case.draws, seed=case.seed)
        with torch.inference_mode():
            return torch.cat([committee(tile) for tile in rows.split(case.batch)])

    def ask(self, logits_N_C_K: Tensor, ids: np.ndarray, case: Case) -> list[int]:
        """Through the scorer of a round, which is given a network that answers just so."""
        scorer = MCDropoutScorer(case.network(), mc_iterations=2, seed=0, keep_draws=False)
        scorer.mc_dropout = _Says()  # type: ignore[assignment]
        batches = zip(torch.from_numpy(ids).split(case.batch), logits_N_C_K.clone().split(case.batch), strict=True)
        pool_scores = gather([scorer.predict_step(batch, place) for place, batch in enumerate(batches)])
        return rank(pool_scores.sample_ids, pool_scores.scores[case.function], case.query, seed=case.seed).tolist()

    def draw_again(self, network: nn.Module, rows: Tensor, change: Callable[[nn.Module], None], case: Case) -> Tensor:
        """Each pass makes its committee from the weights as they are."""
        self.draw(network, rows, case)
        change(network)
        return self.draw(network, rows, case)

    def seen(self, rows: Tensor, noise: nn.Module, case: Case) -> Tensor:
        """What reaches the backbone, in training mode."""
        task = Classifier(
            prepare=PrepareFeatures(rows.shape[1]),
            augment=noise,
            backbone=nn.Sequential(),
            head=nn.Sequential(nn.Identity()),
            num_classes=max(2, case.classes),
            total_steps=1,
            learning_rate=1e-3,
            weight_decay=0.0,
            seed=0,
        )
        return task.train().network(rows)


class _Says(nn.Module):
    """Takes its rows for the logits."""

    def pieces(self, logits_N_C_K: Tensor) -> Iterator[Tensor]:
        """Two samples at a time."""
        return iter(logits_N_C_K.split(2))


class BaaL:
    """BaaL 1.9.2 as its documentation puts it together, with its cache."""

    def draw(self, network: nn.Module, rows: Tensor, case: Case) -> Tensor:
        """Replicated in memory."""
        torch.manual_seed(case.seed)
        wrapper = ModelWrapper(MCDropoutModule(copy.deepcopy(network)).eval(), nn.CrossEntropyLoss())
        return torch.cat([wrapper.predict_on_batch(tile, case.draws) for tile in rows.split(case.batch)])

    def ask(self, logits_N_C_K: Tensor, ids: np.ndarray, case: Case) -> list[int]:
        """Heuristics are given what the wrapper returned."""
        ranked = _BAAL[case.function]()(logits_N_C_K.numpy())
        return ids[np.asarray(ranked)[: case.query]].tolist()

    def draw_again(self, network: nn.Module, rows: Tensor, change: Callable[[nn.Module], None], case: Case) -> Tensor:
        """Each pass as in BaaL's example of its cache."""
        torch.manual_seed(case.seed)
        cached = MCCachingModule(MCDropoutModule(network)).eval()
        wrapper = ModelWrapper(cached, nn.CrossEntropyLoss(), replicate_in_memory=False)
        wrapper.predict_on_batch(rows, case.draws)
        change(network)
        torch.manual_seed(case.seed)
        return wrapper.predict_on_batch(rows, case.draws)

    def seen(self, rows: Tensor, noise: nn.Module, case: Case) -> Tensor:
        """The pool of the data set that training reads."""
        del case
        pool = ActiveLearningDataset(_Rows(rows, noise)).pool
        return torch.stack([pool[place][0] for place in range(len(rows))])


class LightningFlash(BaaL):
    """lightning-flash 0.8.2's task and data module, without a Trainer around them."""

    def draw(self, network: nn.Module, rows: Tensor, case: Case) -> Tensor:
        """Its own inference task."""
        torch.manual_seed(case.seed)
        task = InferenceMCDropoutTask(_Parent(copy.deepcopy(network)), case.draws).eval()
        return torch.cat([task.predict_step(tile, 0) for tile in rows.split(case.batch)])

    def ask(self, logits_N_C_K: Tensor, ids: np.ndarray, case: Case) -> list[int]:
        """Its own `label`, which is given the batches of predictions."""
        labeled: list[int] = []
        module = SimpleNamespace(
            heuristic=_BAAL[case.function](),
            query_size=case.query,
            _dataset=SimpleNamespace(label=lambda places: labeled.extend(np.asarray(places).tolist())),
        )
        ActiveLearningDataModule.label(module, probabilities=list(logits_N_C_K.split(case.batch)))
        return ids[labeled[::-1]].tolist()

    def draw_again(self, network: nn.Module, rows: Tensor, change: Callable[[nn.Module], None], case: Case) -> Tensor:
        """One inference task for the whole run, as in its loop."""
        torch.manual_seed(case.seed)
        parent = _Parent(network)
        task = InferenceMCDropoutTask(parent, case.draws).eval()
        task.predict_step(rows, 0)
        change(parent)
        return torch.cat([task.predict_step(tile, 0) for tile in rows.split(case.batch)])


class _Parent(nn.Module):
    """As much of a Flash task as its inference task uses."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network, self.trainer = network, None

    def predict_step(self, batch: Tensor, _batch_idx: int, dataloader_idx: int = 0) -> dict[str, Any]:
        """Logits."""
        del dataloader_idx
        return {"preds": self.network(batch)}


class _Rows(Dataset[tuple[Tensor, int]]):
    def __init__(self, rows: Tensor, transform: nn.Module) -> None:
        self._rows, self._transform = rows, transform

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, place: int) -> tuple[Tensor, int]:
        return self._transform(self._rows[place]), 0
