"""What a module holds at some moment, and how it is given back: weights, buffers of any shape, and extra state."""

from __future__ import annotations

import copy
from typing import Any

from torch import Tensor, nn

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
    module.load_state_dict(copied_state(state))


def _buffers(module: nn.Module) -> dict[str, Tensor]:
    return dict(module.named_buffers(remove_duplicate=False))  # one tensor may be under two names


def _copied(value: Any) -> Any:  # noqa: ANN401
    return value.detach().clone() if isinstance(value, Tensor) else copy.deepcopy(value)


def _put(module: nn.Module, name: str, buffer: Tensor | None) -> None:
    owner, _, own_name = name.rpartition(".")
    setattr(module.get_submodule(owner), own_name, buffer)
