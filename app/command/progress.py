"""How far a long command is, for a person who watches."""

from __future__ import annotations

import sys

import typer


def show_progress(done: int, total: int) -> None:
    """Count on stderr while a person is watching; a pipe gets none of it."""
    _show(done, total, "samples")


def show_files(done: int, total: int) -> None:
    """Count the files that are fetched from elsewhere, likewise."""
    _show(done, total, "files fetched")


def _show(done: int, total: int, what: str) -> None:
    if sys.stderr.isatty():
        typer.echo(f"\r{done:,} of {total:,} {what}" + ("\n" if done >= total else ""), nl=False, err=True)
