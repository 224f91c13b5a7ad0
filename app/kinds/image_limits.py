"""How large an image may be: as large as those of a phone or a camera, unless the environment says otherwise."""

from __future__ import annotations

import os
from functools import cache

from app.errors import SettingsError

MEGABYTES_VARIABLE = "LABELLOOP_MAX_MEGABYTES"  # of a file
MEGAPIXELS_VARIABLE = "LABELLOOP_MAX_MEGAPIXELS"  # decoded, a pixel takes up to four bytes
_MEGABYTES, _MEGAPIXELS = 50, 64


@cache
def max_bytes() -> int:
    """Return how large a file may be.

    Raises:
        SettingsError: LABELLOOP_MAX_MEGABYTES is no whole number above 0.
    """
    return 1_000_000 * _number(MEGABYTES_VARIABLE, _MEGABYTES)


@cache
def max_pixels() -> int:
    """Return how many pixels an image may have.

    Raises:
        SettingsError: LABELLOOP_MAX_MEGAPIXELS is no whole number above 0.
    """
    return 1_000_000 * _number(MEGAPIXELS_VARIABLE, _MEGAPIXELS)


def check_limits() -> None:
    """Refuse what cannot be read before anything begins, rather than at the first image.

    Raises:
        SettingsError: one of them is no whole number above 0.
    """
    max_bytes()
    max_pixels()


def too_large() -> str:
    """Say why a file is refused, and what lets it in."""
    return f"is larger than {max_bytes() // 1_000_000} MB ({MEGABYTES_VARIABLE} lets it in)"


def too_many_pixels() -> str:
    """Say why an image is refused, and what lets it in."""
    return f"has more than {max_pixels() // 1_000_000} million pixels ({MEGAPIXELS_VARIABLE} lets it in)"


def _number(variable: str, otherwise: int) -> int:
    said = os.environ.get(variable, "").strip()
    if not said:
        return otherwise
    if not said.isascii() or not said.isdecimal() or int(said) == 0:
        raise SettingsError(f"{variable} is {said!r}: say a whole number above 0.")
    return int(said)
