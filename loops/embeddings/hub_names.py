"""Where the networks that timm, open_clip and sentence-transformers know by name lie on the hub of models."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from loops.embeddings.hub import Address
from loops.embeddings.own_source import Kind, NamedNetwork
from loops.errors import OwnEmbeddingError

_TIMM = ("model.safetensors", "pytorch_model.bin")
_OPEN_CLIP = ("open_clip_model.safetensors", "open_clip_pytorch_model.safetensors", "open_clip_pytorch_model.bin")


def address_of(network: NamedNetwork) -> Address:
    """Where a network lies.

    Raises:
        OwnEmbeddingError: If its library is not installed or knows no such network, or it lies on no hub.
    """
    by_library: Mapping[Kind, Callable[[str], Address]] = {
        "timm": _of_timm,
        "open_clip": _of_open_clip,
        "sentence-transformers": _of_sentence_transformers,
    }
    return by_library[network.library](network.name)


def timm_library() -> Any:  # noqa: ANN401 - it may not be installed
    """The module timm; refused with what to install where it cannot be imported."""
    return _imported("timm", "timm")


def open_clip_library() -> Any:  # noqa: ANN401
    """The module open_clip, likewise."""
    return _imported("open_clip", "open-clip")


def sentence_transformers_library() -> Any:  # noqa: ANN401
    """The module sentence_transformers, likewise."""
    return _imported("sentence_transformers", "sentence-transformers")


def _imported(module: str, extra: str) -> Any:  # noqa: ANN401
    try:
        return import_module(module)
    except (ImportError, RuntimeError) as error:  # a torchvision of another torch raises RuntimeError
        raise OwnEmbeddingError(f"{module} cannot be used: {error}; install labelloop[{extra}]") from error


def stay_offline() -> None:
    """Keeps the libraries of this process from the network: whoever loads a network has its weights already."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    if "huggingface_hub" in sys.modules:  # it has read its environment
        sys.modules["huggingface_hub"].constants.HF_HUB_OFFLINE = True


def _of_timm(name: str) -> Address:
    library = timm_library()
    if not library.is_model(name.partition(".")[0]):
        raise OwnEmbeddingError(f"timm has no network {name!r}")
    try:
        found = library.models.get_pretrained_cfg(name, allow_unregistered=False)
    except RuntimeError as error:
        raise OwnEmbeddingError(f"timm has no weights {name!r}") from error
    if found is None or not found.hf_hub_id or found.custom_load:
        raise OwnEmbeddingError(
            f"the weights of {name} are on no hub; place their file, and name it as timm:{name}=FILE"
        )
    repository, _, revision = found.hf_hub_id.partition("@")
    return Address(repository, (found.hf_hub_filename,) if found.hf_hub_filename else _TIMM, revision or None)


def _of_open_clip(name: str) -> Address:
    library = open_clip_library()
    model, _, tag = name.partition("/")
    found = library.get_pretrained_cfg(model, tag).get("hf_hub", "")
    if not found:
        tags = ", ".join(library.list_pretrained_tags_by_model(model)) or "none"
        raise OwnEmbeddingError(f"open_clip has no weights {tag!r} of {model} on a hub (MODEL/WEIGHTS); it has {tags}")
    owner, repository, file = found.split("/", 2)
    return Address(f"{owner}/{repository}", (file,) if file else _OPEN_CLIP)


def _of_sentence_transformers(name: str) -> Address:
    if find_spec("sentence_transformers") is None:  # to import it takes long, and the name alone says where it lies
        raise OwnEmbeddingError("sentence_transformers is not installed; install labelloop[sentence-transformers]")
    return Address(name if "/" in name else f"sentence-transformers/{name}")
