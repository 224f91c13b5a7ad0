"""How far a long command is, for a person who watches."""

from __future__ import annotations

import sys

import typer


def show_progress(done: int, total: int) -> None:
    """Count on stderr while a person is watching; a pipe gets none of it."""
    if sys.stderr.isatty():
        typer.echo(f"\r{done:,} of {total:,} samples" + ("\n" if done >= total else ""), nl=False, err=True)
