"""A session's end in a real browser: what was reached, and the files that one press each hands out."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.project.certificates import write_candidate
from app.project.settings import save_settings
from loops.certificate.candidate import PoolAnswers, make_candidate
from tests.end_to_end.named_project import LABELED, project_of_names, screens_of
from tests.end_to_end.test_axe import INSECTS, violations

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """A project whose budget is used up, with something to certify."""
    project = project_of_names(tmp_path, INSECTS, project_name="Insects of the meadow")
    save_settings(project.settings_path, replace(project.settings(), labeling_budget=LABELED))
    answers = PoolAnswers(np.arange(LABELED + 1, len(INSECTS)), np.zeros(4, np.int64), np.full(4, 0.1))
    write_candidate(project, make_candidate(answers, round_number=1, seed=1, target=0.95))
    with screens_of(project) as url:
        yield url


def test_the_end_says_what_was_reached_and_hands_it_out(address, page):
    page.goto(f"{address}/label?annotator=eve")  # as people type it, though the first page's address is the project's
    page.get_by_role("heading", name="The labeling budget is reached", level=2).wait_for()
    assert page.get_by_text("Page not found").count() == 0
    assert page.url == f"{address}/?annotator=eve"
    page.wait_for_timeout(2500)  # the trainer's line is drawn anew meanwhile, and the downloads are not
    with page.expect_download() as given:
        page.get_by_role("button", name="Labels and the model's answers for the rest").click()
    assert "predictions.csv" in zipfile.ZipFile(given.value.path()).namelist()
    with page.expect_download() as given:
        page.get_by_role("button", name="Certificate").click()
    told = json.loads(given.value.path().read_text())
    assert told["claim"]["left"] == len(INSECTS) - LABELED - 1
    assert violations(page) == []
