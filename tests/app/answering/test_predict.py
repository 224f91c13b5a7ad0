from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from app.answering.predict import predict
from app.errors import AnsweringError, ExportError
from app.formats.errors import SourceError
from app.formats.reading import AS_IT_IS
from tests.app.answering.conftest import FirstLetter


def texts(folder: Path, *lines: str) -> Path:
    path = folder / "texts.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([["text"], *([line] for line in lines)])
    return path


def written(out: Path) -> list[tuple[str, str]]:
    with (out / "predictions.csv").open() as file:
        return [(row["label"], row["probability"]) for row in csv.DictReader(file)]


def test_each_sample_is_answered_with_its_probability(letters: FirstLetter, tmp_path: Path) -> None:
    done = predict(letters, [texts(tmp_path, "an ape", "bee", "ant")], tmp_path / "out", format="csv", reading=AS_IT_IS)
    assert (done.samples, done.refused, done.as_labels) == (3, (), False)
    assert written(tmp_path / "out") == [("a", "0.9"), ("b", "0.8"), ("a", "0.9")]


def test_what_was_broken_off_goes_on_and_asks_only_about_the_rest(letters: FirstLetter, tmp_path: Path) -> None:
    source = texts(tmp_path, *(f"a{k}" for k in range(7)))

    class Killed(FirstLetter):
        def probs(self, samples):
            if len(self.asked) == 4:
                raise KeyboardInterrupt
            return super().probs(samples)

    with pytest.raises(KeyboardInterrupt):
        predict(Killed(), [source], tmp_path / "out", format="csv", reading=AS_IT_IS)
    assert not (tmp_path / "out").exists()
    kept = tmp_path / ".out.answers.jsonl"
    kept.write_text(kept.read_text() + '{"key": "cut o')  # the machine went down within a line
    done = predict(letters, [source], tmp_path / "out", format="csv", reading=AS_IT_IS)
    assert (done.samples, done.known_before, letters.asked) == (7, 4, ["a4", "a5", "a6"])
    assert not kept.exists()


def test_another_model_begins_anew(letters: FirstLetter, tmp_path: Path) -> None:
    kept = tmp_path / ".out.answers.jsonl"
    kept.write_text(json.dumps({"name": "letters", "version": "round-2", "classes": ["a", "b"]}) + "\n{}\n")
    done = predict(letters, [texts(tmp_path, "a")], tmp_path / "out", format="csv", reading=AS_IT_IS)
    assert (done.samples, done.known_before) == (1, 0)


def test_a_format_that_holds_no_predictions_gets_labels_of_the_model(letters: FirstLetter, tmp_path: Path) -> None:
    source = texts(tmp_path, "ape", "bee")
    done = predict(letters, [source], tmp_path / "out", format="folders", reading=AS_IT_IS)
    assert done.as_labels
    assert {path.parent.name: path.read_text() for path in (tmp_path / "out").glob("*/*.txt")} == {
        "a": "ape",
        "b": "bee",
    }


def test_what_cannot_be_answered_is_listed_and_costs_no_other(letters: FirstLetter, tmp_path: Path) -> None:
    source = texts(tmp_path, "odd", "ape", " ", "bee")
    done = predict(letters, [source], tmp_path / "out", format="jsonl", reading=AS_IT_IS)
    assert done.samples == 2
    assert {refused.reason for refused in done.refused} == {"cannot be embedded: odd", "is empty"}


def test_single_files_are_samples_too(letters: FirstLetter, tmp_path: Path) -> None:
    (tmp_path / "ape.txt").write_text("ape")
    done = predict(letters, [tmp_path / "ape.txt"], tmp_path / "out", format="csv", reading=AS_IT_IS)
    assert (done.samples, letters.asked) == (1, ["ape"])


def test_refusals_are_sentences(letters: FirstLetter, tmp_path: Path) -> None:
    source = texts(tmp_path, "ape")
    with pytest.raises(ExportError, match="no export format 'x'"):
        predict(letters, [source], tmp_path / "out", format="x", reading=AS_IT_IS)
    with pytest.raises(SourceError, match="no such file"):
        predict(letters, [tmp_path / "nowhere"], tmp_path / "out", format="csv", reading=AS_IT_IS)
    with pytest.raises(AnsweringError, match=r"not one sample.*the first: texts\.csv:2 is empty"):
        predict(letters, [texts(tmp_path, " ")], tmp_path / "out", format="csv", reading=AS_IT_IS)
