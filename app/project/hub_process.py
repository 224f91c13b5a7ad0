"""Asks the hub of models in a process of its own, for the libraries that know its networks load torch.

`python -m app.project.hub_process ACTION SOURCE` writes lines of JSON. `here` looks on this machine alone, `find` says
what would be downloaded, `fetch` downloads it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from loops.embeddings.hub import Address, Here, cached, fetch, find
from loops.embeddings.hub_names import address_of, stay_offline
from loops.embeddings.own_source import named_network
from loops.errors import OwnEmbeddingError

Say = Callable[[dict[str, Any]], None]


def answer(action: str, source: str, say: Say) -> None:
    """Does what is asked, and says what comes of it.

    Args:
        action: `here`, `find` or `fetch`.
        source: A network by its name, see `loops.embeddings.own_source`.
        say: Is given `here`, `offer`, `progress` (bytes here, bytes in all) or `refused`.
    """
    network = named_network(source)
    assert network is not None  # whoever asks has looked
    if action == "here":
        stay_offline()
    try:
        address = address_of(network)
        if action == "here":
            _say_here(cached(address), say)
        else:
            _ask(address, say, fetches=action == "fetch")
    except OwnEmbeddingError as error:
        say({"refused": str(error)})


def _ask(address: Address, say: Say, *, fetches: bool) -> None:
    offer = find(address)
    say({"offer": asdict(offer)})
    if fetches:
        _say_here(fetch(offer, lambda here, size: say({"progress": [here, size]})), say)


def _say_here(found: Here | None, say: Say) -> None:
    say({"here": None if found is None else {**asdict(found), "place": str(found.place)}})


def main(action: str, source: str) -> None:
    """Answers on the standard output, to which no library writes meanwhile."""
    out, sys.stdout = sys.stdout, sys.stderr
    answer(action, source, lambda said: print(json.dumps(said), file=out, flush=True))


if __name__ == "__main__":
    main(*sys.argv[1:])
