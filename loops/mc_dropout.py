"""MC dropout over a whole pool: K fixed masks, drawn once from a seed and shared by all samples.

The K masks are K networks. What one network says of a sample depends on that sample alone: not on its batch, its
position or what was scored before. See docs/decisions/0002-mc-dropout-masks.md.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from loops.acquisition import ACQUISITION_FUNCTIONS
from loops.errors import IdenticalDrawsError
from loops.frozen import replace_layers
from loops.oracle import PoolScores
from loops.seeding import seed_of

KEEP_DRAWS_UP_TO = 20_000_000  # numbers N*C*K; 40 MB as float16
_TILE_NUMBERS = 1 << 23  # numbers held at once for the K copies of a tile: 32 MB as float32

_DROPOUTS = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d)


class FixedMasks(nn.Module):
    """Stands in for a dropout layer: the k-th of K passes always drops the same units.

    Args:
        p: Share of units dropped.
        whole_channels: As `nn.Dropout2d` does.
        mc_iterations: K.
        seed: Of the masks.
    """

    def __init__(self, p: float, *, whole_channels: bool, mc_iterations: int, seed: int) -> None:
        super().__init__()
        self._p, self._whole_channels = p, whole_channels
        self._mc_iterations, self._seed = mc_iterations, seed
        self._masks: dict[tuple[int, ...], Tensor] = {}

    def masks(self, shape: Sequence[int], device: torch.device) -> Tensor:
        """The K masks for samples of that shape, `[K, *shape]`, scaled as in training.

        Drawn on the CPU and then moved, so that another device scores with the same masks.
        """
        key = tuple(shape)
        if self._whole_channels:
            key = (key[0], *(1 for _ in key[1:]))
        if key not in self._masks:
            generator = torch.Generator().manual_seed(seed_of(self._seed, *key))
            kept = torch.rand((self._mc_iterations, *key), generator=generator) >= self._p
            self._masks[key] = kept.float() / (1 - self._p) if self._p < 1 else kept.float()
        self._masks[key] = self._masks[key].to(device)
        return self._masks[key]

    def forward(self, x: Tensor) -> Tensor:
        """Masks K stacked copies of a batch, `[K * B, ...]`."""
        x_K_B = x.reshape(self._mc_iterations, -1, *x.shape[1:])
        return (x_K_B * self.masks(x.shape[1:], x.device).unsqueeze(1)).reshape(x.shape)


class FoldedLinear(nn.Module):
    """Dropout and the linear layer behind it, as one matrix product for all K masks: `F (W * m_k)^T`.

    Takes a batch once, `[B, D]`, and returns the K stacked copies, `[K * B, out]`.
    """

    def __init__(self, masks: FixedMasks, linear: nn.Linear) -> None:
        super().__init__()
        self._masks, self._linear = masks, linear

    def forward(self, x: Tensor) -> Tensor:
        """Applies the K masked layers."""
        masks_K_D = self._masks.masks(x.shape[1:], x.device)
        weights = self._linear.weight.unsqueeze(0) * masks_K_D.unsqueeze(1)  # [K, out, D]
        out_B_KO = nn.functional.linear(x, weights.flatten(0, 1))
        out_B_K_O = out_B_KO.reshape(len(x), len(masks_K_D), -1)
        if self._linear.bias is not None:
            out_B_K_O = out_B_K_O + self._linear.bias
        return out_B_K_O.transpose(0, 1).flatten(0, 1)


def split_at_dropout(network: nn.Module) -> tuple[nn.Sequential, nn.Sequential]:
    """Splits a network into what no dropout touches, which need not be repeated, and the rest.

    Only a chain of `nn.Sequential` can be split; of anything else the whole network is the rest.

    Returns:
        The part before the first dropout, and the part from it on (empty: there is no dropout).
    """
    layers = _chain(network)
    first = next((i for i, layer in enumerate(layers) if _has_dropout(layer)), len(layers))
    return nn.Sequential(*layers[:first]), nn.Sequential(*layers[first:])


def _chain(network: nn.Module) -> list[nn.Module]:
    if type(network) is not nn.Sequential:
        return [network]
    return [layer for child in network for layer in _chain(child)]


def _has_dropout(module: nn.Module) -> bool:
    return any(isinstance(layer, _DROPOUTS) and layer.p > 0 for layer in module.modules())


def _with_fixed_masks(tail: nn.Sequential, mc_iterations: int, seed: int) -> nn.Sequential:
    counter = iter(range(10**9))

    def replacement(layer: nn.Module) -> nn.Module | None:
        if not isinstance(layer, _DROPOUTS):
            return None
        return FixedMasks(
            layer.p,
            whole_channels=not isinstance(layer, nn.Dropout),
            mc_iterations=mc_iterations,
            seed=seed_of(seed, "mask", next(counter)),
        )

    replace_layers(tail, replacement)
    return tail


def _fold(tail: nn.Sequential) -> tuple[FoldedLinear | None, nn.Sequential]:
    first, *rest = tail
    if isinstance(first, FixedMasks) and rest and isinstance(rest[0], nn.Linear):
        return FoldedLinear(first, rest[0]), nn.Sequential(*rest[1:])
    return None, tail


class MCDropout(nn.Module):
    """A network that answers K times: `[B, ...]` to logits `[B, C, K]`.

    The part before the first dropout runs once; only the rest runs K times, on all K copies at once. The given network
    is copied, not changed.

    Args:
        network: Ends in logits; with an `nn.Dropout*` anywhere.
        mc_iterations: K, at least 2.
        seed: Of the masks.

    Raises:
        IdenticalDrawsError: If the network has no dropout, for then all K answers would be one.
    """

    def __init__(self, network: nn.Module, *, mc_iterations: int, seed: int) -> None:
        super().__init__()
        if mc_iterations < 2:
            raise IdenticalDrawsError(f"{mc_iterations} MC iteration cannot disagree with itself; ask for at least 2")
        prefix, tail = split_at_dropout(copy.deepcopy(network))
        if not len(tail):
            raise IdenticalDrawsError("the network has no dropout layer")
        self.mc_iterations = mc_iterations
        self.prefix = prefix
        tail = _with_fixed_masks(tail, mc_iterations, seed)
        self.folded, self.tail = _fold(tail)
        self.eval()

    def train(self, _mode: bool = True) -> MCDropout:
        """Stays in evaluation mode: the masks are fixed, and batch statistics must not move while scoring."""
        super().train(False)
        return self

    def forward(self, x: Tensor) -> Tensor:
        """Logits `[B, C, K]`, in pieces whose K copies fit into a fixed amount of memory."""
        hidden = self.prefix(x)
        rows = max(1, _TILE_NUMBERS // (self.mc_iterations * max(1, hidden[0].numel())))
        return torch.cat([self._draw(piece) for piece in hidden.split(rows)])

    def _draw(self, hidden: Tensor) -> Tensor:
        if self.folded is not None:
            copies = self.folded(hidden)
        else:
            copies = hidden.unsqueeze(0).expand(self.mc_iterations, *hidden.shape).flatten(0, 1)
        logits: Tensor = self.tail(copies)
        return logits.reshape(self.mc_iterations, len(hidden), -1).permute(1, 2, 0)


class MCDropoutScorer(pl.LightningModule):
    """Scores a pool under `Trainer.predict`: batches of (sample ids, rows) to one dictionary of tensors each.

    Args:
        network: Evaluation transforms included, augmentation not.
        mc_iterations: K.
        seed: Of the masks.
        keep_draws: Whether to return all K answers, not only the scores.
    """

    def __init__(self, network: nn.Module, *, mc_iterations: int, seed: int, keep_draws: bool) -> None:
        super().__init__()
        self.mc_dropout = MCDropout(network, mc_iterations=mc_iterations, seed=seed)
        self._keep_draws = keep_draws

    def predict_step(self, batch: tuple[Tensor, Tensor], _batch_idx: int, _dataloader_idx: int = 0) -> dict[str, Any]:
        """Scores one batch on the device; only its results leave it."""
        sample_ids, rows = batch
        logits_N_C_K = self.mc_dropout(rows)
        probs_N_C_K = torch.softmax(logits_N_C_K, dim=1)
        return {
            "sample_ids": sample_ids,
            "scores": {name: function(probs_N_C_K) for name, function in ACQUISITION_FUNCTIONS.items()},
            "probs": probs_N_C_K.mean(-1),
            "draws": probs_N_C_K.half() if self._keep_draws else None,
            "differ": (logits_N_C_K != logits_N_C_K[..., :1]).any(),
        }


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
        scores={name: np.concatenate([t["scores"][name].numpy() for t in tiles]) for name in ACQUISITION_FUNCTIONS},
        probs_N_C=np.concatenate([tile["probs"].numpy() for tile in tiles]),
        draws_N_C_K=draws,
    )
