"""From rows of a table to stored rows: numbers and dates standardized, categories one-hot, what is missing marked.

What each column is, and how it varies, is learned from the pool and kept beside the rows as JSON: by it the screens say
what is unusual.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from loops.embeddings.backbone import Backbone, Distort
from loops.embeddings.columns import READERS, is_missing, reader_of
from loops.embeddings.embedder import Embedder
from loops.files import replace_file
from loops.seeding import hash_of_ids, seed_of

FITTED = "columns.json"  # what `fit` keeps
FITTED_TO = 20_000  # rows; more move no quantile that anybody would see
MOST_CATEGORIES = 30  # of a column; the rest are one more
SMALLEST_CATEGORY = 0.005  # share of the pool
MOSTLY = 0.95  # share of a column's values that must be numbers, or dates, for it to be of them
FARTHEST = 4.0  # deviations; one wild number must not outweigh all other columns
_CHECKED_EVERY = 500  # rows

Row = Mapping[str, str]
Facts = dict[str, Any]  # of one column: plain values for JSON
Rows = NDArray[np.float32]


def learn_columns(rows: Sequence[Row]) -> dict[str, Facts]:
    """What each column is and how it varies.

    Args:
        rows: Of the pool, at least one.

    Returns:
        By name, in the order in which they come: `given`, the share of rows with a value, and `missing`, how else than
        by an empty cell a column of numbers or dates says that there is none; of numbers and dates `mean`,
        `deviation`, `low` and `high` (all but 2 of 100 lie between); of categories `shares` of the common ones, and
        `rest` of all others. A column whose values are nearly all different, such as a name, has no more than `given`.
    """
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: _facts([row.get(name, "").strip() for row in rows]) for name in names}


def _facts(values: Sequence[str]) -> Facts:
    given = [value for value in values if value]
    facts: Facts = {"given": len(given) / len(values)}
    said = [value for value in given if not is_missing(value)]
    for kind, read in READERS.items():
        numbers = [number for value in said if (number := read(value)) is not None]
        if said and len(numbers) >= MOSTLY * len(said):
            missing = sorted({value for value in given if is_missing(value)})
            there = {"given": len(said) / len(values), "missing": missing} if missing else facts
            return {**there, "kind": kind, **_of_numbers(np.array(numbers))}
    counted = Counter(given)
    shares = {value: count / len(values) for value, count in counted.most_common(MOST_CATEGORIES)}
    common = {value: share for value, share in shares.items() if share >= SMALLEST_CATEGORY and counted[value] > 1}
    if not common:
        return {**facts, "kind": "other"}
    return {**facts, "kind": "category", "shares": common, "rest": max(0.0, facts["given"] - sum(common.values()))}


def _of_numbers(numbers_N: NDArray[np.float64]) -> Facts:
    low, high = np.quantile(numbers_N, (0.01, 0.99)).tolist()
    inner = numbers_N.clip(low, high)  # a single 10^9 would make all others one point
    return {"mean": float(inner.mean()), "deviation": float(inner.std()), "low": low, "high": high}


class TableEmbedder:
    """Rows of a table, values by name, to rows of numbers in which no column outweighs another."""

    batch_size = 1_000

    def __init__(self, columns: Mapping[str, Facts]) -> None:
        self._columns = columns

    def prepare(self, sample: Row) -> Row:
        """The row as it is.

        Raises:
            ValueError: It has none of the columns that were learned from: any answer would be of nothing.
        """
        if self._columns and not self._columns.keys() & sample.keys():
            raise ValueError(f"has none of the columns {', '.join(list(self._columns)[:5])}")
        return sample

    def embed(self, prepared: Sequence[Row]) -> Rows:
        """Rows `[N, D]`, float32; the last number is the same for all, so that a length is seen in a direction."""
        blocks = [self._block(name, facts, prepared) for name, facts in self._columns.items()]
        steady = np.full((len(prepared), 1), np.sqrt(max(1, len(blocks))))
        rows: Rows = np.concatenate([*blocks, steady], axis=1).astype(np.float32)
        return rows

    def _block(self, name: str, facts: Facts, rows: Sequence[Row]) -> NDArray[np.float64]:
        values = [row.get(name, "").strip() for row in rows]
        none = {"", *facts.get("missing", ())}
        missing = _standardized(np.array([value in none for value in values], float), 1 - facts["given"])
        read = reader_of(facts["kind"])
        if read is not None:
            return np.stack([_numbers(values, facts, read), missing], axis=1)
        return np.concatenate([_one_hot(values, facts), missing[:, None]], axis=1)


def _numbers(values: Sequence[str], facts: Facts, read: Callable[[str], float | None]) -> NDArray[np.float64]:
    """Deviations from the mean; what is missing, or no number, is as the mean."""
    numbers = [read(value) for value in values]
    filled = np.array([facts["mean"] if number is None else number for number in numbers])
    return np.asarray(((filled - facts["mean"]) / max(facts["deviation"], 1e-12)).clip(-FARTHEST, FARTHEST))


def _one_hot(values: Sequence[str], facts: Facts) -> NDArray[np.float64]:
    """A number per common value, and one for all others; together they vary as much as one standardized number."""
    if "shares" not in facts:
        return np.zeros((len(values), 0))
    known = {value: place for place, value in enumerate(facts["shares"])}
    hot = np.zeros((len(values), len(known) + 1))
    for row, value in enumerate(values):
        if value:
            hot[row, known.get(value, len(known))] = 1
    shares = np.array([*facts["shares"].values(), facts["rest"]])
    return np.asarray((hot - shares) / np.sqrt(max((shares * (1 - shares)).sum(), 1e-2)))


def _standardized(marks_N: NDArray[np.float64], share: float) -> NDArray[np.float64]:
    return np.asarray(((marks_N - share) / max(np.sqrt(share * (1 - share)), 0.1)).clip(-FARTHEST, FARTHEST))


def fit(
    backbone: Backbone,  # noqa: ARG001 - there is one
    folder: Path,
    pool: NDArray[np.int64],
    load: Callable[[int], Any],
    check: Callable[[], None],
) -> None:
    """Learns from up to 20,000 rows of the pool, drawn by their ids; nothing where it did so before."""
    if _path(folder).exists() or not len(pool):
        return
    drawn = np.sort(pool[np.argsort(hash_of_ids(pool, seed_of("columns")), kind="stable")[:FITTED_TO]])
    rows: list[Row] = []
    for number, sample_id in enumerate(drawn.tolist()):
        if number % _CHECKED_EVERY == 0:
            check()
        with suppress(Exception):  # whoever embeds it says so
            rows.append(load(sample_id))
    if rows:
        replace_file(_path(folder), json.dumps(learn_columns(rows), ensure_ascii=False).encode())


def embedder(backbone: Backbone, folder: Path, device: torch.device) -> Embedder:  # noqa: ARG001 - there is one
    """The embedder that `fit` prepared."""
    return TableEmbedder(json.loads(_path(folder).read_text(encoding="utf-8")))


def distortion(backbone: Backbone) -> Distort | None:  # noqa: ARG001 - there is one
    """None: how far a number may move before its label changes, nothing tells."""
    return None


def _path(folder: Path) -> Path:
    return folder / FITTED
