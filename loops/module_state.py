"""What a module holds at some moment, and how it is given back: weights, buffers of any shape, and extra state."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any

import pytorch_lightning as pl
from torch import Tensor, nn

from loops.errors import AttachError
from loops.lightning_private import trainer_of

State = dict[str, Any]  # tensors, and whatever `get_extra_state` gives


def state_of(module: nn.Module) -> State:
    """A module's `state_dict`, as a copy that training does not change."""
    return copied_state(module.state_dict())


def copied_state(state: State) -> State:
    """A copy of a state; extra state may be anything."""
    return {name: _copied(value) for name, value in state.items()}


def unsaved_of(module: nn.Module) -> State:
    """A copy of the buffers that no checkpoint holds, those with `persistent=False`."""
    saved = module.state_dict()
    return {name: _copied(buffer) for name, buffer in _buffers(module).items() if name not in saved}


def give(module: nn.Module, state: State, unsaved: State | None = None) -> None:
    """Loads a state that `state_of` gave, into buffers of other shapes too, which torch alone refuses.

    Args:
        module: The very one, or a copy.
        state: Stays as it is: a module may keep, and change, the extra state that it is given.
        unsaved: What `unsaved_of` gave; None leaves such buffers as they are.

    Raises:
        AttachError: If layers were added, taken away or made otherwise, as by pruning that is not made permanent.
    """
    saved = module.state_dict()
    wanted = state if unsaved is None else state | unsaved
    for name, buffer in _buffers(module).items():
        if name in saved or unsaved is not None:
            if name not in wanted:
                _put(module, name, None)
            elif wanted[name].shape != buffer.shape:
                _put(module, name, wanted[name].to(buffer.device, copy=True))
            elif name not in saved:
                buffer.copy_(wanted[name])
    for name in wanted.keys() - saved.keys() - _buffers(module).keys():
        _put(module, name, _copied(wanted[name]))
    try:
        module.load_state_dict(copied_state(state))
    except RuntimeError as error:
        raise AttachError(
            f"the layers of {type(module).__name__} are no longer those that it began with, so that no fit can begin "
            f"anew: {' '.join(str(error).split())}"
        ) from error


def _buffers(module: nn.Module) -> dict[str, Tensor]:
    return dict(module.named_buffers(remove_duplicate=False))  # one tensor may be under two names


def copied(module: nn.Module, memo: dict[int, Any] | None = None) -> nn.Module:
    """A deep copy of a module without a copy of its Trainer, or of graphs that its training step has left behind."""
    memo = {} if memo is None else memo
    for part in module.modules():
        for tensor in _in_graphs(list(vars(part).values())):
            memo[id(tensor)] = tensor.detach().clone()  # weight norm keeps one, and torch copies none
        trainer = trainer_of(part) if isinstance(part, pl.LightningModule) else None
        if trainer is not None:
            memo[id(trainer)] = trainer
    try:
        return copy.deepcopy(module, dict(memo))
    except TypeError:  # it keeps an open file, a lock or a generator
        return copy.deepcopy(module, memo | _uncopied(module, memo))


def _uncopied(module: nn.Module, memo: dict[int, Any]) -> dict[int, Any]:
    """What cannot be copied among the attributes of a module or its layers, which a copy then shares."""
    own = [(name, value) for part in module.modules() for name, value in vars(part).items()]
    # Each layer is one of the modules itself.
    return {id(value): value for name, value in own if name != "_modules" and not _can_be_copied(value, memo)}


def _can_be_copied(value: Any, memo: dict[int, Any]) -> bool:  # noqa: ANN401
    try:
        copy.deepcopy(value, dict(memo))
    except TypeError:
        return False
    return True


def _in_graphs(values: Any) -> Iterator[Tensor]:  # noqa: ANN401
    """Tensors that were computed, as far as lists and dictionaries hold them."""
    for value in values.values() if isinstance(values, Mapping) else values:
        if isinstance(value, Tensor) and not value.is_leaf:
            yield value
        elif isinstance(value, list | tuple | dict):
            yield from _in_graphs(value)


def _copied(value: Any) -> Any:  # noqa: ANN401
    return value.detach().clone() if isinstance(value, Tensor) else copy.deepcopy(value)


def _put(module: nn.Module, name: str, buffer: Tensor | None) -> None:
    owner, _, own_name = name.rpartition(".")
    setattr(module.get_submodule(owner), own_name, buffer)
