from __future__ import annotations

from io import BytesIO

import pytest

from app.formats.errors import RefusedImageError
from app.screens.setup_page.upload_box import take_away, write_uploads


def upload(name, content=b"x"):
    file = BytesIO(content)
    file.name = name
    return file


def test_a_dropped_folder_is_read_without_its_own_name_as_a_class(tmp_path):
    written = write_uploads([upload("pets/cat/1.png"), upload("pets/dog/2.png", b"dog")], tmp_path)
    assert written.name == "pets"
    assert (written / "dog/2.png").read_bytes() == b"dog"


@pytest.mark.parametrize(
    ("names", "read"), [(["1.png", "2.png"], None), (["1.png", "list.csv"], "list.csv"), (["texts.csv"], "texts.csv")]
)
def test_a_list_is_read_with_the_images_beside_it(tmp_path, names, read):
    written = write_uploads([upload(name) for name in names], tmp_path)
    assert written.is_dir() if read is None else written.name == read


def test_an_archive_is_taken_away_and_files_only_where_none_is_used(tmp_path):
    archive = write_uploads([upload("a.zip")], tmp_path)
    take_away(archive, tmp_path, is_used=True)
    files = write_uploads([upload("d/1.png"), upload("d/2.png")], tmp_path)
    take_away(files, tmp_path, is_used=True)
    assert (files / "1.png").exists()
    assert not archive.exists()
    take_away(files, tmp_path, is_used=False)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["../x.png", "/etc/x.png", "a/../../x.png"])
def test_a_name_that_leads_out_is_refused_before_anything_is_written(tmp_path, name):
    with pytest.raises(RefusedImageError):
        write_uploads([upload("1.png"), upload(name)], tmp_path / "uploads")
    assert not any((tmp_path / "uploads").iterdir())
