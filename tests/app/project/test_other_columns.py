"""Rows with other columns than the project's are not taken in silence."""

from __future__ import annotations

import pytest

from app.errors import ProjectError
from app.formats.registry import open_source
from app.project.creation import add_to_pool, make_project
from app.project.settings import ProjectSettings


@pytest.fixture
def imported(tmp_path):
    (tmp_path / "first.csv").write_text("age,height,label\n1,2,a\n3,4,b\n")
    project = make_project(tmp_path / "p", settings=ProjectSettings(name="p"), data=tmp_path / "first.csv").project

    def import_(content: str):
        (tmp_path / "more.csv").write_text(content)
        return add_to_pool(project, open_source(tmp_path / "more.csv", uploads=tmp_path))

    return import_


def test_rows_of_the_same_columns_in_any_order_come_without_a_word(imported):
    report = imported("height,label,age\n9,a,8\n")
    assert (report.added, report.notes) == (1, ())


def test_what_is_lacking_and_what_is_new_is_said(imported):
    report = imported("age,weight,label\n9,8,a\n")
    assert report.added == 1
    assert report.notes == (
        "Columns of the project that the rows lack: height.",
        "Columns that the project does not have, and learns nothing from: weight.",
    )


def test_rows_that_share_no_column_are_refused_with_both_lists(imported):
    with pytest.raises(ProjectError, match="wanted age, height, found weight, hair"):
        imported("weight,hair,label\n9,red,a\n")
