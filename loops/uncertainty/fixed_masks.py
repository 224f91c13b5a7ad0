"""Dropout that drops the same units in the k-th of K passes, for every sample of a pool."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from loops.errors import IdenticalDrawsError
from loops.seeding import seed_of

ALPHA_DROPOUTS = (nn.AlphaDropout, nn.FeatureAlphaDropout)
DROPOUTS = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, *ALPHA_DROPOUTS)
_WHOLE_CHANNELS: Mapping[Callable[..., Tensor], bool] = {
    functional.dropout: False,
    functional.dropout1d: True,
    functional.dropout2d: True,
    functional.dropout3d: True,
}


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
        self.p = p
        self.stacked = 0  # K * B of the first pass, if the batch may be in another place than the first
        self._time_first: bool | None = None
        self._whole_channels = whole_channels
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
            kept = torch.rand((self._mc_iterations, *key), generator=generator) >= self.p
            self._masks[key] = kept.float() / (1 - self.p) if self.p < 1 else kept.float()
        self._masks[key] = self._masks[key].to(device)
        return self._masks[key]

    def forward(self, x: Tensor) -> Tensor:
        """Masks K stacked copies of a batch, `[K * B, ...]`; `[T, K * B, ...]` where time comes first.

        Raises:
            IdenticalDrawsError: If the samples of the batch cannot be told apart.
        """
        if self._time_first is None:
            self._time_first = self._finds_time_first(x)
        return self._mask(x.transpose(0, 1)).transpose(0, 1) if self._time_first else self._mask(x)

    def _finds_time_first(self, x: Tensor) -> bool:
        if not self.stacked or len(x) % self.stacked == 0:
            return False
        if x.ndim > 1 and x.shape[1] == self.stacked:
            return True
        raise IdenticalDrawsError(f"dropout of a tensor {list(x.shape)} in which the samples cannot be told apart")

    def _mask(self, x: Tensor) -> Tensor:
        x_K_B = x.reshape(self._mc_iterations, -1, *x.shape[1:])
        masks = self.masks(x.shape[1:], x.device).unsqueeze(1).to(x.dtype)
        return (x_K_B * masks).reshape(x.shape)


class FixedAlphaMasks(FixedMasks):
    """As `nn.AlphaDropout` drops: to the lowest value of SELU, then scaled so that mean and variance stay."""

    _LOWEST = -1.7580993408473766  # what SELU tends to, and what Klambauer et al. 2017 (arXiv:1706.02515) drop to

    def _mask(self, x: Tensor) -> Tensor:
        x_K_B = x.reshape(self._mc_iterations, -1, *x.shape[1:])
        kept = (self.masks(x.shape[1:], x.device) > 0).unsqueeze(1)
        share, lowest = 1 - self.p, self._LOWEST
        scale = (share + lowest**2 * share * self.p) ** -0.5
        dropped = torch.where(kept, x_K_B, torch.full_like(x_K_B, lowest))
        out: Tensor = (scale * dropped - scale * self.p * lowest).reshape(x.shape)
        return out


class FoldedLinear(nn.Module):
    """Dropout and the linear layer behind it, as one matrix product for all K masks: `F (W * m_k)^T`.

    Takes a batch once, `[B, D]`, and returns `[B, out, K]`. The masked weights are made anew for each tile, which costs
    a thousandth of the product: there is no cache that could be stale.
    """

    def __init__(self, masks: FixedMasks, linear: nn.Linear) -> None:
        super().__init__()
        self._masks, self._linear = masks, linear

    def forward(self, x: Tensor) -> Tensor:
        """Applies the K masked layers."""
        masks_K_D = self._masks.masks(x.shape[1:], x.device)
        weights_O_K_D = self._linear.weight.unsqueeze(1) * masks_K_D
        bias = self._linear.bias
        bias_OK = None if bias is None else bias.repeat_interleave(len(masks_K_D))
        return functional.linear(x, weights_O_K_D.flatten(0, 1), bias_OK).reshape(len(x), -1, len(masks_K_D))


class FunctionalMasks(TorchFunctionMode):
    """While it is active, `torch.nn.functional.dropout` masks as `FixedMasks` does, in evaluation mode too.

    The n-th call of a pass is taken for the n-th dropout of the network. `FixedMasks` themselves do not call it.

    Args:
        make: Makes the masks of the n-th call, from (n, p, whole channels).
    """

    def __init__(self, make: Callable[[int, float, bool], FixedMasks]) -> None:
        super().__init__()
        self._make = make
        self._known: list[FixedMasks] = []
        self._stacked = 0
        self.calls = 0

    def begin(self, stacked: int) -> None:
        """Says that a pass over K * B copies begins."""
        self._stacked, self.calls = stacked, 0

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401 - torch's own signature
        """Masks instead of dropping; lets all else through."""
        del types
        options = dict(kwargs or {})
        if func not in _WHOLE_CHANNELS:
            return func(*args, **options)
        x, p = _input_and_share(*args, **options)
        if p == 0:
            return x
        if self.calls == len(self._known):
            self._known.append(self._make(self.calls, p, _WHOLE_CHANNELS[func]))
        masks = self._known[self.calls]
        masks.stacked = self._stacked
        self.calls += 1
        return masks(x)


def _input_and_share(input: Tensor, p: float = 0.5, *_args: Any, **_options: Any) -> tuple[Tensor, float]:  # noqa: A002, ANN401 - torch's names
    return input, p


class _Reached(Exception):  # noqa: N818 - no error: what was looked for
    """A dropout has been reached."""


def without_dropout(layer: nn.Module, x: Tensor) -> Tensor | None:
    """What a layer makes of `x`; None if a pass comes through `FixedMasks` or a dropout called as a function."""

    def reached(*_: object) -> NoReturn:
        raise _Reached

    hooks = [m.register_forward_pre_hook(reached) for m in layer.modules() if isinstance(m, FixedMasks)]
    try:
        with FunctionalMasks(reached):
            return layer(x)  # type: ignore[no-any-return]
    except _Reached:
        return None
    finally:
        for hook in hooks:
            hook.remove()
