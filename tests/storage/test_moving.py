from contextlib import closing

import pytest

from storage.errors import DatabaseNotEmptyError, JournalThereError
from storage.labels import current_labels, list_events, record_decision
from storage.moving import copy_database
from storage.opening import open_database
from storage.projects import create_project, get_or_create_annotator, list_classes
from storage.samples import NewSample, add_samples


def test_every_row_is_there_and_work_goes_on(database, tmp_path):
    with database.write() as session:
        project_id = create_project(session, name="pets", classes=["cat", "dog"], seed=0)
        samples = [NewSample(f"{k}.png", f"{k:064}", 1, 1, "pool", None) for k in range(3)]
        add_samples(session, project_id=project_id, samples=samples)
        ada = get_or_create_annotator(session, project_id=project_id, name="ada")
        for sample_id in (1, 2, 1):
            decide(session, project_id, ada, sample_id)
    url = f"sqlite:///{tmp_path / 'moved' / 'labelloop.db'}"
    (tmp_path / "moved").mkdir()
    rows = copy_database(database, url)
    assert (rows["samples"], rows["label_events"], rows["classes"]) == (3, 3, 2)
    with closing(open_database(url)) as moved, moved.write() as session, database.read() as old:
        for read in (list_events, current_labels, list_classes):
            assert read(session, project_id=project_id) == read(old, project_id=project_id)
        assert decide(session, project_id, ada, 3).id == 4
    with pytest.raises(DatabaseNotEmptyError):
        copy_database(database, url)
    second = tmp_path / "moved" / "second.db"
    with pytest.raises(JournalThereError, match="name another folder"):
        copy_database(database, f"sqlite:///{second}")
    assert not second.exists()


def decide(session, project_id, ada, sample_id):
    count = len(list_events(session, project_id=project_id))
    return record_decision(
        session, project_id=project_id, sample_id=sample_id, annotator_id=ada, action="label", class_index=count % 2,
        request_id=f"r{count}",
    )  # fmt: skip
