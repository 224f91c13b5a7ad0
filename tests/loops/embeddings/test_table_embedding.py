from __future__ import annotations

import json

import numpy as np
import pytest

from loops.embeddings.columns import READERS, OddValues, as_days, as_number, read_columns
from loops.embeddings.embedders import embedder_of, fit
from loops.embeddings.kinds import backbone_of
from loops.embeddings.table_embedding import FARTHEST, TableEmbedder, learn_columns

# Ages 0..99, ninety reds and ten blues, a hundred names, and a date that one row lacks.
POOL = [
    {
        "age": str(number),
        "color": "blue" if number % 10 == 0 else "red",
        "name": f"person {number}",
        "born": "" if number == 5 else f"2020-01-{1 + number % 20:02d}",
    }
    for number in range(100)
]


def embedded(*rows):
    return TableEmbedder(learn_columns(POOL)).embed(rows)


def test_each_column_is_taken_for_what_nearly_all_of_its_values_are():
    facts = learn_columns(POOL)
    assert [facts[name]["kind"] for name in POOL[0]] == ["number", "category", "other", "date"]
    assert facts["color"]["shares"] == {"red": 0.9, "blue": 0.1}
    assert facts["born"]["given"] == 0.99
    assert facts["age"]["mean"] == pytest.approx(49.5)


def test_numbers_are_standardized_and_no_wild_one_outweighs_the_rest():
    middle, wild = embedded({**POOL[1], "age": "49.5"}, {**POOL[1], "age": "1e9"})
    assert middle[0] == pytest.approx(0.0, abs=1e-6)
    assert wild[0] == FARTHEST


def test_what_is_missing_is_as_the_mean_and_marked():
    there, missing = embedded(POOL[50], {**POOL[50], "age": ""})
    assert missing[0] == pytest.approx(0.0, abs=1e-6)
    assert missing[1] > there[1]


def test_rows_of_one_category_are_nearer_than_rows_of_two():
    red, same, blue = embedded(
        {**POOL[1], "age": "50"},
        {**POOL[2], "age": "50", "born": POOL[1]["born"]},
        {**POOL[1], "age": "50", "color": "blue"},
    )
    assert np.linalg.norm(red - same) < 1e-6 < np.linalg.norm(red - blue)


def test_a_new_category_is_like_the_other_uncommon_ones_and_a_new_column_is_nothing():
    green, pink = embedded({**POOL[1], "color": "green"}, {**POOL[1], "color": "pink", "weight": "7"})
    assert (green == pink).all()


def test_what_was_learned_is_json_and_embeds_the_same_later(tmp_path):
    fit(backbone_of("columns"), tmp_path, np.arange(100), POOL.__getitem__)
    assert json.loads((tmp_path / "columns.json").read_text()) == learn_columns(POOL)
    embedder = embedder_of(backbone_of("columns"), tmp_path)
    assert (embedder.embed([embedder.prepare(POOL[3])]) == embedded(POOL[3])).all()


def test_a_row_of_another_table_is_refused_and_one_that_shares_a_column_is_not():
    table = TableEmbedder(learn_columns([{"age": "1", "color": "red"}]))
    assert table.prepare({"age": "2", "weight": "7"}) == {"age": "2", "weight": "7"}
    with pytest.raises(ValueError, match="has none of the columns age, color"):
        table.prepare({"weight": "7"})


@pytest.mark.parametrize("rows", [[{"a": "1"}], [{"a": ""}], [{"a": "x"}], [{"a": "nan"}, {"a": "1"}], [{}]])
def test_the_smallest_tables_can_be_learned_from(rows):
    found = TableEmbedder(learn_columns(rows)).embed([*rows, {"a": "2"}, {"b": "3"}])
    assert len(found) == len(rows) + 2
    assert np.isfinite(found).all()


@pytest.mark.parametrize(
    ("name", "value", "word"),
    [
        ("age", "50", ""),
        ("age", "99.9", "unusually high"),
        ("age", "-3", "unusually low"),
        ("age", "", "missing"),
        ("color", "green", "rare"),
        ("color", "blue", ""),
        ("name", "somebody else", ""),
        ("born", "2031-01-01", "unusually high"),
        ("weight", "7", ""),
    ],
)
def test_what_is_unusual_in_the_pool_is_said(name, value, word):
    assert OddValues(learn_columns(POOL)).word_on(name, value) == word


def test_nothing_is_unusual_before_the_pool_was_looked_at(tmp_path):
    assert read_columns(tmp_path / "columns.json").word_on("age", "1e9") == ""


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("(7)", -7),
        ("($1,234.50)", -1234.5),
        ("$5", 5),
        ("-$5", -5),
        ("12 %", 12),
        ("\u22123", -3),
        ("1,234,567", 1234567),
    ],
)
def test_numbers_of_bookkeeping_are_numbers(value, number):
    assert as_number(value) == number


@pytest.mark.parametrize(
    ("values", "kind", "mean"),
    [
        (["0,5", "1,5"], "number with comma", 1),
        (["1.000,5", "1.001,5", "-2"], "number with comma", 2000 / 3),
        (["1,000.5", "2", "3"], "number", 1005.5 / 3),
        (["02.01.1970", "4.1.70"], "date, day first", 2),
        (["1/13/1970", "1/15/1970 12:00"], "date, month first", 13.25),
        (["13/1/1970", "15/01/1970"], "date, day first", 13),
        (["1970-01-02T00:00:00Z", "1970-01-04"], "date", 2),
    ],
)
def test_a_column_is_read_as_its_country_writes_it(values, kind, mean):
    facts = learn_columns([{"a": value} for value in values])["a"]
    low, high = np.quantile([READERS[kind](value) for value in values], (0.01, 0.99))
    assert facts["kind"] == kind
    assert facts["mean"] == pytest.approx(mean, rel=0.02)
    assert (facts["low"], facts["high"]) == (low, high)


@pytest.mark.parametrize("none", ["NA", "n/a", "NaN", "null", "?", "-", ""])
def test_every_way_to_say_that_a_number_is_missing_is_one(none):
    rows = [{"a": str(number) if number % 2 else none} for number in range(100)]
    facts = learn_columns(rows)
    assert (facts["a"]["kind"], facts["a"]["given"], facts["a"]["mean"]) == ("number", 0.5, pytest.approx(50))
    there, missing = TableEmbedder(facts).embed([{"a": "50"}, {"a": none}])
    assert there[0] == pytest.approx(missing[0], abs=1e-6)
    assert there[1] < 0 < missing[1]


def test_a_category_may_be_called_none():
    facts = learn_columns([{"garage": "none" if number % 2 else "yes"} for number in range(100)])
    assert facts["garage"]["shares"] == {"none": 0.5, "yes": 0.5}


def test_what_no_measure_of_anything_is_as_large_as_costs_no_other_number():
    facts = learn_columns([{"a": "1e308" if number == 0 else str(number % 2)} for number in range(100)])
    assert facts["a"]["mean"] == pytest.approx(50 / 99)


def test_numbers_and_dates_are_read_as_people_write_them():
    assert [as_number(value) for value in (" 1.5 ", "1e3", "nan", "inf", "x")] == [1.5, 1000.0, None, None, None]
    assert as_days("1970-01-02") == 1.0
    assert as_days("1970-01-01T12:00:00") == 0.5
    assert as_days("yesterday") is None


def test_minutes_and_seconds_of_a_moment_count_and_its_zone_is_taken_off():
    assert as_days("1970-01-01T00:36:00") == pytest.approx(0.025)
    assert as_days("1970-01-01T12:00:00+06:00") == as_days("1970-01-01T06:00:00Z") == 0.25
    assert READERS["date, day first"]("1.1.1970 0:36:00") == pytest.approx(0.025)
    assert READERS["date, month first"]("1/2/1970 00:00:54") == pytest.approx(1.000625)


def test_a_name_with_an_underscore_is_no_number():
    assert as_number("1_000") is None
    assert learn_columns([{"a": name} for name in ("1_2", "1_3", "1_2", "1_3")])["a"]["shares"] == {
        "1_2": 0.5,
        "1_3": 0.5,
    }


@pytest.mark.parametrize(
    ("pool", "here", "elsewhere"),
    [
        (["38.5", "39.25", "40.5"], "39.1", "39,1"),
        (["38,5", "39,25", "40,5"], "39,1", "39.1"),
        (["1970-01-02", "1970-01-20"], "1970-01-13", "13.1.1970"),
        (["13.1.1970", "20.1.1970"], "14.1.1970", "1970-01-14"),
    ],
)
def test_a_later_file_of_another_country_is_read_as_the_pool_where_it_can_be(pool, here, elsewhere):
    facts = learn_columns([{"a": value} for value in pool])
    as_here, as_elsewhere, no_number = TableEmbedder(facts).embed([{"a": here}, {"a": elsewhere}, {"a": "x"}])
    assert as_here.tolist() == as_elsewhere.tolist() != no_number.tolist()
    assert OddValues(facts).word_on("a", here) == OddValues(facts).word_on("a", elsewhere)
