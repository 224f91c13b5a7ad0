import os
import pickle
import random

import pytest
import torch

from loops.checkpoint import AtomicCheckpointIO, read_checkpoint, write_checkpoint
from loops.errors import CheckpointDamagedError

CONTENT = {"state_dict": {"weight": torch.arange(1000.0)}, "active_learning_loop": {"completed": 3}}


@pytest.fixture
def saved(tmp_path):
    return write_checkpoint(CONTENT, tmp_path / "model.ckpt")


class Evil:
    """Writes a file when unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def test_what_was_written_is_read(saved):
    checkpoint = read_checkpoint(saved.path, sha256=saved.sha256, size=saved.size)

    assert torch.equal(checkpoint["state_dict"]["weight"], torch.arange(1000.0))
    assert checkpoint["active_learning_loop"] == {"completed": 3}


@pytest.mark.parametrize("known", ["by the database", "by its seal alone"])
def test_every_flipped_bit_is_noticed(saved, known):
    row = {"sha256": saved.sha256, "size": saved.size} if known == "by the database" else {}
    content = saved.path.read_bytes()
    flips = random.Random(0).sample(range(8 * len(content)), 400)
    noticed = 0
    for bit in flips:
        damaged = bytearray(content)
        damaged[bit // 8] ^= 1 << bit % 8
        saved.path.write_bytes(damaged)
        with pytest.raises(CheckpointDamagedError):
            read_checkpoint(saved.path, **row)
        noticed += 1

    assert noticed == 400


@pytest.mark.parametrize("known", ["by the database", "by its seal alone"])
def test_every_truncation_is_noticed(saved, known):
    row = {"sha256": saved.sha256, "size": saved.size} if known == "by the database" else {}
    content = saved.path.read_bytes()
    lengths = [0, 1, 31, 32, 33, len(content) - 1, *random.Random(0).sample(range(34, len(content) - 1), 54)]
    for length in lengths:
        saved.path.write_bytes(content[:length])
        with pytest.raises(CheckpointDamagedError):
            read_checkpoint(saved.path, **row)

    assert len(lengths) == 60


def test_a_missing_file_is_a_damaged_checkpoint(tmp_path):
    with pytest.raises(CheckpointDamagedError, match="cannot be read"):
        read_checkpoint(tmp_path / "model.ckpt")


def test_another_whole_checkpoint_than_the_database_lists_is_refused(saved):
    other = write_checkpoint({"weight": torch.ones(1)}, saved.path.with_name("other.ckpt"))

    with pytest.raises(CheckpointDamagedError, match="bytes were written"):
        read_checkpoint(other.path, sha256=saved.sha256, size=saved.size)
    with pytest.raises(CheckpointDamagedError, match="not what was written"):
        read_checkpoint(other.path, sha256=saved.sha256, size=other.size)


@pytest.mark.filterwarnings("ignore:Detected pickle protocol:UserWarning")
@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_no_checkpoint_runs_code(tmp_path, protocol):
    """Sealed and listed like our own, and still nothing in it is run."""
    import hashlib

    payload = pickle.dumps({"state_dict": Evil(tmp_path / "ran")}, protocol)
    torch_payload = tmp_path / "torch.ckpt"
    torch.save({"state_dict": Evil(tmp_path / "ran")}, torch_payload, pickle_protocol=protocol)
    for content in (payload, torch_payload.read_bytes()):
        path = tmp_path / "model.ckpt"
        sealed = content + hashlib.sha256(content).digest()
        path.write_bytes(sealed)
        with pytest.raises(CheckpointDamagedError, match="more than tensors"):
            read_checkpoint(path, sha256=hashlib.sha256(sealed).hexdigest(), size=len(sealed))

    assert not (tmp_path / "ran").exists()


def test_what_could_not_be_read_back_is_not_written(saved):
    with pytest.raises(CheckpointDamagedError, match=r"more than tensors and plain values, a random\.Random"):
        write_checkpoint({"rng": random.Random(0)}, saved.path)

    assert read_checkpoint(saved.path)["active_learning_loop"] == {"completed": 3}


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_save_that_fails_leaves_the_old_checkpoint_and_nothing_else(saved, monkeypatch, step):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync" if step == "fsync" else "pathlib.Path.replace", full)
    with pytest.raises(OSError, match="No space"):
        write_checkpoint({"weight": torch.zeros(1)}, saved.path)
    monkeypatch.undo()

    assert read_checkpoint(saved.path, sha256=saved.sha256, size=saved.size)
    assert [path.name for path in saved.path.parent.iterdir()] == ["model.ckpt"]


def test_lightnings_way_in_and_out_is_the_same(tmp_path):
    plugin = AtomicCheckpointIO()
    plugin.save_checkpoint(CONTENT, tmp_path / "epoch.ckpt")

    assert plugin.load_checkpoint(tmp_path / "epoch.ckpt")["active_learning_loop"] == {"completed": 3}
    plugin.remove_checkpoint(tmp_path / "epoch.ckpt")
    plugin.remove_checkpoint(tmp_path / "epoch.ckpt")
    assert not list(tmp_path.iterdir())
