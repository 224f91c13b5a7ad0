from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from app.errors import SettingsError
from app.project.settings import ProjectSettings, load_settings, save_settings


def test_settings_come_back_as_they_were_saved(tmp_path: Path) -> None:
    settings = ProjectSettings(name='Ä "quoted" name', audit_share=0.25, reset_weights=False, seed=7)
    save_settings(tmp_path / "settings.toml", settings)
    assert load_settings(tmp_path / "settings.toml") == settings


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("name", "  "),
        ("name", "two\nlines"),
        ("learner", "transformer"),
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
