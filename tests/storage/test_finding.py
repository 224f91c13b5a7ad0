from __future__ import annotations

import json

import pytest

from storage.finding import find_samples, sample_names
from storage.samples import NewSample, add_samples

ROWS = [{"Age": "51", "Sector": "Private"}, {"Age": "9", "Sector": "State"}, {"Age": "70", "Sector": ""}]


@pytest.fixture
def rows(world):
    """Three rows of a table after the images of the world; ids by their place."""
    samples = [
        NewSample(f"/tables/adult.csv#{place}", f"{place:064}", 0, 0, "pool", content=json.dumps(row))
        for place, row in enumerate(ROWS)
    ]
    with world.database.write() as session:
        add_samples(session, project_id=world.project_id, samples=samples)
    with world.database.read() as session:
        names = sample_names(session, project_id=world.project_id)
    return [next(one for one, name in names.items() if name == f"adult.csv#{place}") for place in range(3)]


@pytest.mark.parametrize(
    ("wanted", "places"),
    [
        ("age > 50", [0, 2]),
        ("age >= 51 and sector = private", [0]),
        ("Age != 9", [0, 2]),
        ("sector != Private", [1, 2]),
        ("sector > Private", []),  # a word is neither more nor less
        ("adult.csv#1", [1]),
        ("private", [0]),
        ("height > 2", []),  # no such column: looked for as a text
    ],
)
def test_rows_are_found_by_their_columns_by_a_text_and_by_name(world, rows, wanted, places):
    with world.database.read() as session:
        found = find_samples(session, project_id=world.project_id, wanted=wanted)
    assert found == {rows[place] for place in places}
