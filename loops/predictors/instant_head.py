"""The instant head: between rounds, a round's last layer refit on a few labels more, which answers and draws anew.

A round trains the whole network; what it computes before its last layer stays as it is until the next round, so it is
computed once. The layer itself is refit and asked again in a blink. See docs/decisions/0008-instant-head.md.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric  # type: ignore[import-untyped]
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn

from loops.errors import IdenticalDrawsError, MissingFeaturesError
from loops.fit import FitLoop, TrainingEpochLoop
from loops.uncertainty.dropout_split import split_at_dropout
from loops.uncertainty.mc_dropout import MCDropout

MAX_STEPS = 3  # optimizer steps of a refit; L-BFGS converges after one or two, and the rest cost nothing
ITERATIONS = 10  # of L-BFGS in one step, at most
PRECISION = 1.0  # of the prior around the round's weights, for features of mean square 1
_TILE = 1024  # samples scored at once: 5 MB of 1,280 features stay in the cache, a copy of all took as long as scoring


def split_at_last_layer(network: nn.Module) -> tuple[nn.Sequential, nn.Sequential]:
    """Splits a round's network into what is computed once, dropout off, and its head: dropout and a linear layer.

    Args:
        network: `Classifier.network` of either predictor.

    Raises:
        IdenticalDrawsError: If it does not end in a linear layer behind dropout.
    """
    before_dropout, rest = split_at_dropout(network)
    layers = [*before_dropout, *rest]
    if len(layers) < 2 or not isinstance(layers[-2], nn.Dropout) or not isinstance(layers[-1], nn.Linear):
        raise IdenticalDrawsError("the network does not end in dropout and a linear layer")
    return nn.Sequential(*layers[:-2]).eval(), nn.Sequential(*layers[-2:])


class InstantHead:
    """A round's last layer over cached features: `refit` on all labels, then asked for its answers and draws.

    Multinomial logistic regression with a Gaussian prior around the round's own weights (dropout in training is, to
    first order, such a ridge: Wager et al. 2013, arXiv:1307.1493): the more the new labels contradict the round's
    model, the further the layer moves. Draws are those of a round: MC dropout with K fixed masks.

    Each refit starts from the round's weights, so the ranking is a function of the labels to the last bit, in whatever
    order and portions they came and whatever else is ranked: an undone label undoes its ranking, and a trainer that was
    killed finds the same.

    Args:
        sample_ids: `[N]`, all that may be labeled or ranked until the next round.
        features_N_D: Of each, what `split_at_last_layer`'s first part makes of its row; float32. Held once.
        head: The second part; copied.
        mc_iterations: K.
        seed: Of the masks.
        accelerator: `auto` (a GPU when there is one) or `cpu`.
    """

    asks_of_whole_pool = False

    def __init__(
        self,
        sample_ids: ArrayLike,
        features_N_D: NDArray[np.float32],
        head: nn.Sequential,
        *,
        mc_iterations: int = 20,
        seed: int = 0,
        accelerator: str = "auto",
    ) -> None:
        self._fabric = Fabric(accelerator=accelerator, devices=1)
        self._position_of = {int(sample_id): i for i, sample_id in enumerate(np.asarray(sample_ids, np.int64))}
        self._features_N_D: Tensor = self._fabric.to_device(torch.from_numpy(features_N_D))
        self._round: nn.Sequential = self._fabric.to_device(copy.deepcopy(head)).eval()
        self._head = copy.deepcopy(self._round)
        self._mc_iterations, self._seed = mc_iterations, seed

    def missing(self, sample_ids: ArrayLike) -> list[int]:
        """Those samples whose features it was not given."""
        ids = np.asarray(sample_ids, np.int64).tolist()
        return [sample_id for sample_id in ids if sample_id not in self._position_of]

    def refit(self, labels: Mapping[int, int]) -> None:
        """Fits the layer to all labels, those of the round and those since.

        Args:
            labels: Sample id -> class index. Classes that were added since the round are left to the next one. Without
                any the layer is the round's.

        Raises:
            MissingFeaturesError: If a labeled sample was not given at the start.
        """
        known = {sample_id: labels[sample_id] for sample_id in sorted(labels) if labels[sample_id] < self.num_classes}
        head = copy.deepcopy(self._round)
        if known:
            self._fit(head, self._features_N_D[self._positions(list(known))], torch.tensor(list(known.values())))
        self._head = head

    @torch.no_grad()
    def predict(self, sample_ids: ArrayLike) -> NDArray[np.float32]:
        """Class probabilities `probs_N_C`, dropout off.

        Raises:
            MissingFeaturesError: If a sample was not given at the start.
        """
        positions_N = self._positions(np.asarray(sample_ids, np.int64).reshape(-1).tolist())
        return torch.softmax(self._head(self._features_N_D[positions_N]), dim=1).cpu().numpy()

    @torch.no_grad()
    def draws(self, sample_ids: ArrayLike) -> NDArray[np.float32]:
        """Class probabilities of K masks, `probs_N_C_K`, in the order of `sample_ids`.

        Raises:
            MissingFeaturesError: If a sample was not given at the start.
        """
        positions_N = self._positions(np.asarray(sample_ids, np.int64).reshape(-1).tolist())
        if not len(positions_N):
            return np.empty((0, self.num_classes, self._mc_iterations), np.float32)
        committee = MCDropout(self._head, mc_iterations=self._mc_iterations, seed=self._seed)
        tiles = (committee(self._features_N_D[positions]) for positions in torch.split(positions_N, _TILE))
        return torch.cat([torch.softmax(logits_B_C_K, dim=1) for logits_B_C_K in tiles]).cpu().numpy()

    def questions(self, _sample_ids: NDArray[np.int64], _size: int, *, coverage: bool) -> None:
        """It has none of its own: an acquisition function decides."""

    @property
    def num_classes(self) -> int:
        """C, of the round."""
        return int(self._round[-1].out_features)  # type: ignore[arg-type]

    def state_dict(self) -> dict[str, Any]:
        """The layer as it is now, and the round's, from which it is refit; plain tensors."""
        return {"head": copy.deepcopy(self._head.state_dict()), "round": copy.deepcopy(self._round.state_dict())}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Ranks, and refits, as the head did that `state_dict` was asked of."""
        self._head.load_state_dict(state_dict["head"])
        self._round.load_state_dict(state_dict["round"])

    def _positions(self, sample_ids: list[int]) -> Tensor:
        missing = self.missing(sample_ids)
        if missing:
            raise MissingFeaturesError(missing)
        positions = torch.tensor([self._position_of[sample_id] for sample_id in sample_ids], dtype=torch.long)
        return positions.to(self._fabric.device)

    def _fit(self, head: nn.Sequential, features_B_D: Tensor, labels_B: Tensor) -> None:
        precision = PRECISION * float(features_B_D.square().mean())

        def loss(model: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
            return negative_log_posterior(model, batch, around=self._round, precision=precision)

        epoch_loop = TrainingEpochLoop(
            self._fabric,
            model=head,
            optimizer=torch.optim.LBFGS(head.parameters(), max_iter=ITERATIONS, line_search_fn="strong_wolfe"),
            dataloader=[(features_B_D, labels_B)],
            loss=loss,
            seed=None,
        )
        FitLoop(epoch_loop, max_epochs=MAX_STEPS).run()


def negative_log_posterior(
    head: nn.Module, batch: tuple[Tensor, Tensor], *, around: nn.Module, precision: float
) -> Tensor:
    """Mean cross entropy of a batch, and the Gaussian prior around the weights of another head; convex.

    Args:
        head: Dropout off.
        batch: Features `[B, D]` and class indices `[B]`: all labels.
        around: Where the prior has its mean.
        precision: Of the prior, one over the variance of each weight.
    """
    features_B_D, labels_B = batch
    with_means = zip(head.parameters(), around.parameters(), strict=True)
    distance = torch.stack([(weights - mean.detach()).square().sum() for weights, mean in with_means]).sum()
    return nn.functional.cross_entropy(head(features_B_D), labels_B) + 0.5 * precision * distance / len(labels_B)
