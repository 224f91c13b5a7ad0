"""The command `labelloop serve`."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from app.command.predict import AnswererArgument
from app.errors import UsageError

TOKEN_VARIABLE = "LABELLOOP_TOKEN"
_HERE = ("127.0.0.1", "localhost", "::1")


def serve(
    answerer: AnswererArgument,
    host: Annotated[str, typer.Option(help="Address; any other than this machine's own needs a token.")] = _HERE[0],
    port: Annotated[int, typer.Option(min=1, max=65535)] = 9090,
    token: Annotated[
        str,
        typer.Option(
            envvar=TOKEN_VARIABLE, help="What callers must show; other users of the machine cannot read the variable."
        ),
    ] = "",
    collect: Annotated[
        float,
        typer.Option(
            min=0.0, max=1.0, metavar="SHARE", help="Of what is asked, the least sure, is added to the project's pool."
        ),
    ] = 0.0,
) -> None:
    """The model as a server: JSON, files, and Label Studio's ML backend."""
    if host not in _HERE and not token:
        raise UsageError(f"To serve on {host}, where other machines reach it, give a --token.")
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # before torch
    try:
        from app.answering.serving import run_server
    except ImportError as error:
        raise UsageError(f"To serve, install what it needs: pip install 'labelloop[serve]' ({error}).") from error
    run_server(answerer, host=host, port=port, token=token, collect=collect)
