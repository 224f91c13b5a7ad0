from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from app.errors import SettingsError
from app.project.settings import ProjectSettings, load_settings, save_settings
from tests.loops.acquisition.entry_points import install


def test_settings_come_back_as_they_were_saved(tmp_path: Path) -> None:
    settings = ProjectSettings(name='Ä "quoted" name', audit_share=0.25, reset_weights=False, seed=7)
    save_settings(tmp_path / "settings.toml", settings)
    assert load_settings(tmp_path / "settings.toml") == settings


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("name", "  "),
        ("name", "two\nlines"),
        ("predictor", "transformer"),
        ("acquisition", "entropy"),
        ("cold_start", "kmeans"),
        ("query_size", 0),
        ("query_size", 2.5),
        ("query_size", True),
        ("labeling_budget", -1),
        ("target_accuracy", 95),
        ("audit_share", 0.6),
        ("audit_share", float("nan")),
        ("mc_iterations", 1),
        ("reset_weights", "yes"),
        ("overlap", 0),
        ("overlap", 11),
        ("overlap_share", 1.5),
        ("seed", -1),
        ("seed", 2**63),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_with_the_setting_and_what_was_found(
    setting: str, value: object
) -> None:
    with pytest.raises(SettingsError) as refusal:
        replace(ProjectSettings(name="a"), **{setting: value})
    assert setting in str(refusal.value)
    assert repr(value) in str(refusal.value)


def test_a_whole_number_will_do_for_a_share(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text('name = "a"\naudit_share = 0\n')
    share = load_settings(tmp_path / "settings.toml").audit_share
    assert (share, type(share)) == (0.0, float)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('name = "a"\nquery_sise = 5\n', "unknown setting 'query_sise'"),
        ("query_size = 5\n", "name is missing"),
        ("name = ", "not valid TOML"),
        ('name = "a"\nquery_size = "5"\n', "must be a whole number; found '5'"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_by_name_and_reason(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(text)
    with pytest.raises(SettingsError, match=said) as refusal:
        load_settings(path)
    assert str(path) in str(refusal.value)


def test_a_failed_save_leaves_the_old_file_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "settings.toml"
    save_settings(path, ProjectSettings(name="old"))

    def fail(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("app.project.settings.os.fsync", fail)
    with pytest.raises(OSError, match="No space left"):
        save_settings(path, ProjectSettings(name="new"))
    assert load_settings(path).name == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["settings.toml"]


def test_the_setting_is_read_under_the_name_it_had_before_and_written_under_todays(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text('name = "digits"\nlearner = "cnn"\nacquisition = "auto"\n')
    settings = load_settings(path)
    assert settings.predictor == "cnn"
    save_settings(path, settings)
    assert "learner" not in path.read_text()
    assert load_settings(path) == settings


@pytest.mark.parametrize("setting", ["predictor", "acquisition"])
def test_somebodys_own_is_a_setting_before_it_can_be_imported(setting: str) -> None:
    chosen = ProjectSettings("digits", **{setting: "no_such_package:mine"})  # type: ignore[arg-type]
    assert getattr(chosen, setting) == "no_such_package:mine"


def test_what_an_installed_package_offers_is_a_setting_while_it_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SettingsError, match="'least_first_class'"):
        ProjectSettings("digits", acquisition="least_first_class")
    install(tmp_path, monkeypatch)
    assert ProjectSettings("digits", acquisition="least_first_class").acquisition == "least_first_class"
    with pytest.raises(SettingsError, match=r"least_first_class, package\.module:name; found 'blad'"):
        ProjectSettings("digits", acquisition="blad")


def test_a_trainers_settings_are_a_table_at_the_end_and_come_back(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    save_settings(path, ProjectSettings(name="a"))
    assert "trainer" not in path.read_text()
    settings = ProjectSettings(name="a", predictor="my:make", trainer={"max_epochs": 5, "precision": "bf16"})
    save_settings(path, settings)
    assert path.read_text().endswith('[trainer]\nmax_epochs = 5\nprecision = "bf16"\n')
    assert load_settings(path) == settings


def test_a_trainers_settings_without_a_module_to_fit_are_refused() -> None:
    with pytest.raises(SettingsError, match="for a LightningModule of your own, and the predictor is 'auto'"):
        ProjectSettings(name="a", trainer={"max_epochs": 5})
    with pytest.raises(SettingsError, match="trainer must be a table"):
        ProjectSettings(name="a", trainer=3)  # type: ignore[arg-type]
