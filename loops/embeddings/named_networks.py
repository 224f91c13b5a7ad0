"""Networks that timm, open_clip or sentence-transformers know by name, made of weights that are on this machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from loops.embeddings.embedder import Embedder, Rows, checked_rows
from loops.embeddings.hub import cached
from loops.embeddings.hub_names import (
    address_of,
    open_clip_library,
    sentence_transformers_library,
    stay_offline,
    timm_library,
)
from loops.embeddings.own_networks import SIDE, NetworkEmbedder, on_device
from loops.embeddings.own_source import Kind, NamedNetwork
from loops.errors import OwnEmbeddingError

# Pixels. A network made for larger images is made for those of 224: DINOv2's 518 take seven times as long, and what is
# gained are places, over which the mean is taken.
LARGEST_SIDE = 384
LONGEST = 5_000  # characters, as of the sentence encoder; what a network cannot read it leaves out itself


def load(network: NamedNetwork, device: torch.device) -> Embedder:
    """Makes a network of the weights that are here; nothing is downloaded.

    Raises:
        OwnEmbeddingError: If its library or its weights are not on this machine, or are of another network.
    """
    stay_offline()
    by_library: Mapping[Kind, Callable[[NamedNetwork, torch.device], Embedder]] = {
        "timm": _timm,
        "open_clip": _open_clip,
        "sentence-transformers": SentenceNetwork,
    }
    return by_library[network.library](located(network), device)


def located(network: NamedNetwork) -> NamedNetwork:
    """The network with the place of its weights, from the library's cache where it has none.

    Raises:
        OwnEmbeddingError: If they are nowhere.
    """
    if network.place:
        return network
    found = cached(address_of(network))
    if found is None:
        raise OwnEmbeddingError(network.is_nowhere)
    return replace(network, place=str(found.place))


def _timm(network: NamedNetwork, device: torch.device) -> NetworkEmbedder:
    library = timm_library()
    if not library.is_model(network.name.partition(".")[0]):
        raise OwnEmbeddingError(f"timm has no network {network.name!r}")
    with _weights_of(network):
        known = library.models.get_pretrained_cfg(network.name)
        is_large = known is not None and known.fixed_input_size and known.input_size[-1] > LARGEST_SIDE
        # Read here, for a pickle may hold no code; given to timm, which turns weights as published into its own.
        weights = library.models.load_state_dict(network.place, weights_only=True)
        made = library.create_model(
            network.name,
            pretrained=True,
            num_classes=0,
            pretrained_cfg_overlay={"state_dict": weights},
            **({"img_size": SIDE} if is_large else {}),
        )
    described = library.data.resolve_model_data_config(made)
    return NetworkEmbedder(
        on_device(device, made.eval().to(device)),
        side=SIDE if is_large else described["input_size"][-1],
        mean=described["mean"],
        std=described["std"],
    )


def read_texts(network: NamedNetwork, texts: Sequence[str]) -> tuple[Rows, float]:
    """Texts in the space of an open_clip network's images, `[N, D]`, and the scale of its logits.

    Raises:
        OwnEmbeddingError: If the library, the weights or the words it reads by are not on this machine.
    """
    stay_offline()
    placed = located(network)
    made, _ = _two_towers(placed)
    with _weights_of(placed), torch.inference_mode():  # some networks' words come from the hub, like their weights
        tokens = open_clip_library().get_tokenizer(network.name.partition("/")[0])(list(texts))
        rows, scale = made.eval().encode_text(tokens).float().numpy(), made.logit_scale.exp().item()
    return checked_rows(rows, len(texts)), float(scale)


def _two_towers(network: NamedNetwork) -> tuple[Any, Mapping[str, Any]]:
    """A network of open_clip's, and what is published of its weights."""
    library = open_clip_library()
    model, _, tag = network.name.partition("/")
    published: Mapping[str, Any] = library.get_pretrained_cfg(model, tag)
    quick_gelu = bool(published.get("quick_gelu"))
    with _weights_of(network):
        made = library.create_model(model, pretrained=network.place, force_quick_gelu=quick_gelu, weights_only=True)
    return made, published


def _open_clip(network: NamedNetwork, device: torch.device) -> NetworkEmbedder:
    library = open_clip_library()
    made, published = _two_towers(network)
    side = made.visual.image_size
    return NetworkEmbedder(
        on_device(device, made.eval().to(device).encode_image),
        side=side[0] if isinstance(side, Sequence) else side,
        mean=published.get("mean", library.OPENAI_DATASET_MEAN),
        std=published.get("std", library.OPENAI_DATASET_STD),
    )


class SentenceNetwork:
    """A network of sentence-transformers: texts to rows `[N, D]`.

    Args:
        network: With a place.
        device: Where it runs.
    """

    batch_size = 32

    def __init__(self, network: NamedNetwork, device: torch.device) -> None:
        library = sentence_transformers_library()
        with _weights_of(network):
            self._network = library.SentenceTransformer(network.place, device=str(device), local_files_only=True)

    def prepare(self, sample: str) -> str:
        """The text, up to 5,000 characters."""
        return sample[:LONGEST]

    def embed(self, prepared: Sequence[str]) -> Rows:
        """Encodes them."""
        try:
            found = self._network.encode(list(prepared), show_progress_bar=False, convert_to_numpy=True)
        except Exception as error:  # somebody's network may raise anything
            raise OwnEmbeddingError(f"the network does not take {len(prepared)} texts: {_last_line(error)}") from error
        return checked_rows(np.asarray(found), len(prepared))


@contextmanager
def _weights_of(network: NamedNetwork) -> Iterator[None]:
    """What a library raises over a file that does not suit, as a sentence."""
    try:
        yield
    except Exception as error:  # they have no common base
        raise OwnEmbeddingError(
            f"{network.place} holds no weights of {network.name} that can be used: {_last_line(error)}"
        ) from error


def _last_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[-1].strip()
