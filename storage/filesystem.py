"""On which file system a path lies (SQLite's locks cannot be trusted on a network one), and what survives a crash."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from storage.errors import NetworkFileSystemError

MOUNTINFO = Path("/proc/self/mountinfo")

NETWORK_FILE_SYSTEMS = frozenset(
    {
        "9p", "afs", "beegfs", "ceph", "cifs", "coda", "davfs", "glusterfs", "gpfs", "lustre", "ncpfs", "nfs", "nfs4",
        "ocfs2", "orangefs", "pvfs2", "smb3", "smbfs",
    }
)  # fmt: skip
NETWORK_FUSE = frozenset(
    {"ceph", "davfs", "davfs2", "gcsfuse", "glusterfs", "goofys", "juicefs", "rclone", "s3fs", "seaweedfs", "sshfs"}
)


@dataclass(frozen=True)
class Mount:
    """One line of mountinfo."""

    point: Path
    kind: str  # as the kernel names it: "ext4", "nfs4", "fuse.sshfs"


def file_at(path: Path) -> tuple[int, int] | None:
    """Return device and number of the file that lies at a path now: another one in its place has others; None: none."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def find_mount(path: Path, *, mountinfo: Path | None = None) -> Mount | None:
    """Find the mount a path lies on; None where the system has no mountinfo (then nothing is refused)."""
    mountinfo = mountinfo or MOUNTINFO
    if not mountinfo.is_file():
        return None
    folder = path.resolve()
    found: Mount | None = None
    for line in mountinfo.read_text(errors="surrogateescape").splitlines():
        mount = _parse(line)
        # A later mount on the same point hides the earlier one, hence >=.
        if mount and folder.is_relative_to(mount.point) and (not found or _depth(mount) >= _depth(found)):
            found = mount
    return found


def refuse_network_file_system(path: Path, *, mountinfo: Path | None = None) -> None:
    """Refuse a database path on NFS, SMB and the like.

    Raises:
        NetworkFileSystemError: When it lies on one.
    """
    mount = find_mount(path, mountinfo=mountinfo)
    if mount is not None and is_network(mount.kind):
        raise NetworkFileSystemError(path, kind=mount.kind, mount_point=str(mount.point))


def is_network(kind: str) -> bool:
    """Say whether a kind of file system reaches over a network."""
    return kind in NETWORK_FILE_SYSTEMS or kind.removeprefix("fuse.") in NETWORK_FUSE


def _parse(line: str) -> Mount | None:
    """Read ``36 35 98:0 /root /mount/point options - kind source``; optional fields stand before the dash."""
    left, dash, right = line.partition(" - ")
    fields = left.split()
    if not dash or len(fields) < 5 or not right:
        return None
    return Mount(Path(_unescape(fields[4])), right.split()[0])


def _unescape(text: str) -> str:
    """The kernel writes a blank as ``\\040``."""
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), text)


def _depth(mount: Mount) -> int:
    return len(mount.point.parts)


def make_durable(path: Path) -> None:
    """Sync a file or folder: a renamed file can come back empty after a power cut unless both are synced."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
