from pathlib import Path

import pytest

from storage.errors import NetworkFileSystemError
from storage.filesystem import MOUNTINFO, find_mount, is_network, refuse_network_file_system

LINES = """\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
40 22 0:35 / /mnt/share rw,relatime shared:2 - {kind} server:/export rw
41 40 8:2 / /mnt/share/local rw - xfs /dev/sdb1 rw
42 22 0:36 / /mnt/two\\040words rw - cifs //server/share rw
"""


@pytest.fixture
def mountinfo(tmp_path):
    def write(kind="nfs4"):
        path = tmp_path / "mountinfo"
        path.write_text(LINES.format(kind=kind))
        return path

    return write


@pytest.mark.parametrize("kind", ["nfs", "nfs4", "cifs", "smb3", "9p", "ceph", "fuse.sshfs", "fuse.rclone", "lustre"])
def test_a_network_file_system_is_refused_by_name(mountinfo, kind):
    with pytest.raises(NetworkFileSystemError, match=kind):
        refuse_network_file_system(Path("/mnt/share/project/labelloop.db"), mountinfo=mountinfo(kind))


@pytest.mark.parametrize("kind", ["ext4", "xfs", "btrfs", "overlay", "tmpfs", "zfs", "fuse.ntfs-3g", "fuseblk"])
def test_a_local_file_system_is_accepted(mountinfo, kind):
    refuse_network_file_system(Path("/mnt/share/project/labelloop.db"), mountinfo=mountinfo(kind))
    assert not is_network(kind)


def test_the_innermost_mount_decides(mountinfo):
    refuse_network_file_system(Path("/mnt/share/local/labelloop.db"), mountinfo=mountinfo())


def test_a_folder_whose_name_only_begins_alike_is_not_on_the_mount(mountinfo):
    refuse_network_file_system(Path("/mnt/shared/labelloop.db"), mountinfo=mountinfo())


def test_a_mount_point_with_a_blank_is_read(mountinfo):
    with pytest.raises(NetworkFileSystemError, match="two words"):
        refuse_network_file_system(Path("/mnt/two words/labelloop.db"), mountinfo=mountinfo())


def test_without_mountinfo_nothing_is_refused(tmp_path):
    assert find_mount(Path("/anywhere"), mountinfo=tmp_path / "absent") is None


@pytest.mark.skipif(not MOUNTINFO.is_file(), reason="only Linux has mountinfo")
def test_the_real_mountinfo_has_a_mount_for_every_path(tmp_path):
    assert find_mount(tmp_path) is not None
