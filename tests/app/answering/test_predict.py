from __future__ import annotations

import csv
import json
import zipfile
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

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
    source = texts(tmp_path, *(f"a{k}" for k in range(5)))
    kept = broken_off(source, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    kept.write_text(kept.read_text() + '{"key": "cut o')  # the machine went down within a line
    done = predict(letters, [source], tmp_path / "out", format="csv", reading=AS_IT_IS)
    assert (done.samples, done.known_before, letters.asked) == (5, 2, ["a2", "a3", "a4"])
    assert not kept.exists()


def broken_off(source: Path, out: Path) -> Path:
    """Answers for the first two samples, and is killed; returns the answers that are kept."""

    class Killed(FirstLetter):
        def probs(self, samples):
            if self.asked:
                raise KeyboardInterrupt
            return super().probs(samples)

    with pytest.raises(KeyboardInterrupt):
        predict(Killed(), [source], out, format="csv", reading=AS_IT_IS)
    return out.with_name(f".{out.name}.answers.jsonl")


def test_what_changed_since_it_was_answered_is_asked_about_again(letters: FirstLetter, tmp_path: Path) -> None:
    broken_off(texts(tmp_path, "ant", "ape", "asp"), tmp_path / "out")
    done = predict(letters, [texts(tmp_path, "ant", "bee", "asp")], tmp_path / "out", format="csv", reading=AS_IT_IS)
    assert (done.known_before, letters.asked) == (1, ["bee", "asp"])
    assert [label for label, _ in written(tmp_path / "out")] == ["a", "b", "a"]


@pytest.mark.parametrize("damage", [b"\xff\xfe", b"{}", b"[" * 100_000, b'{"key": 1}', b"5"])
def test_a_damaged_answer_is_asked_for_again(letters: FirstLetter, tmp_path: Path, damage: bytes) -> None:
    source = texts(tmp_path, "ant", "ape", "asp")
    kept = broken_off(source, tmp_path / "out")
    head, first, second, _ = kept.read_bytes().split(b"\n")
    kept.write_bytes(b"\n".join([head, damage + first[:5], second, damage, b""]))
    assert predict(letters, [source], tmp_path / "out", format="csv", reading=AS_IT_IS).samples == 3
    assert letters.asked in (["ant", "asp"], ["ant", "ape", "asp"])


def test_what_is_named_twice_is_answered_once(letters: FirstLetter, tmp_path: Path) -> None:
    source = texts(tmp_path, "ant", "ant")
    done = predict(letters, [source, source], tmp_path / "out", format="csv", reading=AS_IT_IS)
    assert done.samples == 2, "two rows that say the same are two"


def test_a_picture_in_an_archive_is_named_in_it_and_copied_out_of_it(tmp_path: Path) -> None:
    packed = BytesIO()
    Image.new("RGB", (4, 4), "red").save(packed, "PNG")
    with zipfile.ZipFile(tmp_path / "photos.zip", "w") as archive:
        archive.writestr("pets/one.png", packed.getvalue())

    class Seen(FirstLetter):
        def probs(self, samples):
            return super().probs([str(one.shape) for one in samples])

    for format_, number in (("csv", 1), ("folders", 2)):
        out = tmp_path / f"out{number}"
        assert predict(Seen("image"), [tmp_path / "photos.zip"], out, format=format_, reading=AS_IT_IS).samples == 1
    with (tmp_path / "out1" / "predictions.csv").open() as file:
        assert [row["uri"] for row in csv.DictReader(file)] == [str(tmp_path / "photos.zip" / "pets" / "one.png")]
    assert [path.read_bytes() for path in (tmp_path / "out2").rglob("*.png")] == [packed.getvalue()]


def test_what_was_broken_off_within_an_archive_goes_on(letters: FirstLetter, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "texts.zip", "w") as archive:
        archive.write(texts(tmp_path, "ant", "ape", "asp"), "texts.csv")
    broken_off(tmp_path / "texts.zip", tmp_path / "out")
    predict(letters, [tmp_path / "texts.zip"], tmp_path / "out", format="csv", reading=AS_IT_IS)
    assert letters.asked == ["asp"]


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
