"""What can go wrong while importing.

ImportingError
├── SourceError         the folder, manifest or archive as a whole cannot be used; nothing was imported
│   └── LostConnectionError   it lies elsewhere, and what was fetched of it is kept
└── RefusedSampleError  one sample cannot be used; the others can
    └── RefusedImageError   it is an image, or a file of an archive
"""

from __future__ import annotations


class ImportingError(Exception):
    """Root of this package's errors; the message is a sentence for the person at the screen."""


class SourceError(ImportingError):
    """The folder, manifest or archive as a whole cannot be used."""


class LostConnectionError(SourceError):
    """The place where the data lies does not answer any more."""


class RefusedSampleError(ImportingError):
    """One sample cannot be used."""

    def __init__(self, reason: str) -> None:
        """Keep the reason, for the list of refused files."""
        super().__init__(reason)
        self.reason = reason


class RefusedImageError(RefusedSampleError):
    """One image, or file of an archive, cannot be used."""
