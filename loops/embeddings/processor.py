"""The frozen networks on a processor, by ONNX Runtime: the same features as torch's, in a third of the time.

What torch exports is kept in the account's cache folder, for exporting takes longer than embedding a hundred images.
"""

from __future__ import annotations

import logging
import os
import tempfile
import warnings
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray

from loops.embeddings.images import EFFICIENTNET, backbone
from loops.embeddings.lite_networks import PooledFeatures
from loops.files import cache_folder, replace_file

_AT_ONCE = 4  # images: what is between two layers of more does not stay in the processor's cache

Features = Callable[[NDArray[np.uint8]], NDArray[np.float32]]  # images [B, 3, 224, 224] -> features [B, 2560]


def on_processor() -> Features:
    """Makes what embeds; the first time on a machine it takes some seconds."""
    session = _session()

    def features(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        pieces = range(0, len(images), _AT_ONCE)
        return np.concatenate([session.run(None, {"images": images[at : at + _AT_ONCE]})[0] for at in pieces])

    return features


def _session() -> Any:  # noqa: ANN401 - onnxruntime tells no types
    kept = _kept_at()
    try:
        return _loaded(kept.read_bytes())
    except Exception:  # noqa: BLE001 - not there, torn, or of a version that this runtime cannot read; its errors have no public base
        exported = _exported()
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        replace_file(kept, exported)
    except OSError as error:
        logging.getLogger(__name__).info("%s cannot be kept, and is made at each start: %s", kept, error)
    return _loaded(exported)


def _kept_at() -> Path:
    found = backbone(EFFICIENTNET)
    assert found is not None, "one of the kind's own"
    made_by = sha256(f"{found.made_by}, torch {torch.__version__}".encode()).hexdigest()
    return cache_folder() / f"{EFFICIENTNET}-{made_by[:16]}.onnx"


def _loaded(model: bytes) -> Any:  # noqa: ANN401
    options = onnxruntime.SessionOptions()
    # All cores, where torch in the trainer has but some of them: these threads do not spin while they wait, and the
    # trainer is nice, so the screens come first.
    options.intra_op_num_threads = _usable_cores()
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def _usable_cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _exported() -> bytes:
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter that needs no further package warns that there is a newer one
        path = Path(folder, "features.onnx")
        torch.onnx.export(
            PooledFeatures(), (torch.zeros((2, 3, 224, 224), dtype=torch.uint8),), path, input_names=["images"],
            output_names=["features"], dynamic_axes={"images": {0: "batch"}, "features": {0: "batch"}}, dynamo=False,
        )  # fmt: skip
        return path.read_bytes()
