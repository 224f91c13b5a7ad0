"""Texts and rows leave with their labels and come back with them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone

import pytest

from app.formats.export import EVENT_COLUMNS, Export, ExportedSample
from app.formats.label_rows import LABEL_COLUMNS, PREDICTION_COLUMNS
from app.formats.registry import open_source, writable_formats
from app.formats.source import Decision, Prediction
from app.kinds.table import TAKEN

NOON = datetime(2026, 7, 1, 12, tzinfo=timezone.utc)
ADA = Decision("label", "dog, wet", "ada", NOON, 1.5, "audit")
ROW = '{"Age": "40", "label": "a", "label_": "b", "annotator": "c", "path": "d"}'
KINDS = {"text": 'Zwei\nZeilen, "so"', "table": ROW}


def exported(kind: str, **more: object) -> Export:
    sample = ExportedSample(1, "pool.csv:2", "1" * 64, 0, 0, (ADA,), kind=kind, content=KINDS[kind])
    skipped = replace(sample, id=2, uri="pool.csv:3", sha256="2" * 64, decisions=(Decision("skip", "", "ada", NOON),))
    event = dict.fromkeys(EVENT_COLUMNS) | {
        "sample_id": 1, "uri": sample.uri, "sha256": sample.sha256, "label": "dog, wet", "action": "label",
        "annotator": "ada", "created_at": NOON.isoformat(), "lead_time_s": 1.5, "purpose": "audit",
        "request_id": "r1", "event_id": 1,
    }  # fmt: skip
    skip = event | {"uri": skipped.uri, "sha256": skipped.sha256, "label": None, "action": "skip", "event_id": 2}
    return replace(Export("p", ("dog, wet",), (sample, skipped), (event, skip), kind=kind), **more)


@pytest.mark.parametrize("name", ["csv", "jsonl", "parquet"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_text_or_a_row_comes_back_under_its_name_and_so_does_what_was_skipped(tmp_path, kind, name):
    writable_formats()[name].write(exported(kind), tmp_path)
    source = open_source(tmp_path, uploads=tmp_path)
    assert [(entry.name, entry.text, entry.decisions) for entry in source.entries] == [
        ("pool.csv:2", KINDS[kind], (ADA,)),
        ("pool.csv:3", KINDS[kind], (Decision("skip", "", "ada", NOON, 1.5, "audit"),)),
    ]
    assert source.notes == ()
    next(tmp_path.glob("unlabeled.*")).unlink()  # an earlier export has none
    source = open_source(tmp_path, uploads=tmp_path)
    assert [entry.name for entry in source.entries] == ["pool.csv:2"]
    assert source.notes == ("1 samples without a label are not in the export, and stay out.",)


@pytest.mark.parametrize("kind", KINDS)
def test_the_list_of_labels_alone_gives_them_without_the_columns_of_the_export(tmp_path, kind):
    writable_formats()["csv"].write(exported(kind), tmp_path)
    (entry,) = open_source(tmp_path / "labels.csv", uploads=tmp_path).entries
    assert (entry.text, entry.decisions) == (KINDS[kind], (ADA,))


@pytest.mark.parametrize("name", ["csv", "jsonl", "parquet"])
def test_what_a_model_answered_stands_beside_the_text_or_row_it_answered_for(tmp_path, name):
    whole = exported("table")
    answered = replace(whole.samples[1], predictions=(Prediction("dog, wet", 0.75, "round-2"),))
    writable_formats()[name].write(replace(whole, samples=(whole.samples[0], answered)), tmp_path)
    entries = open_source(tmp_path, uploads=tmp_path).entries
    assert [entry.text for entry in entries] == [ROW, ROW]
    assert entries[1].predictions == (Prediction("dog, wet", 0.75, "round-2"),)


def test_every_column_of_an_export_is_known_to_rows_which_may_have_one_of_the_same_name():
    assert set(TAKEN) == {"path", "acquisition_prob", *LABEL_COLUMNS, *PREDICTION_COLUMNS}
