from __future__ import annotations

import itertools
import threading
from pathlib import Path

import numpy as np
import pytest

from app.errors import UnreadableMapError
from app.project.pool_map import MapContents, map_contents, map_path, read_map, write_map


def test_what_is_written_is_read_and_says_of_what_it_was_drawn(tmp_path: Path) -> None:
    path = map_path(tmp_path)
    assert (read_map(path), map_contents(path)) == (None, None)
    write_map(path, np.array([7, 3]), np.array([[1, 2], [3, 4]], np.float32), backbone="pixels-28")
    placed = read_map(path)
    assert placed is not None
    assert (placed.sample_ids.tolist(), placed.points_N_2.tolist()) == ([7, 3], [[1, 2], [3, 4]])
    assert map_contents(path) == MapContents("pixels-28", 2)


def test_a_damaged_map_is_a_sentence_for_people_and_none_for_whoever_draws_it_anew(tmp_path: Path) -> None:
    path = map_path(tmp_path)
    path.write_bytes(b"no map")
    with pytest.raises(UnreadableMapError, match=r"/map\.parquet cannot be read as a map"):
        read_map(path)
    assert map_contents(path) is None


def test_a_map_that_is_replaced_while_it_is_read_is_the_old_one_or_the_new_one(tmp_path: Path) -> None:
    path, ended = map_path(tmp_path), threading.Event()

    def draw_again_and_again() -> None:
        for drawn in itertools.count(1):
            if ended.is_set():
                return
            samples = np.arange(1 + drawn % 2 * 500)
            write_map(path, samples, np.zeros((len(samples), 2), np.float32), backbone="pixels-28")

    write_map(path, np.array([0]), np.zeros((1, 2), np.float32), backbone="pixels-28")
    drawing = threading.Thread(target=draw_again_and_again)
    drawing.start()
    try:
        sizes = {len(placed.sample_ids) for _ in range(60) if (placed := read_map(path)) is not None}
    finally:
        ended.set()
        drawing.join()
    assert sizes <= {1, 501}
