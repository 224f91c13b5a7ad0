"""Any module as a predictor: what it answers, how its answers may disagree, and what it sees before its last layer."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import torch
from lightning_utilities.core.rank_zero import rank_zero_warn
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn

from loops.acquisition.catalog import MARGIN
from loops.errors import AttachError, IdenticalDrawsError, NotFittedError
from loops.predictors.instant_head import InstantHead
from loops.predictors.logits import Logits, core_of, with_features
from loops.predictors.predictor import Description, Floats, Instant, Predictor
from loops.random_numbers import random_numbers_of
from loops.seeding import seed_of
from loops.uncertainty.drop_connect import SHARE, DropConnect
from loops.uncertainty.inputs import some_of, tensors_of
from loops.uncertainty.mc_dropout import MCDropout

SMALL = 1024  # numbers of an input, at most, that stands for itself in the cold start
CLOSE_TO_ONE = 1e-4  # logits whose sum is this near to it are hardly logits


class Inputs(Protocol):
    """Where the inputs of samples come from."""

    def inputs(self, sample_ids: ArrayLike, batch_size: int | None = None) -> Any:  # noqa: ANN401
        """What `forward` takes, batch by batch in the order of the ids."""
        ...


class ModulePredictor(Predictor):
    """The answering side of a predictor that is made of one or several fitted modules; subclasses fit them.

    One module draws by MC dropout, or by DropConnect where it has no dropout; of several each is a draw.

    Args:
        name: Of the module's class.
        untrained: The network as it was before any label.
        data: Gives inputs.
        seed: Of all that is drawn.
        mc_iterations: K.
        fold: Of a cross-validation.
        embedding: `[N, D]`, of samples 0 to N - 1; None: inputs or features of the untrained network.
    """

    def __init__(
        self,
        name: str,
        untrained: Logits,
        data: Inputs,
        *,
        seed: int,
        mc_iterations: int,
        fold: int | None = None,
        embedding: Floats | None = None,
    ) -> None:
        self.seed, self.mc_iterations = seed, mc_iterations
        self._run_seed = seed if fold is None else seed_of(seed, "fold", fold)
        self._name, self._data, self._untrained = name, data, untrained.eval()
        self._embedding = embedding
        self._rows: dict[int, NDArray[np.float32]] = {}  # embedded so far
        self._models: Sequence[Logits] = ()
        self._drawing: tuple[tuple[int, int], nn.Module] | None = None  # of (count, round)
        self.num_classes = self._classes()

    @property
    def models(self) -> Sequence[Logits]:
        """The fitted networks, in evaluation mode.

        Raises:
            NotFittedError: Before the first fit.
        """
        if not self._models:
            raise NotFittedError
        return self._models

    def take(self, models: Sequence[Logits]) -> None:
        """From now on these answer."""
        self._models, self._drawing = [model.eval() for model in models], None

    def describe(self) -> Description:
        """Its name, and what the person at the screen is told of it."""
        several = f"{len(self._models)} of them vote." if len(self._models) > 1 else ""
        return Description(self._name, f"{self._name} answers.", several, asks_by=MARGIN)

    @torch.no_grad()
    def predict(self, sample_ids: ArrayLike) -> Floats:
        """Class probabilities `probs_N_C`, dropout off; of several modules their mean vote."""
        return np.asarray(self._votes(sample_ids).mean(axis=-1, dtype=np.float64), np.float32)

    @torch.no_grad()
    def draws(self, sample_ids: ArrayLike, *, count: int, round_number: int) -> Floats:
        """`probs_N_C_K`: of K masks, the same for all samples of a round; of several modules each one's vote."""
        if len(self.models) > 1:
            return self._votes(sample_ids)
        return self._passed(sample_ids, lambda x: self._draw(x, count, round_number), count)

    @torch.no_grad()
    def features(self, sample_ids: ArrayLike) -> Floats:
        """What the last layer of the first module sees, `features_N_D`."""
        model = self.models[0]
        return _joined([with_features(model, x)[1] for x in self._data.inputs(sample_ids)])

    def instant(self, sample_ids: ArrayLike, *, round_number: int) -> Instant | None:
        """The last layer of the first module, refit on what it sees of these samples; None where it is not linear."""
        model = self.models[0]
        layer, _ = with_features(model, next(iter(self._data.inputs(np.asarray(sample_ids)[:1], 1))))
        if layer is None:
            return None
        shares = [module.p for module in model.modules() if isinstance(module, nn.Dropout) and module.p > 0]
        head = nn.Sequential(nn.Dropout(shares[-1] if shares else SHARE), copy.deepcopy(layer).cpu())
        return InstantHead(
            sample_ids,
            self.features(sample_ids),
            head,
            mc_iterations=self.mc_iterations,
            seed=seed_of(self._run_seed, "masks", round_number),
        )

    def embedding(self, sample_ids: ArrayLike) -> Floats:
        """`features_N_D` that no label had a part in: given ones, small inputs as they are, or untrained features."""
        ids = np.asarray(sample_ids, np.int64).reshape(-1)
        if self._embedding is not None:
            return np.asarray(self._embedding[ids])
        new = [i for i in ids.tolist() if i not in self._rows]
        if new:
            self._rows.update(zip(new, self._embedded(new), strict=True))
        return np.stack([self._rows[i] for i in ids.tolist()]) if len(ids) else np.empty((0, 1), np.float32)

    @torch.no_grad()
    def _embedded(self, sample_ids: list[int]) -> Floats:
        return _joined([_row_of(self._untrained, x) for x in self._data.inputs(sample_ids)])

    def _votes(self, sample_ids: ArrayLike) -> Floats:
        models = self.models
        return self._passed(sample_ids, lambda x: torch.stack([model(x) for model in models], dim=-1), len(models))

    def _passed(self, sample_ids: ArrayLike, answer: Any, count: int) -> Floats:  # noqa: ANN401
        """Softmax of what a function makes of each batch, `[N, C, K]`; what is drawn follows from the seed."""
        with random_numbers_of(seed_of(self._run_seed, "pass")):  # some modules draw in evaluation too
            tiles = [torch.softmax(answer(x).float(), dim=1) for x in self._data.inputs(sample_ids)]
        found = _joined(tiles) if tiles else np.empty((0, self.num_classes, count), np.float32)
        if not np.isfinite(found).all():
            raise AttachError(
                f"{self._name} answers NaN: its weights became so in the fit, as by a learning rate that is too high, "
                "or its inputs are"
            )
        return found

    def _draw(self, x: Any, count: int, round_number: int) -> Tensor:  # noqa: ANN401
        """Logits `[B, C, K]`."""
        if self._drawing is None or self._drawing[0] != (count, round_number):
            drawing = self._drawn_by(some_of(x, 0, 1), count, seed_of(self._run_seed, "masks", round_number))
            self._drawing = (count, round_number), drawing
        logits: Tensor = self._drawing[1](x)
        return logits

    def _drawn_by(self, one: Any, count: int, seed: int) -> nn.Module:  # noqa: ANN401
        model = core_of(self.models[0], one)
        try:
            dropout = MCDropout(model, mc_iterations=count, seed=seed)
            dropout(one)  # dropout called as a function is seen in a first pass only
        except IdenticalDrawsError:
            return DropConnect(model, mc_iterations=count, seed=seed)
        return dropout

    @torch.no_grad()
    def _classes(self) -> int:
        logits = self._untrained(next(iter(self._data.inputs([0], 1)))).float()
        if bool((logits >= 0).all()) and bool((logits.sum(dim=1) - 1).abs().max() < CLOSE_TO_ONE):
            rank_zero_warn(
                "forward() seems to give probabilities. They are taken for logits, so that every answer looks unsure: "
                "give logits=lambda p: p.clamp_min(1e-12).log(), or return what comes before the softmax."
            )
        return int(logits.shape[1])


def _row_of(network: Logits, x: Any) -> Tensor:  # noqa: ANN401
    tensors = tensors_of(x)
    flat = tensors[0].flatten(1)
    if len(tensors) == 1 and flat.is_floating_point() and flat.shape[1] <= SMALL:
        return flat
    return with_features(network, x)[1]


def _joined(tiles: Sequence[Tensor]) -> Floats:
    return np.asarray(torch.cat([tile.float().cpu() for tile in tiles]).numpy(), np.float32)
