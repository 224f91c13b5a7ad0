from __future__ import annotations

import pytest

from app.errors import ProjectError
from app.project.browsing import Inside, inside_of, look_into


def test_a_folder_is_listed_with_what_lies_in_it(tmp_path):
    for name in ("b/1.PNG", "b/2.jpg", "b/notes.txt", "b/more/3.png", "A/x.csv", ".hidden/4.png", "list.csv"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "loop").symlink_to("loop")
    found = look_into(tmp_path)
    assert [path.name for path in found.folders] == ["A", "b"]
    assert [path.name for path in found.files] == ["list.csv", "loop"]
    assert inside_of(tmp_path / "b") == Inside(images=2, files=1, folders=1)
    assert inside_of(tmp_path / "b").words == "2 images, 1 other file, 1 folder"
    assert inside_of(tmp_path / "A/x.csv").words == "may not be read"


def test_what_is_no_folder_is_refused_with_a_sentence(tmp_path):
    with pytest.raises(ProjectError, match="cannot be looked into: No such file"):
        look_into(tmp_path / "nowhere")
