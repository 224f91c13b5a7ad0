"""The colors of classes; no chart library is needed to know them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

# Mid-luminance shades after Okabe & Ito and Tol: none disappears on white or on near-black.
CLASS_COLORS = (
    "#4E9BD4", "#E69F00", "#2BA884", "#DD5C2E", "#CC79A7",
    "#8C7AE6", "#A8A32A", "#5BC0DE", "#B5651D", "#8A8F98",
)  # fmt: skip
NO_COLORS: Mapping[str, str] = MappingProxyType({})  # that somebody has given to classes
