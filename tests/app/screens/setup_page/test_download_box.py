"""The button that downloads a network: it says what comes, and nothing comes before a yes."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from app.screens.setup_page.download_box import _downloads
from tests.app.project.hub_of_models import Hub


@pytest.fixture(autouse=True)
def none_before():
    _downloads().clear()
    yield
    _downloads().clear()


def box(source: str) -> AppTest:
    def draw(given: str) -> None:
        from app.screens.setup_page.download_box import download_box

        download_box(given)

    return AppTest.from_function(draw, args=(source,), default_timeout=60).run()


@pytest.mark.parametrize("source", ["", "rows.npy", "timm:tiny=weights.bin"])
def test_what_needs_no_download_has_no_button(source: str):
    assert not box(source).button


def test_it_is_said_what_comes_and_it_comes_after_a_yes(hub: Hub):
    drawn = box("timm:tiny")
    assert hub.asked == [], "a look at the page asks nobody"
    drawn.button(key="hub_ask").click().run()
    said = drawn.info[0].value.replace("\\", "")
    assert said.endswith("timm/tiny.in1k (pytorch_model.bin, 0.1 MB), published by timm, licence apache-2.0.")
    assert hub.fetched() == []
    drawn.button(key="hub_download").click().run()
    assert _downloads()["timm:tiny"].finished.wait(60)
    assert "ready for this project" in drawn.run().success[0].value
    assert hub.fetched() == ["pytorch_model.bin"]

    _downloads().clear()
    drawn = box("timm:tiny")
    drawn.button(key="hub_ask").click().run()
    assert drawn.info[0].value.replace("\\", "") == "It is on this machine already."


def test_a_download_that_fails_says_why_and_is_offered_again(hub: Hub):
    drawn = box("timm:tiny")
    drawn.button(key="hub_ask").click().run()
    hub.files["timm/tiny.in1k"] = {}
    drawn.button(key="hub_download").click().run()
    assert _downloads()["timm:tiny"].finished.wait(60)
    said = drawn.run().error[0].value.replace("\\", "")
    assert "It was not downloaded: timm/tiny.in1k holds no weights" in said
    assert drawn.button(key="hub_download")


def test_what_cannot_be_had_is_said(hub: Hub):
    drawn = box("timm:huge")
    drawn.button(key="hub_ask").click().run()
    assert "It cannot be downloaded: timm has no network 'huge'." in drawn.info[0].value.replace("\\", "")
    assert not [button for button in drawn.button if button.key == "hub_download"]
