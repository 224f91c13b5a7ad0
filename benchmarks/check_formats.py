"""Reads what other tools write, and has them read what is written here: the sample digits, by labels and bytes.

The tools have a Python of their own, for their requirements exclude ours:

    python -m venv tools && tools/bin/pip install datasets mlcroissant pycocotools
    python benchmarks/check_formats.py --python tools/bin/python --out out

Prints a table of what was read by whom. Ends with 1 when anything differs.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
from collections import Counter
from pathlib import Path

from app.formats.registry import open_source, writable_formats
from app.project.creation import make_project
from app.project.exporting import export
from app.project.settings import ProjectSettings

SAMPLES = 200
CLASSES = ("test", "valid", "bullet train", "C++", "dog, wet", "5", "6", "7", "8", "9")  # in the digits' order
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
    wanted = labeled_project(out)
    same = True
    for (tool, name), script in THEIRS.items():
        found = run(options.python, script, out)
        same &= report(tool, f"reads our {name}", found, wanted)
    for name, script in OURS.items():
        run(options.python, f'{_TABLE}{script}\nprint("{{}}")', out)
        source = open_source(out / name, uploads=out / "uploads")
        same &= report("we", f"read {name}", dict(source.labels_per_class), wanted)
    raise SystemExit(not same)


def labeled_project(out: Path) -> dict[str, int]:
    """Make a project of digits with the labels of odd names, and export it in every format."""
    out.mkdir(parents=True)
    rows = [line.split(",") for line in (DIGITS / "labels.csv").read_text().splitlines() if line.startswith("pool/")]
    lines = []
    for path, digit in rows[:SAMPLES]:
        shutil.copy(DIGITS / path, out / Path(path).name)
        lines.append(f'{Path(path).name},"{CLASSES[int(digit)]}"\n')
    (out / "list.csv").write_text("path,label\n" + "".join(lines))
    settings = ProjectSettings(name="odd names")
    project = make_project(out / "p", settings=settings, classes=CLASSES, data=out / "list.csv", labeled=True).project
    database = project.open_database()
    for name in writable_formats():
        export(database, project.project_id(database), name, out / name)
    database.close()
    return dict(Counter(CLASSES[int(digit)] for _, digit in rows[:SAMPLES]))


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
