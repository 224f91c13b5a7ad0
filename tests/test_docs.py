"""The documentation says what is there: its links, its pictures, its commands and its scripts."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
import typer
from typer.core import TyperGroup

from app.command.main import commands

REPOSITORY = Path(__file__).parent.parent
PAGES = [REPOSITORY / "README.md", REPOSITORY / "CHANGELOG.md", *sorted((REPOSITORY / "docs").rglob("*.md"))]
# Of these the names must be today's; the changelog and the experiments tell of their time.
TODAY = [page for page in PAGES if page.name != "CHANGELOG.md" and "experiments" not in page.parts]
MOST_WORDS = 600  # of the README: two minutes
MOST_BYTES = 200_000  # of a picture
NOT_YET = re.compile(r"<!-- landing: .*? -->\n(?:.+\n)*")  # a paragraph about what is being built


def name_of(path: Path) -> str:
    return path.relative_to(REPOSITORY).as_posix()


def text_of(path: Path) -> str:
    return NOT_YET.sub("", path.read_text(encoding="utf-8"))


each_page = pytest.mark.parametrize("page", PAGES, ids=name_of)
each_page_of_today = pytest.mark.parametrize("page", TODAY, ids=name_of)


# ---- the README


def test_the_readme_is_read_in_two_minutes():
    assert len((REPOSITORY / "README.md").read_text(encoding="utf-8").split()) <= MOST_WORDS


# ---- links


def without_code(text: str) -> str:
    return re.sub(r"`[^`\n]*`", "", re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE))


def links_of(text: str) -> list[str]:
    """Targets of links and images that are no addresses of the web."""
    found = re.findall(r"\]\(([^)\s]+)\)", without_code(text))
    return [link for link in found if not link.startswith(("https://", "http://", "mailto:"))]


def anchors_of(text: str) -> set[str]:
    """The anchors of a page's headings, as Markdown makes them."""
    headings = re.findall(r"^#+ (.+)$", without_code(text), flags=re.MULTILINE)
    return {re.sub(r"[\s-]+", "-", re.sub(r"[^\w\s-]", "", heading).strip().lower()) for heading in headings}


def broken_links(page: Path, text: str) -> Iterator[str]:
    for link in links_of(text):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        there = target.is_file() and target.is_relative_to(REPOSITORY)
        if not there or (anchor and anchor not in anchors_of(target.read_text(encoding="utf-8"))):
            yield link


@each_page
def test_every_link_and_picture_is_there(page):
    assert list(broken_links(page, text_of(page))) == []


@each_page
def test_no_merge_was_left_half_done(page):
    assert not re.search(r"^(<<<<<<<|>>>>>>>) ", page.read_text(encoding="utf-8"), re.MULTILINE)


def test_a_broken_link_would_be_seen():
    text = "![a](docs/images/none.png) [b](docs/index.md#nowhere) [c](docs/index.md#begin) `[d](e.md)`"
    assert list(broken_links(REPOSITORY / "README.md", text)) == ["docs/images/none.png", "docs/index.md#nowhere"]


def test_every_picture_is_shown_and_none_is_large():
    pictures = {path.resolve() for path in (REPOSITORY / "docs" / "images").glob("*.png")}
    shown = {(page.parent / link).resolve() for page in PAGES for link in links_of(text_of(page)) if ".png" in link}
    assert pictures == shown
    assert [path.name for path in pictures if path.stat().st_size > MOST_BYTES] == []


# ---- commands


def code_of(text: str) -> list[str]:
    """The lines of code blocks, and what stands between backticks, without comments and with `\\` joined."""
    blocks = re.findall(r"^```\w*\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    inline = re.findall(r"`([^`]+)`", re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE))
    return [re.sub(r"\s+#.*", "", " ".join(code.split())) for code in (*lines, *inline)]


def commands_of(text: str) -> list[list[str]]:
    """The words of each `labelloop ...` line."""
    return [shlex.split(code) for code in code_of(text) if re.match(r"labelloop( |$)", code)]


@cache
def program() -> TyperGroup:
    group = typer.main.get_command(commands)
    assert isinstance(group, TyperGroup)
    return group


def complaint(words: list[str]) -> str:
    """What is wrong with a command line; empty when its command has all its options."""
    if words[1:2] in ([], ["--help"], ["COMMAND"]):
        return ""
    command = program().commands.get(words[1])
    if command is None:
        return f"no command {words[1]!r}"
    known = {name for option in command.params for name in (*option.opts, *option.secondary_opts)} | {"--help"}
    unknown = [word for word in words[2:] if word.startswith("--") and word.partition("=")[0] not in known]
    return f"{words[1]} has no {', '.join(unknown)}" if unknown else ""


@each_page_of_today
def test_every_command_line_has_its_command_and_options(page):
    assert [found for words in commands_of(text_of(page)) if (found := complaint(words))] == []


def test_there_are_command_lines_to_look_at_and_a_wrong_one_is_seen():
    assert sum(len(commands_of(text_of(page))) for page in PAGES) > 20
    text = "`labelloop init P --imagse X`\n```\nlabelloop lable\nlabelloop run --no-browser  # a comment\n```\n"
    found = sorted(filter(None, map(complaint, commands_of(text))))
    assert found == ["init has no --imagse", "no command 'lable'"]


# ---- scripts, targets, folders


@each_page
def test_every_script_that_prints_a_figure_is_there(page):
    named = set(re.findall(r"\b(bench_\w+)(?:\.py)?\b", text_of(page)))
    assert [name for name in named if not (REPOSITORY / "benchmarks" / f"{name}.py").is_file()] == []


def options_of(script: Path) -> set[str]:
    return set(re.findall(r'"(--[\w-]+)"', script.read_text(encoding="utf-8")))


@each_page
def test_every_benchmark_has_the_options_it_is_named_with(page):
    for code in code_of(text_of(page)):
        named = re.match(r"python benchmarks/(\w+)\.py", code)
        if named:
            given = {word for word in code.split() if word.startswith("--")}
            assert given <= options_of(REPOSITORY / "benchmarks" / f"{named[1]}.py"), code


def test_results_name_every_benchmark():
    text = (REPOSITORY / "docs" / "results.md").read_text(encoding="utf-8")
    scripts = (path.name for path in (REPOSITORY / "benchmarks").glob("bench_*.py"))
    assert [name for name in scripts if name not in text] == []


@each_page
def test_every_make_target_is_there(page):
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    named = {target for code in code_of(text_of(page)) for target in re.findall(r"^make ([a-z]+)\b", code)}
    assert [target for target in named if f"\n{target}:" not in makefile] == []


@each_page_of_today
def test_every_folder_and_file_of_the_source_is_there(page):
    named = re.findall(r"\b((?:app|loops|storage|tests|docs|benchmarks)/[\w/.-]*)", " ".join(code_of(text_of(page))))
    assert [name for name in named if "NNNN" not in name and not (REPOSITORY / name.rstrip(".")).exists()] == []


# ---- the site


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("material", reason="the documentation's packages are installed by `make check`")
    folder = tmp_path_factory.mktemp("site")
    # Not --quiet: it hides the warnings from --strict too.
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    built = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=240, check=False)
    assert built.returncode == 0, built.stderr
    return folder


FETCHED = re.compile(
    r"""<(?:script|img|iframe)[^>]+src=["']?(?:https?:)?//|<link[^>]+href=["']?(?:https?:)?//|@import"""
)


def test_the_site_asks_for_nothing_elsewhere(site):
    pages = sorted(site.rglob("*.html"))
    assert len(pages) > len(PAGES) - 3
    assert [name.relative_to(site) for name in pages if FETCHED.search(name.read_text(encoding="utf-8"))] == []


def test_what_is_fetched_would_be_seen():
    find: Callable[[str], object] = FETCHED.search
    assert find('<link rel="stylesheet" href="https://fonts.example/css">')
    assert find("<script src=//cdn.example/x.js></script>")
    assert not find('<script src="assets/x.js"></script><a href="https://example.org">')
