from __future__ import annotations

import sys
from pathlib import Path

import pytest

import app.formats
from app.formats.errors import SourceError
from app.formats.export import HOLDABLE, Export, ExportedSample, what_is_lost
from app.formats.registry import all_formats, open_source, readable_formats, writable_formats
from app.formats.source import Decision

PAGE = Path(__file__).parents[3] / "docs" / "formats.md"


def test_every_module_with_a_format_is_in_the_registry_under_one_name():
    modules = [path for path in Path(app.formats.__path__[0]).glob("*.py") if "\nFORMAT = Format(" in path.read_text()]
    assert len(all_formats()) == len(modules) >= 14


@pytest.mark.parametrize("name", sorted(all_formats()))
def test_a_format_has_a_sentence_reads_what_it_can_tell_and_names_what_it_holds(name):
    found = all_formats()[name]
    assert found.sentence
    assert "\n" not in found.sentence
    assert (found.read is None) == (found.reads is None)
    assert set(found.holds) <= set(HOLDABLE)


@pytest.mark.parametrize("name", sorted(all_formats()))
def test_the_page_of_the_formats_has_a_line_for_each(name):
    (line,) = [line for line in PAGE.read_text().splitlines() if line.startswith(f"| `{name}` |")]
    assert all_formats()[name].sentence in line
    assert ("written" in line) == (name in writable_formats())
    cannot_hold = line.split("|")[-2]
    assert ("texts and rows" in cannot_hold) == (
        name in writable_formats() and all_formats()[name].refusal("text") != ""
    )


def test_what_no_format_reads_is_refused_with_the_names_of_those_that_are_read(tmp_path):
    (tmp_path / "notes.txt").write_text("words")
    with pytest.raises(SourceError, match="no format reads this") as refused:
        open_source(tmp_path / "notes.txt", uploads=tmp_path)
    assert all(name in str(refused.value) for name in readable_formats())


def test_a_person_may_say_which_format_it_is(tmp_path):
    (tmp_path / "list.txt").write_text("path,label\na.png,cat\n")
    source = open_source(tmp_path / "list.txt", uploads=tmp_path, format="csv")
    assert [(entry.name, entry.class_name) for entry in source.entries] == [("a.png", "cat")]
    with pytest.raises(SourceError, match="There is no format 'xml' to read"):
        open_source(tmp_path / "list.txt", uploads=tmp_path, format="xml")


def test_the_recipe_of_the_documentation_is_a_format(tmp_path, monkeypatch, painter):
    page = (PAGE.parent / "extending.md").read_text()
    recipe = page.partition("<!-- recipe: format -->\n```python\n")[2].partition("```")[0]
    (tmp_path / "formats").mkdir()
    (tmp_path / "formats" / "lines.py").write_text(recipe)
    monkeypatch.setattr(app.formats, "__path__", [*app.formats.__path__, str(tmp_path / "formats")])
    all_formats.cache_clear()
    try:
        (tmp_path / "a.png").write_bytes(painter.encoded())
        sample = ExportedSample(1, str(tmp_path / "a.png"), "", 6, 4, (Decision("label", "cat", "ada"),))
        export = Export("p", ("cat", "dog"), (sample,))
        writable_formats()["lines"].write(export, tmp_path)
        source = open_source(tmp_path / "labels.lines", uploads=tmp_path)
        assert [(entry.path, entry.class_name) for entry in source.entries] == [(tmp_path / "a.png", "cat")]
        assert (
            what_is_lost(export, writable_formats()["lines"].holds) == "This format cannot hold who labeled (1 names)."
        )
    finally:
        all_formats.cache_clear()
        sys.modules.pop("app.formats.lines", None)
