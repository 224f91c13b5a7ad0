"""From a confirmed label to a re-ranked pool of 100,000 texts, and of 100,000 rows of a table; another process busy.

    python benchmarks/bench_large_pools.py --samples 100000 --labels 100 --text TEXTS.csv --table TABLE.csv

Each pool is made of a CSV file with a column `label`: of texts two of one class are joined, of a table a row is drawn
and its numbers are moved by a hundredth of their spread, so that no two are alike. It is imported like a person's own
file, and the trainer embeds it as `labelloop run` starts it. A label is timed as in `bench_every_label.py`.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
from bench_every_label import time_labels
from sklearn.datasets import load_breast_cancer
from trainer_project import TrainerProject, running_trainer

from app.project.creation import make_project
from app.project.settings import ProjectSettings
from storage.samples import list_samples

LABEL = "label"


def main() -> None:
    """Times each pool."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--text", type=Path, nargs="*", default=[])
    parser.add_argument("--table", type=Path, nargs="*", default=[])
    parser.add_argument("--samples", type=int, default=100_000)
    parser.add_argument("--labels", type=int, default=100)
    parser.add_argument("--quick", action="store_true", help="2,000 samples and 5 labels")
    options = parser.parse_args()
    if options.quick:
        options.samples, options.labels = 2_000, 5
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    pools = [(path.stem, pd.read_csv(path), texts_of) for path in options.text]
    pools += [(path.stem, pd.read_csv(path), rows_of) for path in options.table]
    for name, given, grown in pools or [("breast cancer", breast_cancer(), rows_of)]:
        print(f"\n{options.samples:,} samples of {name}", flush=True)
        with project_of(grown(given, options.samples)) as running:
            time_labels(running, options.labels)


def breast_cancer() -> pd.DataFrame:
    """The table that comes with scikit-learn, where none is given."""
    found = load_breast_cancer(as_frame=True)
    return found.data.assign(**{LABEL: found.target_names[found.target]})


def texts_of(given: pd.DataFrame, count: int) -> pd.DataFrame:
    """So many texts, each of two of one class, no pair twice."""
    generator, parts = np.random.default_rng(0), []
    for label, texts in given.groupby(LABEL)["text"]:
        wanted = round(1.02 * count * len(texts) / len(given))
        pairs = generator.integers(0, len(texts), (wanted, 2))
        joined = texts.to_numpy()[pairs[:, 0]] + " " + texts.to_numpy()[pairs[:, 1]]
        parts.append(pd.DataFrame({"text": joined, LABEL: label}).drop_duplicates("text"))
    return pd.concat(parts).sample(frac=1, random_state=0).head(count)


def rows_of(given: pd.DataFrame, count: int) -> pd.DataFrame:
    """So many rows, drawn with replacement, their numbers moved."""
    rows = given.sample(count, replace=True, random_state=0).reset_index(drop=True)
    numbers = rows.select_dtypes("number").columns.difference([LABEL])
    moved = np.random.default_rng(0).normal(0, 0.01, (count, len(numbers))) * given[numbers].std().to_numpy()
    rows[numbers] = rows[numbers] + moved
    return rows


@contextmanager
def project_of(samples: pd.DataFrame) -> Iterator[TrainerProject]:
    """Samples imported as a person does it, and their trainer."""
    classes = sorted(samples[LABEL].astype(str).unique())
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "pool.csv"
        samples.to_csv(file, index=False)
        began = time.perf_counter()
        settings = ProjectSettings("large", audit_share=0.0)
        project = make_project(Path(folder) / "project", settings=settings, classes=classes, data=file).project
        print(f"import: {time.perf_counter() - began:.0f} s", flush=True)
        with closing(project.open_database()) as database:
            with database.read() as session:
                identity = project.project_id(database)
                pool = list_samples(session, project_id=identity, split="pool", limit=len(samples))
            labels = samples[LABEL].astype(str).to_numpy()
            # `pool.csv:2` is the first line behind the names; no text here has a line break.
            class_of = {one.id: classes.index(labels[int(one.uri.rpartition(":")[2]) - 2]) for one in pool}
            with running_trainer(project, database, class_of) as running:
                yield running


if __name__ == "__main__":
    main()
