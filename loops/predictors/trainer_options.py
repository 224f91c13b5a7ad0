"""Settings of the Trainer that fits somebody's own module: what may be chosen, and what the application decides."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Mapping
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.utilities.exceptions import MisconfigurationException  # type: ignore[attr-defined]

from loops.errors import OwnCodeError

EPOCHS = 20  # where nobody names any
_ONE_DEVICE = "a module of your own is fitted in one process on one device"
_DATABASE = "the project's folder and database keep what a fit comes to"
_EACH_ROUND = "each round is a fit of its own, by Trainer.fit alone"
DECIDED: Mapping[str, str] = {
    "callbacks": "progress and requests to stop come by the application's own",
    "enable_progress_bar": "the screens show the progress",
    "logger": _DATABASE,
    "enable_checkpointing": _DATABASE,
    "default_root_dir": _DATABASE,
    "resume_from_checkpoint": _EACH_ROUND,
    "auto_lr_find": _EACH_ROUND,
    "auto_scale_batch_size": _EACH_ROUND,
    **dict.fromkeys(
        (
            "devices", "num_nodes", "num_processes", "strategy", "gpus", "auto_select_gpus", "tpu_cores", "ipus",
            "sync_batchnorm", "replace_sampler_ddp",
        ),
        _ONE_DEVICE,
    ),
}  # fmt: skip


def trainer_for(reference: str, options: Mapping[str, Any], callbacks: list[pl.Callback]) -> pl.Trainer:
    """Makes a Trainer with somebody's settings.

    Args:
        reference: Whose they are, `package.module:name`.
        options: Name -> value, of the arguments of `pl.Trainer`.
        callbacks: The application's.

    Raises:
        OwnCodeError: If there is no such setting, the application decides it, or Lightning refuses its value.
    """
    _refuse(reference, options)
    usual: dict[str, Any] = {
        "max_epochs": EPOCHS,
        "accelerator": "auto",
        "devices": 1,
        "logger": False,
        "enable_checkpointing": False,
        "enable_progress_bar": False,
        "enable_model_summary": False,
        "num_sanity_val_steps": 0,
        "callbacks": callbacks,
    }
    try:
        return pl.Trainer(**usual | dict(options))
    except (MisconfigurationException, ValueError, TypeError) as error:
        raise OwnCodeError(reference, f"the Trainer refuses its settings {dict(options)}: {error}") from error


def _refuse(reference: str, options: Mapping[str, Any]) -> None:
    known = [name for name in inspect.signature(pl.Trainer.__init__).parameters if name != "self"]
    for name in options:
        if name in DECIDED:
            raise OwnCodeError(reference, f"the Trainer's setting {name!r} is not yours to choose: {DECIDED[name]}")
        if name not in known:
            near = difflib.get_close_matches(name, [one for one in known if one not in DECIDED], n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise OwnCodeError(reference, f"the Trainer has no setting {name!r}{hint}")
