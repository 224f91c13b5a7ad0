"""Where a network's dropout begins: what stands before it need not be repeated."""

from __future__ import annotations

from torch import nn

from loops.uncertainty.fixed_masks import DROPOUTS
from loops.uncertainty.hidden_dropout import hides_dropout


def split_at_dropout(network: nn.Module) -> tuple[nn.Sequential, nn.Sequential]:
    """Splits a network into what no dropout touches, which need not be repeated, and the rest.

    Only a chain of `nn.Sequential` can be split; of anything else the whole network is the rest.

    Returns:
        The part before the first dropout, and the part from it on (empty: there is no dropout).
    """
    layers = _chain(network)
    first = next((i for i, layer in enumerate(layers) if _may_drop(layer)), len(layers))
    return nn.Sequential(*layers[:first]), nn.Sequential(*layers[first:])


def _chain(network: nn.Module) -> list[nn.Module]:
    if type(network) is not nn.Sequential:
        return [network]
    return [layer for child in network for layer in _chain(child)]


def _may_drop(layer: nn.Module) -> bool:
    """Whether it has a dropout layer, or code of somebody else's that may call dropout as a function."""
    return any(
        (isinstance(module, DROPOUTS) and module.p > 0) or hides_dropout(module) or not is_known(module)
        for module in layer.modules()
    )


def is_known(module: nn.Module) -> bool:
    """Whether its `forward` is torch's or ours, and so calls no dropout function unless it is a dropout layer."""
    return type(module).__module__.startswith(("torch.nn.", "loops."))
