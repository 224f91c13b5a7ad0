from __future__ import annotations

import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from loops.acquisition import catalog
from loops.acquisition.catalog import CATALOG, COLD_STARTS, AcquisitionFunction, ColdStart, find, imported, is_own
from loops.errors import OwnCodeError, UnknownAcquisitionError
from tests.loops.acquisition.entry_points import install


@pytest.mark.parametrize("one", [*CATALOG.values(), *COLD_STARTS.values()], ids=lambda one: f"{one.name}")
def test_each_has_a_name_a_title_and_a_sentence(one: AcquisitionFunction | ColdStart) -> None:
    assert one.name.isidentifier()
    assert one.title
    assert one.sentence.endswith(".")


@pytest.mark.parametrize("function", CATALOG.values(), ids=lambda function: function.name)
def test_what_ranks_can_be_imported(function: AcquisitionFunction) -> None:
    assert callable(function.load())


def test_what_chooses_first_samples_can_be_imported() -> None:
    assert [callable(imported(start.chooses)) for start in COLD_STARTS.values() if start.chooses] == [True, True]


def test_the_names_are_those_of_the_release_before() -> None:
    """A project of yesterday's release names one of them in its settings."""
    assert set(catalog.names()) >= {
        "auto", "typical", "bald", "predictive_entropy", "margin", "variation_ratios", "power_bald", "batch_bald",
        "badge", "epig", "committee_bald", "vaal", "random",
    }  # fmt: skip
    assert set(COLD_STARTS) == {"diverse", "vaal", "random"}


def test_what_was_measured_of_vaal_is_said_beside_it() -> None:
    assert "more labels than random" in CATALOG["vaal"].measured


def test_a_short_title_ends_at_the_colon() -> None:
    assert CATALOG["margin"].short_title == "Margin"


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UnknownAcquisitionError, match=r"'blad'.*auto.*bald.*random, package\.module:name"):
        find("blad")


@pytest.mark.parametrize(
    ("name", "own"),
    [("a:b", True), ("a.b:c", True), ("bald", False), ("a b:c", False), ("a:", False), (":b", False), ("a:b:c", False)],
)
def test_somebodys_own_is_a_module_a_colon_and_a_name(name: str, own: bool) -> None:
    assert is_own(name) is own


def test_somebodys_own_is_found_without_being_imported() -> None:
    found = find("no_such_package.module:score")
    assert (found.name, found.needs, found.own) == ("no_such_package.module:score", "draws", True)
    assert found.scores_one_by_one, "it may rank after each label"
    with pytest.raises(OwnCodeError, match=r"no_such_package\.module cannot be imported"):
        found.load()


def test_a_module_without_the_name_and_one_that_fails_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "broken_module_of_mine.py").write_text("1 / 0\n")
    with pytest.raises(OwnCodeError, match="math has no blad"):
        imported("math:blad")
    with pytest.raises(OwnCodeError, match="broken_module_of_mine cannot be imported: division by zero"):
        imported("broken_module_of_mine:score")


def test_an_installed_package_adds_one_by_an_entry_point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, monkeypatch)
    assert catalog.names()[-1] == "least_first_class"
    found = find("least_first_class")
    assert found.own
    assert found.load()(np.array([[[0.2], [0.8]]], np.float32)).tolist() == pytest.approx([0.8])
    with pytest.raises(UnknownAcquisitionError, match="least_first_class"):
        find("blad")


def test_an_installed_package_cannot_take_a_name_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, monkeypatch, name="bald")
    assert catalog.names() == tuple(CATALOG)
    assert not find("bald").own


def test_the_catalog_needs_neither_torch_nor_baal() -> None:
    code = (
        "import sys, loops.acquisition.catalog; sys.exit(str({'torch', 'baal', 'flash', 'numpy'} & set(sys.modules)))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert said.stderr.strip() == "set()"


def test_an_entry_cannot_be_changed() -> None:
    assert "measured" in {field.name for field in fields(AcquisitionFunction)}
    with pytest.raises(TypeError):
        CATALOG["mine"] = CATALOG["bald"]  # type: ignore[index]
