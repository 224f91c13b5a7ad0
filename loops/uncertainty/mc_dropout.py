"""MC dropout over a whole pool: K fixed masks, drawn once from a seed and shared by all samples.

The K masks are K networks. What one network says of a sample depends on that sample alone: not on its batch, its
position or what was scored before. See docs/decisions/0002-mc-dropout-masks.md.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import cache
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from loops.acquisition.functions import score_draws
from loops.errors import IdenticalDrawsError
from loops.frozen import replace_layers
from loops.module_state import copied
from loops.oracle import PoolScores
from loops.seeding import seed_of
from loops.uncertainty.closed_form import ClosedForm, has_closed_form
from loops.uncertainty.dropout_split import is_known, split_at_dropout
from loops.uncertainty.fixed_masks import (
    ALPHA_DROPOUTS,
    DROPOUTS,
    FixedAlphaMasks,
    FixedMasks,
    FoldedLinear,
    FunctionalMasks,
    without_dropout,
)
from loops.uncertainty.hidden_dropout import drawn, layer_by_layer
from loops.uncertainty.inputs import device_of, repeated, samples_of, some_of, split, stacked
from loops.uncertainty.precision import half_precision

_TILE_NUMBERS = 1 << 21  # numbers in the widest layer of the K copies of a tile: 8 MB as float32
_PROBES = 7

_log = logging.getLogger(__name__)


@cache
def say_that_all_of_it_is_repeated(network: str, mc_iterations: int) -> None:
    """Once in a process, not in each round: the answer is the same, it takes longer."""
    sentence = (
        "%s calls its layers by code of its own: each of the %d draws runs all of it; "
        "of a torch.nn.Sequential it would be what follows the first dropout"
    )
    _log.warning(sentence, network, mc_iterations)


class MCDropout(nn.Module):
    """A network that answers K times: `[B, ...]` to logits `[B, C, K]`.

    The part before the first dropout runs once; only the rest runs K times, on all K copies at once, in tiles of a
    fixed size. A layer of somebody else's that drops somewhere inside is repeated as a whole, and the log says so. The
    given network is copied, not changed. Where every layer is torch's, and the processor or GPU has it, products are
    computed in bfloat16; logits come out as float32.

    Seen are torch's dropout layers, alpha dropout, the dropout inside its recurrent layers and attention, and calls of
    `torch.nn.functional.dropout*`. Not seen is what a network drops by a function of its own, in training only.

    Args:
        network: Ends in logits; with dropout anywhere.
        mc_iterations: K, at least 2.
        seed: Of the masks.

    Raises:
        IdenticalDrawsError: If the network has no dropout, for then all K answers would be one.
    """

    def __init__(self, network: nn.Module, *, mc_iterations: int, seed: int) -> None:
        super().__init__()
        if mc_iterations < 2:
            raise IdenticalDrawsError(f"{mc_iterations} MC iteration cannot disagree with itself; ask for at least 2")
        self.prefix, self.tail = split_at_dropout(copied(network))
        if not len(self.tail):
            raise IdenticalDrawsError("the network has no dropout layer")
        self.mc_iterations, self._seed = mc_iterations, seed
        self._replace_dropout(self.tail)
        # Somebody else's code may not bear bfloat16 where it expects float32.
        self._may_halve = all(map(is_known, self.modules()))
        self.folded: FoldedLinear | None = None
        self._functional: FunctionalMasks | None = None
        self._rows = 0  # of a tile; known, like what stands above, from the first batch on
        self.eval()

    def train(self, _mode: bool = True) -> MCDropout:
        """Stays in evaluation mode: the masks are fixed, and batch statistics must not move while scoring."""
        super().train(False)
        return self

    def forward(self, x: Any) -> Tensor:  # noqa: ANN401
        """Logits `[B, C, K]`."""
        return torch.cat(list(self.pieces(x)))

    def pieces(self, x: Any) -> Iterator[Tensor]:  # noqa: ANN401
        """Logits, in pieces of the batch whose K copies fit into a fixed amount of memory.

        Args:
            x: A tensor, or a dictionary, list or tuple of tensors, as the network takes it.
        """
        device = device_of(x)
        with self._computing(device):
            if not self._rows:
                self._begin(some_of(x, 0, 1))
            pieces = split(self.prefix(x), self._rows)
        for piece in pieces:
            with self._computing(device):
                logits = self._draw(piece)
            yield logits.float()

    @contextmanager
    def _computing(self, device: torch.device) -> Iterator[None]:
        halved = half_precision(device) if self._may_halve else nullcontext()
        with layer_by_layer(), halved:
            yield

    def _begin(self, one: Any) -> None:  # noqa: ANN401
        """Moves to the prefix what may drop and, as one sample shows, does not; then looks how large a tile can be."""
        hidden, layers = self.prefix(one), list(self.tail)
        while layers and (passed := without_dropout(layers[0], hidden)) is not None:
            hidden = passed
            self.prefix.append(layers.pop(0))
        if not layers:
            raise IdenticalDrawsError("the network has no dropout layer and calls no dropout")
        if not isinstance(layers[0], FixedMasks):
            name = type(getattr(layers[0], "module", layers[0])).__name__
            say_that_all_of_it_is_repeated(name, self.mc_iterations)
        self.folded, self.tail = _fold(layers)
        if all(map(is_known, self.modules())):
            self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # convolutions take half the time
        if not all(map(is_known, self.tail.modules())):
            self._functional = FunctionalMasks(self._masks_of_call)
        self._rows = self._rows_of_a_tile(hidden)

    def _draw(self, hidden: Any) -> Tensor:  # noqa: ANN401
        if self.folded is not None:
            out_B_O_K = self.folded(hidden)
            if not len(self.tail):
                return out_B_O_K  # type: ignore[no-any-return]
            copies = out_B_O_K.permute(2, 0, 1).flatten(0, 1)
        else:
            copies = stacked(hidden, self.mc_iterations)
        return self._tail(copies).reshape(self.mc_iterations, samples_of(hidden), -1).permute(1, 2, 0)

    def _tail(self, copies: Any) -> Tensor:  # noqa: ANN401
        for layer in self.tail.modules():
            if isinstance(layer, FixedMasks):
                layer.stacked = samples_of(copies)
        if self._functional is None:
            return self.tail(copies)  # type: ignore[no-any-return]
        self._functional.begin(samples_of(copies))
        with self._functional:
            logits: Tensor = self.tail(copies)
        return logits

    def _rows_of_a_tile(self, one: Any) -> int:  # noqa: ANN401
        """How many samples fit, found by passing a few through and looking at their widest layer.

        A prime number of them, so that no layer takes their number for another of its dimensions.
        """
        widest = _PROBES * self.mc_iterations

        def look(_layer: nn.Module, _inputs: Any, output: Any) -> None:  # noqa: ANN401 - hooks are of any layer
            nonlocal widest
            widest = max(widest, output.numel() if isinstance(output, Tensor) else 0)

        hooks = [layer.register_forward_hook(look) for layer in self.modules() if layer is not self]
        self._draw(repeated(one, _PROBES))
        for hook in hooks:
            hook.remove()
        return max(1, _TILE_NUMBERS * _PROBES // widest)

    def _masks_of_call(self, call: int, p: float, whole_channels: bool) -> FixedMasks:
        seed = seed_of(self._seed, "call", call)
        return FixedMasks(p, whole_channels=whole_channels, mc_iterations=self.mc_iterations, seed=seed)

    def _replace_dropout(self, tail: nn.Sequential) -> None:
        counter = iter(range(10**9))

        def masks(p: float, kind: type[FixedMasks] = FixedMasks, *, whole_channels: bool = False) -> FixedMasks:
            seed = seed_of(self._seed, "mask", next(counter))
            return kind(p, whole_channels=whole_channels, mc_iterations=self.mc_iterations, seed=seed)

        def replacement(layer: nn.Module) -> nn.Module | None:
            if not isinstance(layer, DROPOUTS):
                return drawn(layer, masks)
            kind = FixedAlphaMasks if isinstance(layer, ALPHA_DROPOUTS) else FixedMasks
            return masks(layer.p, kind, whole_channels=not isinstance(layer, nn.Dropout | nn.AlphaDropout))

        replace_layers(tail, replacement)


def _fold(tail: Sequence[nn.Module]) -> tuple[FoldedLinear | None, nn.Sequential]:
    first, *rest = tail
    if type(first) is FixedMasks and rest and isinstance(rest[0], nn.Linear):
        return FoldedLinear(first, rest[0]), nn.Sequential(*rest[1:])
    return None, nn.Sequential(*tail)


class MCDropoutScorer(pl.LightningModule):
    """Scores a pool under `Trainer.predict`: batches of (sample ids, rows) to one dictionary of tensors each.

    Where there is a linear layer behind the only dropout, the scores are those of infinitely many masks (`ClosedForm`).

    Args:
        network: Evaluation transforms included, augmentation not.
        mc_iterations: K; in closed form, how many of its draws are returned.
        seed: Of the masks.
        keep_draws: Whether to return all K answers, not only the scores.
        closed_form: Whether to use the closed form where there is one.
    """

    def __init__(
        self, network: nn.Module, *, mc_iterations: int, seed: int, keep_draws: bool, closed_form: bool = False
    ) -> None:
        super().__init__()
        self._mc_iterations = mc_iterations
        self._keep_draws = keep_draws
        self._workspace = torch.empty(0)
        self.mc_dropout: MCDropout | ClosedForm
        if closed_form and has_closed_form(network):
            self.mc_dropout = ClosedForm(network)
        else:
            self.mc_dropout = MCDropout(network, mc_iterations=mc_iterations, seed=seed)

    @torch.no_grad()
    def predict_step(self, batch: tuple[Tensor, Tensor], _batch_idx: int, _dataloader_idx: int = 0) -> dict[str, Any]:
        """Scores one batch, tile by tile, on the device; only results leave it, and nothing waits for them before."""
        sample_ids, rows = batch
        tiles = [self._scored(logits_B_C_K) for logits_B_C_K in self.mc_dropout.pieces(rows)]
        draws = [tile["draws"] for tile in tiles]
        return {
            "sample_ids": sample_ids,
            "scores": {name: torch.cat([tile["scores"][name] for tile in tiles]) for name in tiles[0]["scores"]},
            "probs": torch.cat([tile["probs"] for tile in tiles]),
            "draws": torch.cat(draws) if self._keep_draws else None,
            "differ": torch.stack([tile["differ"] for tile in tiles]).any(),
        }

    def _scored(self, logits_B_C_K: Tensor) -> dict[str, Any]:
        if self._workspace.shape != logits_B_C_K.shape:
            self._workspace = torch.empty_like(logits_B_C_K)
        differ = torch.ne(logits_B_C_K[..., 1:], logits_B_C_K[..., :1]).any()
        draws = torch.softmax(logits_B_C_K[..., : self._mc_iterations], dim=1).half() if self._keep_draws else None
        probs_B_C, scores = score_draws(logits_B_C_K, self._workspace)
        return {"scores": scores, "probs": probs_B_C, "draws": draws, "differ": differ}


def gather(tiles: Sequence[dict[str, Any]]) -> PoolScores:
    """Joins the scored tiles of one pass.

    Args:
        tiles: What `MCDropoutScorer.predict_step` returned, at least one.

    Raises:
        IdenticalDrawsError: If no draw of the whole pass differs from another.
    """
    if not any(bool(tile["differ"]) for tile in tiles):
        raise IdenticalDrawsError("all draws of the whole pool are identical")
    draws = None if tiles[0]["draws"] is None else np.concatenate([tile["draws"].numpy() for tile in tiles])
    return PoolScores(
        sample_ids=np.concatenate([tile["sample_ids"].numpy() for tile in tiles]),
        scores={name: np.concatenate([t["scores"][name].numpy() for t in tiles]) for name in tiles[0]["scores"]},
        probs_N_C=np.concatenate([tile["probs"].numpy() for tile in tiles]),
        draws_N_C_K=draws,
    )
