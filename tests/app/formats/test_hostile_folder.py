from __future__ import annotations

from app.formats.folders import read_folder
from app.formats.source import printable
from app.project.importing import run_import
from storage.refusals import list_refusals
from storage.samples import count_samples, list_samples


def test_the_corpus_holds_more_than_twenty_kinds_of_bad_files(hostile):
    assert len(hostile.refused) >= 30
    assert len(hostile.good) >= 20
    assert len(hostile.duplicates) == 3


def test_every_good_file_is_in_and_every_bad_one_is_listed_with_its_reason(hostile, database, project_id):
    report = run_import(database, project_id=project_id, source=read_folder(hostile.folder))
    with database.read() as session:
        added = list_samples(session, project_id=project_id, split="pool")
        kept = list_refusals(session, project_id=project_id)
    assert {sample.uri for sample in added} == {str((hostile.folder / name).resolve()) for name in hostile.good}
    assert report.added == len(hostile.good)
    reasons = {refused.name: refused.reason for refused in report.refused}
    assert reasons.keys() == hostile.refused.keys()
    assert [name for name, words in hostile.refused.items() if words not in reasons[name]] == []
    assert {(refusal.uri, refusal.reason) for refusal in kept} == set(reasons.items())


def test_duplicates_are_named_together_with_the_first_of_them(hostile, database, project_id):
    report = run_import(database, project_id=project_id, source=read_folder(hostile.folder))
    reasons = {duplicate.name: duplicate.reason for duplicate in report.duplicates}
    assert reasons == {name: f"is the same image as {first}" for name, first in hostile.duplicates.items()}


def test_what_is_listed_is_one_printable_line_each(hostile, database, project_id):
    report = run_import(database, project_id=project_id, source=read_folder(hostile.folder))
    for listed in (*report.refused, *report.duplicates):
        assert printable(listed.name + listed.reason) == listed.name + listed.reason


def test_a_second_import_of_the_folder_adds_nothing_and_says_so(hostile, database, project_id):
    first = run_import(database, project_id=project_id, source=read_folder(hostile.folder))
    again = run_import(database, project_id=project_id, source=read_folder(hostile.folder))
    assert again.added == 0
    assert len(again.duplicates) == first.added + len(first.duplicates)
    assert sum(listed.reason == "is in the project already" for listed in again.duplicates) == first.added
    with database.read() as session:
        assert count_samples(session, project_id=project_id).pool == first.added
