"""What every kind of sample does, whichever it is."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from app.browser import FOLDER
from app.formats.errors import RefusedSampleError
from app.formats.reading import AS_IT_IS, Reading
from app.formats.registry import open_source
from app.formats.source import Entry
from app.kinds.kind import KINDS, kind_named, kind_of_columns
from app.screens.content.sample import CONTENTS
from loops.embeddings.kinds import KINDS as EMBEDDED
from loops.embeddings.kinds import backbone_of, candidates_of
from storage.samples import SampleInfo


def an_image(folder: Path, number: int) -> Entry:
    Image.new("L", (8, 8), number).save(folder / f"{number}.png")
    return Entry(folder, f"{number}.png")


GOOD: dict[str, Callable[[Path, int], Entry]] = {
    "image": an_image,
    "text": lambda folder, number: Entry(folder, f"texts.csv:{number}", text=f"text {number}"),
    "table": lambda folder, number: Entry(folder, f"rows.csv:{number}", text=f'{{"age": "{number}", "city": ""}}'),
}
BAD: dict[str, Callable[[Path], Entry]] = {
    "image": lambda folder: Entry(folder, "gone.png"),
    "text": lambda folder: Entry(folder, "texts.csv:2", text=" "),
    "table": lambda folder: Entry(folder, "rows.csv:2", text='{"age": " "}'),
}


def stored(kind: str, entry: Entry) -> SampleInfo:
    admitted = kind_named(kind).admit(entry)
    size = (admitted.width, admitted.height)
    return SampleInfo(7, admitted.uri, admitted.sha256, *size, "pool", None, 0.5, admitted.content)


def test_every_kind_has_its_counterpart_in_the_loops_on_the_pages_and_in_the_browser():
    assert set(GOOD) == set(BAD) == set(EMBEDDED) == set(CONTENTS) == set(KINDS)
    for name in KINDS:
        assert all((FOLDER / "content" / f"{name}.{suffix}").is_file() for suffix in ("js", "css"))


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_sample_twice_has_one_hash_and_another_has_another(kind, tmp_path):
    first, again, other = (stored(kind, GOOD[kind](tmp_path, number)) for number in (1, 1, 2))
    assert first.sha256 == again.sha256 != other.sha256


@pytest.mark.parametrize("kind", KINDS)
def test_a_bad_sample_is_refused_with_a_reason(kind, tmp_path):
    with pytest.raises(RefusedSampleError) as refused:
        kind_named(kind).admit(BAD[kind](tmp_path))
    assert refused.value.reason


@pytest.mark.parametrize("large", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_shown_is_plain_data_that_names_its_kind(kind, large, tmp_path):
    shown = kind_named(kind).show(stored(kind, GOOD[kind](tmp_path, 1)), large=large, kept=tmp_path / "kept")
    assert json.loads(json.dumps(shown)) == shown
    assert shown["kind"] == kind
    assert CONTENTS[kind].cell(shown)


@pytest.mark.parametrize("kind", KINDS)
def test_a_copy_is_a_file_that_has_a_plain_name(kind, tmp_path):
    copied = kind_named(kind).copy(stored(kind, GOOD[kind](tmp_path, 1)))
    assert copied.content
    assert Path(copied.name).name == copied.name


@pytest.mark.parametrize("kind", KINDS)
def test_a_sample_that_is_there_can_be_loaded(kind, tmp_path):
    sample = stored(kind, GOOD[kind](tmp_path, 1))
    assert kind_named(kind).is_there(sample)
    assert len(kind_named(kind).load(sample.uri, sample.content))


@pytest.mark.parametrize("kind", KINDS)
def test_the_loops_have_an_embedding_for_every_kind_and_the_kind_a_predictor_for_it(kind):
    candidates = candidates_of(kind, [])
    assert candidates
    assert [backbone_of(name).name for name in candidates] == list(candidates)
    assert kind_named(kind).PREDICTORS[0] == "auto"


@pytest.mark.parametrize(
    ("columns", "kind"),
    [
        (["path", "label"], "image"),
        (["text", "label"], "text"),
        (["label", "text", "path"], "image"),
        (["age", "city", "label"], "table"),
    ],
)
def test_the_kind_is_told_by_the_columns(columns, kind, tmp_path):
    assert kind_of_columns(columns, Reading(text_column="text", label_column="label")) == kind
    assert opened(tmp_path, columns).kind == kind


def test_a_person_may_say_otherwise(tmp_path):
    assert opened(tmp_path, ["path", "text"], Reading(kind="text")).kind == "text"
    assert opened(tmp_path, ["path", "text"], Reading(kind="table")).kind == "table"
    assert opened(tmp_path, ["body", "stars"], Reading(text_column="body", label_column="stars")).kind == "text"


def opened(folder, columns, reading=AS_IT_IS):
    (folder / "list.csv").write_text(f"{','.join(columns)}\n{','.join('x' for _ in columns)}\n")
    return open_source(folder / "list.csv", uploads=folder, reading=reading)
