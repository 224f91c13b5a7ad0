"""Networks of a hub, as a project uses them: downloaded once a person said yes, and known again by their bytes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from app.errors import ProjectError
from app.project.project import Project
from app.project.settings import ProjectSettings, write_atomically
from loops.embeddings.hub import Here, HubFile, Offer, Progress
from loops.embeddings.own_source import NamedNetwork, digest_of_network
from loops.errors import OwnEmbeddingError


@dataclass(frozen=True)
class Consent:
    """A person's yes to the download of one network, for one project."""

    announce: Callable[[Offer], None]  # called before the first byte
    progress: Progress


@dataclass(frozen=True)
class UsedNetwork:
    """The network whose rows a project learns from, as it was when the project was made."""

    source: str
    sha256: str  # of the file, or of what a folder holds
    repository: str = ""  # of the hub; empty: placed by hand
    revision: str = ""

    def keep(self, project: Project) -> None:
        """Notes it in the project."""
        write_atomically(_note(project), json.dumps(asdict(self), indent=1).encode("utf-8"))


def used(network: NamedNetwork, consent: Consent | None) -> UsedNetwork:
    """The network with the place of its weights on this machine.

    Args:
        network: As it was named; with a place, it lies there.
        consent: To a download; None: nothing is downloaded.

    Raises:
        OwnEmbeddingError: If the weights are not here, and were not to be fetched or could not be.
    """
    if network.place:
        return UsedNetwork(network.at(network.place), digest_of_network(network.place))
    found = here(network) or (download(network, consent) if consent is not None else None)
    if found is None:
        raise OwnEmbeddingError(network.is_nowhere)
    source = network.at(found.place)
    return UsedNetwork(source, digest_of_network(str(found.place)), found.repository, found.revision)


def here(network: NamedNetwork) -> Here | None:
    """The network in the cache of this machine; nobody else is asked."""
    return _here(next(_asked("here", network))["here"])


def offer_of(network: NamedNetwork) -> Offer:
    """What would be downloaded; the hub is asked.

    Raises:
        OwnEmbeddingError: If there is nothing to be had.
    """
    return _offer(next(_asked("find", network))["offer"])


def offer_text(offer: Offer) -> str:
    """What would be downloaded: what, how large, from whom, under which licence."""
    files = offer.files[0].name if len(offer.files) == 1 else f"{len(offer.files)} files"
    licence = f"licence {offer.licence}" if offer.licence else "the hub names no licence"
    size = f"{max(0.1, offer.size / 1e6):,.1f} MB"
    return f"{offer.repository} ({files}, {size}), published by {offer.owner}, {licence}"


def download(network: NamedNetwork, consent: Consent) -> Here:
    """Fetches a network.

    Raises:
        OwnEmbeddingError: If it cannot be had.
    """
    found, answers = None, _asked("fetch", network)
    consent.announce(_offer(next(answers)["offer"]))
    for said in answers:
        if "progress" in said:
            consent.progress(*said["progress"])
        elif "here" in said:
            found = _here(said["here"])
    if found is None:
        raise OwnEmbeddingError("the download ended before it was complete; the same goes on from there")
    return found


def refuse_other_weights(project: Project, settings: ProjectSettings) -> None:
    """Refuses weights that are not those with which the project was made: rows of two networks would meet unseen.

    Raises:
        ProjectError: If they are others.
    """
    if not _note(project).is_file():
        return
    noted = UsedNetwork(**json.loads(_note(project).read_text(encoding="utf-8")))
    if settings.embedding != noted.source:  # somebody chose another one since
        return
    name, _, place = noted.source.partition("=")
    found = digest_of_network(place)
    if found != noted.sha256:
        raise ProjectError(
            f"{place} does not hold the weights of {name} that this project was made with: their SHA-256 was "
            f"{noted.sha256[:12]}, now it is {found[:12]}. Put those back, or delete {_note(project)} to take these."
        )


def _asked(action: str, network: NamedNetwork) -> Iterator[dict[str, Any]]:
    """What another process says, line by line; it ends with this one."""
    command = [sys.executable, "-W", "ignore", "-m", "app.project.hub_process", action, network.source]
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, encoding="utf-8",
        cwd=Path.cwd().anchor,
    ) as process:  # fmt: skip
        assert process.stdout is not None  # it was asked for
        try:
            for line in process.stdout:
                said = json.loads(line)
                if "refused" in said:
                    raise OwnEmbeddingError(said["refused"])
                yield said
        except BaseException:
            process.kill()  # nobody waits for it any more
            raise
    if process.returncode:
        raise OwnEmbeddingError(f"what asks the hub ended with exit code {process.returncode}, without an answer")


def _offer(said: dict[str, Any]) -> Offer:
    return Offer(**{**said, "files": tuple(HubFile(**file) for file in said["files"])})


def _here(said: dict[str, str] | None) -> Here | None:
    return None if said is None else Here(Path(said["place"]), said["repository"], said["revision"])


def _note(project: Project) -> Path:
    return project.folder / "network.json"
