"""Products in bfloat16, where the hardware multiplies it several times as fast as float32."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch

# In hardware: an older processor or GPU only imitates it, more slowly than it multiplies float32. Of processors torch
# says it under a name that begins with an underscore, in the versions that know how to tell.
_HAS_BFLOAT16: Mapping[str, Callable[[], bool]] = {
    "cuda": lambda: torch.cuda.is_bf16_supported(including_emulation=False),
    "cpu": getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False),
}


def half_precision(device: torch.device) -> AbstractContextManager[Any]:
    """Convolutions and matrix products in bfloat16 where the device has it, sums and all else in float32.

    For what ranks, and for features: the same samples stay at the top and the same ones are neighbors (decision 10).
    Nothing is trained in it.
    """
    if device.type in _HAS_BFLOAT16 and _HAS_BFLOAT16[device.type]():
        return torch.autocast(device.type, dtype=torch.bfloat16)
    return nullcontext()
