"""Reads what other tools write, and has them read what is written here: the sample digits, texts and rows, by labels.

The tools have a Python of their own, for their requirements exclude ours:

    python -m venv tools && tools/bin/pip install datasets mlcroissant pycocotools argilla
    python benchmarks/check_formats.py --python tools/bin/python --out out

Prints a table of what was read by whom. Ends with 1 when anything differs.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
from collections import Counter
from csv import writer
from pathlib import Path

from app.formats.registry import open_source, writable_formats
from app.project.creation import make_project
from app.project.exporting import export
from app.project.settings import ProjectSettings
from storage.projects import kind_of_samples

SAMPLES = 200
CLASSES = ("test", "valid", "bullet train", "C++", "dog, wet", "5", "6", "7", "8", "9")  # in the digits' order
ODD = ("=x", 'two\nlines, "so"', "مرحبا", "🐱", " space", "a.png")  # what texts and values begin with
HEADERS = {"texts": ("text",), "rows": ("age", 'Größe "x", y', "a/b")}
DIGITS = Path(__file__).parent.parent / "sample_data" / "digits"

THEIRS = {
    # tool: what it prints as JSON of our export, labels by count
    ("datasets", "hugging-face"): """
import datasets
print(json.dumps(Counter(datasets.load_dataset("imagefolder", data_dir=str(out / "hugging-face"))["train"]["label"])))
""",
    ("mlcroissant", "croissant"): """
import mlcroissant
records = mlcroissant.Dataset(str(out / "croissant" / "croissant.json")).records(record_set="labels")
print(json.dumps(Counter(record["labels/label"].decode() for record in records)))
""",
    ("pycocotools", "coco"): """
import contextlib, io
from pycocotools.coco import COCO
with contextlib.redirect_stdout(io.StringIO()):
    coco = COCO(str(out / "coco" / "annotations.json"))
names = {one["id"]: one["name"] for one in coco.loadCats(coco.getCatIds())}
print(json.dumps(Counter(names[one["category_id"]] for one in coco.loadAnns(coco.getAnnIds()))))
""",
}
OURS = {
    # what a tool writes, from our Hugging Face export: the folder or file that we read then
    "datasets-disk": 'table.save_to_disk(str(out / "datasets-disk"))',
    "datasets.parquet": 'table.to_parquet(str(out / "datasets.parquet"))',
    "datasets-splits": 'table.train_test_split(0.25, seed=0).save_to_disk(str(out / "datasets-splits"))',
}
# Its library wants a server for whatever it makes, and asks it nothing while it only reads and writes records.
_ARGILLA = """
import argilla
from types import SimpleNamespace
from unittest.mock import MagicMock
from argilla.client import Argilla
from argilla.records._io._json import JsonIO
Argilla._get_default = classmethod(lambda _: MagicMock())
settings = argilla.Settings.from_json(out / "argilla" / "settings.json")
told = json.loads((out / "argilla" / "records.json").read_text())
records = [argilla.Record.from_dict(one, dataset=SimpleNamespace(settings=settings)) for one in told]
"""
IN_ROWS = {
    # as above, of texts and rows
    ("datasets", "hugging-face"): """
import datasets
table = datasets.load_dataset(str(out / "hugging-face"))["train"]
print(json.dumps(Counter(map(table.features["label"].int2str, table["label"]))))
""",
    ("mlcroissant", "croissant"): THEIRS["mlcroissant", "croissant"],
    ("argilla", "argilla"): f"""{_ARGILLA}
assert all(record.api_model().fields for record in records)
print(json.dumps(Counter(record.responses["label"][0].value for record in records)))
""",
}
_ROWS_TABLE = """
import datasets
table = datasets.load_dataset(str(out / "hugging-face"))["train"]
plain = table.remove_columns(["uri", "sha256", "annotator", "created_at", "lead_time_s", "purpose", "flagged"])
"""
OURS_IN_ROWS = {
    "argilla.json": f'{_ARGILLA}JsonIO.to_json(records, out / "argilla.json")',
    "datasets-plain": f'{_ROWS_TABLE}plain.save_to_disk(str(out / "datasets-plain"))',
    "datasets-folder": f"""{_ROWS_TABLE}
(out / "datasets-folder" / "data").mkdir(parents=True)
for split, part in plain.train_test_split(0.25, seed=0).items():
    part.to_parquet(str(out / "datasets-folder" / "data" / f"{{split}}-00000-of-00001.parquet"))""",
    **{name: f"{_ROWS_TABLE}{script}" for name, script in OURS.items()},
}
_TABLE = """
import datasets
table = datasets.load_dataset("imagefolder", data_dir=str(out / "hugging-face"))["train"]
table = table.class_encode_column("label")
"""
_HEAD = """
import json, os, pathlib, sys
from collections import Counter
os.environ["HF_HUB_OFFLINE"] = "1"
out = pathlib.Path(sys.argv[1])
"""


def main() -> None:
    """Write, have it read, have it written, read."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", type=Path, required=True, help="that has the tools")
    parser.add_argument("--out", type=Path, required=True, help="a new folder")
    options = parser.parse_args()
    out = options.out.resolve()
    images = {name: f"{_TABLE}{script}" for name, script in OURS.items()}
    same = check(options.python, out / "images", THEIRS, images, digits(out / "images"))
    for kind, header in HEADERS.items():
        same &= check(options.python, out / kind, IN_ROWS, OURS_IN_ROWS, in_rows(out / kind, header))
    raise SystemExit(not same)


def check(
    python: Path, out: Path, theirs: dict[tuple[str, str], str], ours: dict[str, str], classes: list[str]
) -> bool:
    """Have one project of every kind read by the tools, and read what they write of it."""
    wanted = labeled_project(out, classes)
    same = True
    for (tool, name), script in theirs.items():
        same &= report(tool, f"reads our {name}, {out.name}", run(python, script, out), wanted)
    for name, script in ours.items():
        run(python, f'{script}\nprint("{{}}")', out)
        source = open_source(out / name, uploads=out / "uploads")
        same &= report("we", f"read {name}, {out.name}", dict(source.labels_per_class), wanted)
    return same


def in_rows(out: Path, header: tuple[str, ...]) -> list[str]:
    """Write a list of texts, or of rows, that no two have in common; return their classes."""
    out.mkdir(parents=True)
    classes = [CLASSES[number * number % len(CLASSES)] for number in range(SAMPLES)]
    with (out / "list.csv").open("w", newline="", encoding="utf-8") as file:
        lines = writer(file)
        lines.writerow((*header, "label"))
        for number, name in enumerate(classes):
            lines.writerow((*(f"{ODD[number % len(ODD)]} {number}" for _ in header), name))
    return classes


def digits(out: Path) -> list[str]:
    """Copy digits and write their list, with the labels of odd names; return their classes."""
    out.mkdir(parents=True)
    rows = [line.split(",") for line in (DIGITS / "labels.csv").read_text().splitlines() if line.startswith("pool/")]
    lines = []
    for path, digit in rows[:SAMPLES]:
        shutil.copy(DIGITS / path, out / Path(path).name)
        lines.append(f'{Path(path).name},"{CLASSES[int(digit)]}"\n')
    (out / "list.csv").write_text("path,label\n" + "".join(lines))
    return [CLASSES[int(digit)] for _, digit in rows[:SAMPLES]]


def labeled_project(out: Path, classes: list[str]) -> dict[str, int]:
    """Make a project of a list, and export it in every format that holds such samples."""
    settings = ProjectSettings(name="odd names")
    project = make_project(out / "p", settings=settings, classes=CLASSES, data=out / "list.csv", labeled=True).project
    database = project.open_database()
    with database.read() as session:
        kind = kind_of_samples(session, project_id=project.project_id(database))
    for name, found in writable_formats().items():
        if not found.refusal(kind):
            export(database, project.project_id(database), name, out / name)
    database.close()
    return dict(Counter(classes))


def run(python: Path, script: str, out: Path) -> dict[str, int]:
    """Run a script in the other environment; return the counts it prints last."""
    done = subprocess.run(
        [python, "-W", "ignore", "-c", _HEAD + script, out], capture_output=True, text=True, check=False
    )
    if done.returncode:
        print(done.stderr[-2000:])
        return {}
    return {str(name): int(count) for name, count in json.loads(done.stdout.splitlines()[-1]).items()}


def report(who: str, what: str, found: dict[str, int], wanted: dict[str, int]) -> bool:
    """Print a line of the table."""
    same = found == wanted
    print(f"| {who} | {what} | {sum(found.values())} of {sum(wanted.values())} | {'equal' if same else found} |")
    return same


if __name__ == "__main__":
    main()
