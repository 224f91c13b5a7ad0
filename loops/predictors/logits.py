"""Any module as a network from inputs to logits: what it returns, and what its last layer sees."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from loops.errors import AttachError
from loops.module_state import copied

LogitsOf = str | int | Callable[[Any], Tensor] | None  # a key, a place, or a function of what `forward` returns
_ONE_LOGIT = "; where one number tells two classes apart, logits=lambda z: torch.stack([0 * z, z], -1).reshape(-1, 2)"
_KEYS = ("logits", "preds")  # of a dictionary or an output object: Hugging Face's, Flash's


class Logits(nn.Module):
    """A module's `forward`, and of what it returns the logits: `[B, ...]` to `[B, C]`.

    Args:
        module: Takes what `loops.training_samples.inputs_of` gives of a batch; a dictionary as keywords,
            unless its `forward` has no arguments of these names.
        logits: Where in its output they are; None: the output itself, its `logits` or `preds`, or its first part.
    """

    def __init__(self, module: nn.Module, logits: LogitsOf = None) -> None:
        super().__init__()
        self.module = module
        self._logits = logits

    def forward(self, x: Any) -> Tensor:  # noqa: ANN401
        """Logits `[B, C]`; of other shapes `[B, C, ...]` nothing is known.

        Raises:
            AttachError: If there are none to be found, or a single one for each sample.
        """
        output = self._output_of(x)
        logits = logits_of(output, self._logits)
        if not isinstance(logits, Tensor) or logits.ndim != 2 or logits.shape[1] < 2:
            found = f"shape {list(logits.shape)}" if isinstance(logits, Tensor) else f"a {type(logits).__name__}"
            hint = _ONE_LOGIT if isinstance(logits, Tensor) and logits.numel() == len(logits) else ""
            raise AttachError(
                f"forward() must give logits, a row of one number per class for each sample; found {found}{hint}"
            )
        return logits

    def _output_of(self, x: Any) -> Any:  # noqa: ANN401
        if isinstance(x, Mapping) and _takes(self.module, x):
            return self.module(**x)
        try:
            return self.module(x)
        except TypeError as error:
            wanted = inspect.signature(self.module.forward)
            if not _binds(wanted, x):
                raise AttachError(
                    f"forward{wanted} must give logits of the inputs alone; give what else it takes a default, and "
                    "return the logits without it"
                ) from error
            raise

    def __deepcopy__(self, memo: dict[int, Any]) -> Logits:
        """A copy of all weights that leaves the Trainer, which a `LightningModule` knows, where it is."""
        return Logits(copied(self.module, memo), self._logits)


def _takes(module: nn.Module, keywords: Mapping[Any, Any]) -> bool:
    """Whether `forward` has arguments of these names; otherwise it wants the dictionary itself."""
    return _binds(inspect.signature(module.forward), **keywords)


def _binds(signature: inspect.Signature, *values: Any, **keywords: Any) -> bool:  # noqa: ANN401
    try:
        signature.bind(*values, **keywords)
    except TypeError:
        return False
    return True


def _content(output: Any) -> str:  # noqa: ANN401
    kind = type(output).__name__
    return f"{kind} with {', '.join(map(str, output))}" if isinstance(output, Mapping) else kind


def logits_of(output: Any, where: LogitsOf = None) -> Any:  # noqa: ANN401
    """The logits in what `forward` returned.

    Raises:
        AttachError: If there is nothing under that key or at that place.
    """
    if callable(where):
        return where(output)
    if where is not None:
        try:
            return output[where]
        except (KeyError, IndexError, TypeError) as error:
            raise AttachError(f"logits={where!r} is nowhere in what forward() gives, a {_content(output)}") from error
    if isinstance(output, Tensor):
        return output
    for key in _KEYS:
        if isinstance(output, Mapping) and key in output:
            return output[key]
        if hasattr(output, key):
            return getattr(output, key)
    return output[0] if isinstance(output, list | tuple) and output else output


@torch.no_grad()
def core_of(network: Logits, x: Any) -> nn.Module:  # noqa: ANN401
    """The layer, at any depth, that is given `x` and gives the logits, with nothing done before or after it.

    Most modules hand their input to one `nn.Sequential`; of that the part before the dropout need not run K times.
    """
    core: nn.Module = network
    while True:
        passed: list[tuple[nn.Module, Any]] = []

        def look(layer: nn.Module, inputs: Any, output: Any, passed: list[tuple[nn.Module, Any]] = passed) -> None:  # noqa: ANN401
            if len(inputs) == 1 and inputs[0] is x and output is not x:
                passed.append((layer, output))

        layers = [
            child for child in core.children() if not isinstance(child, torch.jit.ScriptModule)
        ]  # it takes no hook
        hooks = [layer.register_forward_hook(look) for layer in layers]
        try:
            result = core(x)
        finally:
            for hook in hooks:
                hook.remove()
        same = [child for child, output in passed if output is result]
        if type(core) is nn.Sequential or len(same) != 1:
            return core
        core = same[0]


@torch.no_grad()
def with_features(network: Logits, x: Any) -> tuple[nn.Linear | None, Tensor]:  # noqa: ANN401
    """The linear layer that gave the logits and what it was given, `[B, D]`; without one None and the logits.

    Found by looking on: the last linear layer that runs and has as many outputs as there are classes.
    """
    seen: list[tuple[nn.Linear, Tensor]] = []

    def look(layer: nn.Linear, inputs: tuple[Tensor, ...], _output: Tensor) -> None:
        seen.append((layer, inputs[0]))

    linear = [layer for layer in network.modules() if isinstance(layer, nn.Linear)]
    hooks = [layer.register_forward_hook(look) for layer in linear]
    try:
        logits = network(x)
    finally:
        for hook in hooks:
            hook.remove()
    for layer, features in reversed(seen):
        if layer.out_features == logits.shape[1] and len(features) == len(logits):
            return layer, features.flatten(1)
    return None, logits
