"""How far a long command is, for a person who watches."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from loops.embeddings.hub import Offer


def show_progress(done: int, total: int) -> None:
    """Count on stderr while a person is watching; a pipe gets none of it."""
    _show(done, total, "samples")


def show_files(done: int, total: int) -> None:
    """Count the files that are fetched from elsewhere, likewise."""
    _show(done, total, "files fetched")


def show_megabytes(done: int, total: int) -> None:
    """Count what is downloaded, likewise."""
    in_all = -(-total // 1_000_000)
    _show(in_all if done >= total else done // 1_000_000, in_all, "MB downloaded")


def show_offer(offer: Offer) -> None:
    """Say what is downloaded, to a pipe too."""
    from app.project.hub import offer_text

    typer.echo(f"Downloading {offer_text(offer)}.", err=True)


def _show(done: int, total: int, what: str) -> None:
    if sys.stderr.isatty():
        typer.echo(f"\r{done:,} of {total:,} {what}" + ("\n" if done >= total else ""), nl=False, err=True)
