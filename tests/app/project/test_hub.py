"""Networks of a hub: asked for by consent alone, fetched once, and known again. The hub's own library does the work."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from app.errors import ProjectError
from app.project.creation import make_project
from app.project.hub import Consent, download, here, offer_of, offer_text, refuse_other_weights
from app.project.project import Project
from app.project.settings import ProjectSettings
from loops.embeddings.hub import BLOCK, HubFile, Offer, fetch
from loops.embeddings.own_source import NamedNetwork, named_network
from loops.errors import OwnEmbeddingError
from tests.app.project.hub_of_models import REVISION, Hub, twice


@pytest.fixture
def images(tmp_path: Path) -> Path:
    (tmp_path / "images").mkdir()
    for value in range(3):
        Image.new("L", (9, 9), value * 40).save(tmp_path / "images" / f"{value}.png")
    return tmp_path / "images"


def make(folder: Path, data: Path, embedding: str, consent: Consent | None = None) -> Project:
    settings = ProjectSettings("mine", embedding=embedding)
    return make_project(folder, settings=settings, classes=["a", "b"], data=data, consent=consent).project


def named(source: str) -> NamedNetwork:
    found = named_network(source)
    assert found is not None
    return found


def silent() -> Consent:
    return Consent(lambda offer: None, lambda done, total: None)


def test_without_consent_nothing_is_asked_and_both_ways_are_said(tmp_path: Path, images: Path, hub: Hub) -> None:
    ways = r"--download, or the button on Setup, fetches them; or place them and say where: timm:tiny=FILE\.$"
    with pytest.raises(ProjectError, match=f"not on this machine; {ways}"):
        make(tmp_path / "project", images, "timm:tiny")
    assert hub.asked == []
    assert not (tmp_path / "project").exists()


def test_with_consent_it_is_said_what_comes_and_what_came_is_noted(tmp_path: Path, images: Path, hub: Hub) -> None:
    said: list[str] = []
    counted: list[tuple[int, int]] = []
    consent = Consent(lambda offer: said.append(offer_text(offer)), lambda *counts: counted.append(counts))
    project = make(tmp_path / "project", images, "timm:tiny", consent)
    assert said == ["timm/tiny.in1k (pytorch_model.bin, 0.1 MB), published by timm, licence apache-2.0"]
    assert counted[-1] == (len(twice()), len(twice()))
    noted = json.loads((project.folder / "network.json").read_text())
    assert noted["sha256"] == hashlib.sha256(twice()).hexdigest()
    assert (noted["repository"], noted["revision"]) == ("timm/tiny.in1k", REVISION)
    name, _, place = project.settings().embedding.partition("=")
    assert name == "timm:tiny"
    assert Path(place).read_bytes() == twice()

    hub.asked.clear()
    again = make(tmp_path / "again", images, "timm:tiny")
    assert again.settings().embedding == project.settings().embedding
    assert hub.asked == [], "it is on this machine"

    refuse_other_weights(project, project.settings())
    Path(place).write_bytes(b"others")
    with pytest.raises(ProjectError, match=r"does not hold the weights of timm:tiny that this project was made with"):
        refuse_other_weights(project, project.settings())
    refuse_other_weights(project, replace(project.settings(), embedding=""))  # somebody chose another one since


def test_a_download_that_broke_off_goes_on_from_there(hub: Hub) -> None:
    content = bytes(2 * BLOCK)
    hub.files["timm/tiny.in1k"] = {"model.safetensors": content}
    hub.stalls_after = BLOCK

    def break_off(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        download(named("timm:tiny"), Consent(lambda offer: None, break_off))
    assert here(named("timm:tiny")) is None

    hub.asked.clear()
    hub.stalls_after = 0
    found = download(named("timm:tiny"), silent())
    assert found.place.read_bytes() == content
    assert [range_ for method, path, range_ in hub.asked if method == "GET" and "resolve" in path] == [
        f"bytes={BLOCK}-"
    ]


def test_of_a_folder_comes_what_is_read_and_no_code_and_nothing_twice(hub: Hub) -> None:
    offer = offer_of(named("sentence-transformers:mini"))
    assert hub.fetched() == [], "the question downloads nothing"
    assert sorted(file.name for file in offer.files) == ["1_Pooling/config.json", "config.json", "model.safetensors"]
    found = download(named("sentence-transformers:mini"), silent())
    assert hub.fetched()[-1] == "model.safetensors", "it completes the folder"
    assert sorted(path.name for path in found.place.iterdir()) == ["1_Pooling", "config.json", "model.safetensors"]
    assert here(named("sentence-transformers:mini")) == found


def test_texts_are_embedded_by_a_network_of_texts_and_by_no_other(tmp_path: Path, images: Path, hub: Hub) -> None:
    (tmp_path / "texts.csv").write_text("text\ngood\nbad\ngood bad\n")
    project = make(tmp_path / "project", tmp_path / "texts.csv", "sentence-transformers:mini", silent())
    assert project.settings().embedding.startswith("sentence-transformers:mini=")
    with pytest.raises(ProjectError, match="it is for texts, these are images"):
        make(tmp_path / "other", images, "sentence-transformers:mini", silent())
    with pytest.raises(ProjectError, match="it is for images, these are texts"):
        make(tmp_path / "other", tmp_path / "texts.csv", "timm:tiny", silent())


def test_what_came_damaged_is_refused(hub: Hub) -> None:
    hub.tells_other_hashes = True
    with pytest.raises(OwnEmbeddingError, match=r"pytorch_model\.bin of timm/tiny\.in1k came damaged; try again"):
        download(named("timm:tiny"), silent())


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("HF_HUB_OFFLINE", "1", "the hub may not be asked: HF_HUB_OFFLINE is set"),
        ("HF_ENDPOINT", "http://127.0.0.1:9", r"the hub does not answer \(ConnectError\).*add =PLACE to the name"),
    ],
)
def test_where_no_hub_answers_a_sentence_says_what_to_do_and_nothing_is_made(
    tmp_path: Path, images: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, said: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(ProjectError, match=said):
        make(tmp_path / "project", images, "timm:tiny", silent())
    assert not (tmp_path / "project").exists()


def test_what_the_hub_does_not_show_is_refused(hub: Hub) -> None:
    del hub.files["timm/tiny.in1k"]
    with pytest.raises(OwnEmbeddingError, match=r"the hub shows no network timm/tiny\.in1k to whom HF_TOKEN names"):
        offer_of(named("timm:tiny"))
    hub.files["timm/tiny.in1k"] = {"README.md": b"# Nothing yet"}
    with pytest.raises(OwnEmbeddingError, match=r"timm/tiny\.in1k holds no weights that can be used"):
        offer_of(named("timm:tiny"))


def test_what_is_larger_than_the_disk_is_refused_before_a_byte_comes(hub: Hub) -> None:
    offer = Offer("who/huge", REVISION, "", (HubFile("model.safetensors", 10**18, ""),))
    with pytest.raises(OwnEmbeddingError, match=r"who/huge needs 1,000,000,000,000 MB in .*; there is no room"):
        fetch(offer, lambda *_: None)
    assert hub.asked == []


def test_a_network_that_was_placed_by_hand_is_noted_too(tmp_path: Path, images: Path, hub: Hub) -> None:
    (tmp_path / "twice.pt").write_bytes(twice())
    project = make(tmp_path / "project", images, f"timm:tiny={tmp_path / 'twice.pt'}")
    assert json.loads((project.folder / "network.json").read_text())["sha256"] == hashlib.sha256(twice()).hexdigest()
    assert hub.asked == []
    with pytest.raises(ProjectError, match=r"there is no file .*gone\.pt"):
        make(tmp_path / "other", images, f"timm:tiny={tmp_path / 'gone.pt'}")


def test_the_command_line_downloads_with_download_alone(
    tmp_path: Path, images: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from app.command.main import main

    given = ["labelloop", "init", str(tmp_path / "pets"), "--data", str(images), "--classes", "a,b"]
    monkeypatch.setattr("sys.argv", [*given, "--embedding", "timm:tiny"])
    with pytest.raises(SystemExit) as refused:
        main()
    assert refused.value.code == 1
    assert "--download, or the button on Setup, fetches them" in capsys.readouterr().err
    monkeypatch.setattr("sys.argv", [*given, "--embedding", "timm:tiny", "--download"])
    with pytest.raises(SystemExit) as done:
        main()
    assert not done.value.code
    assert "Downloading timm/tiny.in1k (pytorch_model.bin" in capsys.readouterr().err
    assert (tmp_path / "pets" / "network.json").is_file()
