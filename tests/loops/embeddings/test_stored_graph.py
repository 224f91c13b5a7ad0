from __future__ import annotations

from pathlib import Path

import numpy as np

from loops.embeddings.computed_embedding import choose_embedding
from loops.embeddings.stored_graph import StoredGraph, read_graph
from loops.graph.graph import build_graph

ROWS = np.random.default_rng(0).normal(size=(30, 8)).astype(np.float32)


def stored() -> StoredGraph:
    embedding = choose_embedding(ROWS, 0)
    graph = build_graph(embedding.points(ROWS), 0)
    ids = np.arange(30)
    return StoredGraph(ids, graph.vectors_L_M, ids, 30, graph, embedding, row_shape=(8,))


def test_a_graph_is_read_as_it_was_written(tmp_path: Path) -> None:
    written = stored()
    written.write(tmp_path / "graph.npz")
    read = read_graph(tmp_path / "graph.npz", (8,))
    assert read is not None
    assert (read.coordinates == written.coordinates).all()
    assert (read.graph.neighbors_L_k == written.graph.neighbors_L_k).all()
    assert (read.embedding.points(ROWS) == written.embedding.points(ROWS)).all()


def test_a_graph_of_rows_of_another_shape_is_none(tmp_path: Path) -> None:
    stored().write(tmp_path / "graph.npz")
    assert read_graph(tmp_path / "graph.npz", (3, 8, 8)) is None, "gray images have grown colors"


def test_a_file_of_another_version_a_flipped_bit_and_no_file_are_none(tmp_path: Path) -> None:
    path = tmp_path / "graph.npz"
    assert read_graph(path, (8,)) is None
    np.savez(path, ids=np.arange(3))
    assert read_graph(path, (8,)) is None
    stored().write(path)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    assert read_graph(path, (8,)) is None
