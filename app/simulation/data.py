"""The data of a simulation: samples whose labels are all known, from CSVs or from one NPZ file."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from app.errors import SettingsError
from app.formats.errors import RefusedSampleError
from app.formats.reading import Reading
from app.formats.registry import open_source
from app.formats.source import Entry
from app.kinds.kind import kind_named
from app.simulation.config import SimulationConfig
from loops.embeddings.embedders import fit
from loops.embeddings.features import FeatureStore, embed
from loops.embeddings.kinds import candidates_of

SIZES_LOOKED_AT = 20  # samples


@dataclass(frozen=True)
class LabeledSamples:
    """Samples whose labels are all known. Ids count from 0: the pool, then the test set."""

    kind: str
    load: Callable[[int], Any]  # sample id -> what the kind's embedders take
    candidates: Sequence[str]  # embeddings that suit them, the one to begin with first
    pool: dict[int, int]  # sample id -> class index
    test: dict[int, int]
    classes: tuple[str, ...]


def load_data(config: SimulationConfig) -> LabeledSamples:
    """Reads what the options name.

    Raises:
        SettingsError: If the data cannot be used.
    """
    return _from_npz(config) if config.npz is not None else _from_files(config)


def embed_all(store: FeatureStore, samples: LabeledSamples) -> None:
    """Computes the features that the store lacks; a sample that cannot be read is named and left out."""

    def report(done: int, todo: int) -> None:
        if sys.stderr.isatty():
            sys.stderr.write(f"\r{store.backbone.name}: {done} of {todo} samples")
            sys.stderr.write("\n" if done == todo else "")

    fit(store.backbone, store.folder, np.fromiter(samples.pool, np.int64), samples.load)
    embed(
        store,
        [*samples.pool, *samples.test],
        samples.load,
        progress=report,
        on_broken=lambda _sample_id, reason: _left_out(reason),
        should_stop=lambda: False,
    )


def _left_out(reason: str) -> None:
    sys.stderr.write(f"left out: {reason}\n")


def _from_npz(config: SimulationConfig) -> LabeledSamples:
    assert config.npz is not None
    try:
        with np.load(config.npz) as data:
            x_train, y_train, x_test, y_test = (data[name] for name in ("x_train", "y_train", "x_test", "y_test"))
    except KeyError as error:
        raise SettingsError(f"--npz {config.npz} needs x_train, y_train, x_test and y_test; {error}.") from error
    except (OSError, TypeError, ValueError, EOFError, BadZipFile) as error:  # TypeError: of a single array
        raise SettingsError(f"--npz {config.npz} is no file that numpy.savez wrote.") from error
    # Drawn rather than the first ones: a file may be sorted by class.
    generator = np.random.default_rng(0)
    pool = np.sort(generator.permutation(len(x_train))[: config.pool])
    test = np.sort(generator.permutation(len(x_test))[: config.test_size])
    pixels = np.concatenate([x_train[pool], x_test[test]])
    labels = np.concatenate([y_train[pool], y_test[test]]).astype(int).tolist()
    classes = tuple(str(name) for name in sorted(set(labels)))
    class_of = {int(name): index for index, name in enumerate(classes)}
    known = {sample_id: class_of[label] for sample_id, label in enumerate(labels)}
    height, width = pixels.shape[1:3]
    return LabeledSamples(
        kind="image",
        load=lambda sample_id: np.asarray(pixels[sample_id], np.uint8),
        candidates=candidates_of("image", [(width, height)]),
        pool={sample_id: known[sample_id] for sample_id in range(len(pool))},
        test={sample_id: known[sample_id] for sample_id in range(len(pool), len(pixels))},
        classes=classes,
    )


def _from_files(config: SimulationConfig) -> LabeledSamples:
    assert config.labels is not None
    assert config.test is not None
    pool, kind = _labeled(config.labels, config, config.kind)
    test, _ = _labeled(config.test, config, kind)
    sizes = {_size(entry) for entry in pool} & {_size(entry) for entry in test}  # nothing else is read for this
    judging = {_what(entry) for entry in test if _size(entry) in sizes}
    asked = [entry for entry in pool if _size(entry) not in sizes or _what(entry) not in judging]
    both = len(pool) - len(asked)
    if both:
        sys.stderr.write(f"{both} samples are in --labels and in --test; they test, and are not asked about\n")
        pool = asked
    if not pool:
        raise SettingsError("Every sample of --labels is in --test too; nothing is left to ask about.")
    entries = [*pool, *test]
    classes = tuple(sorted({entry.class_name for entry in entries}))
    known = {sample_id: classes.index(entry.class_name) for sample_id, entry in enumerate(entries)}
    return LabeledSamples(
        kind=kind,
        load=_loader(kind, entries),
        candidates=candidates_of(kind, _sizes(kind, entries)),
        pool={sample_id: known[sample_id] for sample_id in range(len(pool))},
        test={sample_id: known[sample_id] for sample_id in range(len(pool), len(entries))},
        classes=classes,
    )


def _labeled(path: Path, config: SimulationConfig, kind: str) -> tuple[list[Entry], str]:
    """Those that have a label, and their kind; paths count from the folder that was given, if one was."""
    reading = Reading(kind, text_column=config.text_column, label_column=config.label_column)
    source = open_source(path, uploads=config.out / "uploads", reading=reading)
    folder, labeled = config.images, [entry for entry in source.entries if entry.class_name]
    entries = labeled if folder is None else [replace(entry, root=folder) for entry in labeled]
    if not entries:
        raise SettingsError(f"{path} names no labeled sample.")
    return entries, source.kind


def _size(entry: Entry) -> int:
    if entry.text is not None:
        return len(entry.text)
    with suppress(OSError):  # it is named when it is loaded
        return entry.path.stat().st_size
    return 0


def _what(entry: Entry) -> str:
    """What makes two samples the same: their content, for a copy may be in another folder; of no file, its path."""
    if entry.text is not None:
        return entry.text
    with suppress(OSError):  # it is named when it is loaded
        if entry.path.is_file():  # a pipe would be waited for
            return sha256(entry.path.read_bytes()).hexdigest()
    return str(entry.path)


def _loader(kind: str, entries: Sequence[Entry]) -> Callable[[int], Any]:
    load = kind_named(kind).load
    return lambda sample_id: load(str(entries[sample_id].path), entries[sample_id].text)


def _sizes(kind: str, entries: Sequence[Entry]) -> list[tuple[int, int]]:
    """Of the first ones that can be used; a person's own file may name samples that lie anywhere."""
    sizes = []
    for entry in entries[:SIZES_LOOKED_AT]:
        with suppress(RefusedSampleError):
            path = entry.path.resolve()
            admitted = kind_named(kind).admit(replace(entry, root=path.parent, name=path.name))
            sizes.append((admitted.width, admitted.height))
    return sizes
