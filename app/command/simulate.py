"""The command `labelloop simulate`: its options; nothing heavy is imported before they were found good."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated

import typer

from app.command.options import (
    ACQUISITION_HELP,
    ACQUISITION_METAVAR,
    ColdStartOption,
    KindOption,
    LabelColumnOption,
    PredictorOption,
    QuerySizeOption,
    TextColumnOption,
    known_acquisition,
)
from app.simulation.config import SimulationConfig, StudyConfig


def _known_acquisitions(names: list[str]) -> list[str]:
    return [known_acquisition(name) for name in names]


def simulate(
    out: Annotated[Path, typer.Option(metavar="DIR", help="Gets tables, plots and JSON.")],
    images: Annotated[Path | None, typer.Option(metavar="DIR", help="What the CSVs' paths are relative to.")] = None,
    labels: Annotated[
        Path | None, typer.Option("--labels", "--data", metavar="FILE", help="The pool with its labels: path,label.")
    ] = None,
    test: Annotated[Path | None, typer.Option(metavar="FILE", help="The test set with its labels.")] = None,
    kind: KindOption = "",
    text_column: TextColumnOption = "",
    label_column: LabelColumnOption = "",
    npz: Annotated[
        Path | None, typer.Option(metavar="FILE", help="x_train, y_train, x_test, y_test, in place of the CSVs.")
    ] = None,
    pool: Annotated[int | None, typer.Option(min=1, help="With --npz: samples in the pool; none: all.")] = None,
    test_size: Annotated[
        int | None, typer.Option(min=1, help="With --npz: samples in the test set; none: all.")
    ] = None,
    predictor: PredictorOption = "auto",
    acquisition: Annotated[
        list[str],  # typer takes no list of a Literal
        typer.Option(
            callback=_known_acquisitions,
            metavar=ACQUISITION_METAVAR,
            help=f"Repeat it for several. {ACQUISITION_HELP}",
        ),
    ] = ["auto"],  # noqa: B006 - typer reads it as the default
    query_size: QuerySizeOption = 10,
    budget: Annotated[int, typer.Option(min=1, help="Labels in all, audit labels too.")] = 200,
    seed: Annotated[int, typer.Option(min=0, help="The first one.")] = 0,
    seeds: Annotated[int, typer.Option(min=1, help="How many, counting up from --seed.")] = 1,
    mc_iterations: Annotated[int, typer.Option(min=2, help="MC-dropout draws per sample.")] = 20,
    cold_start: ColdStartOption = "diverse",
    audit: Annotated[float, typer.Option(min=0.0, max=0.5, help="Share drawn uniformly, to measure accuracy.")] = 0.0,
    certify: Annotated[
        float, typer.Option(min=0.0, max=0.999, help="Stop when this share of the rest is proven right, such as 0.95.")
    ] = 0.0,
    processes: Annotated[int | None, typer.Option(min=1, help="Runs at a time; none: one per core.")] = None,
) -> None:
    """Run the loop with known labels in place of a person; the last line is JSON.

    As in a project, every label ranks the rest anew, and from a large pool of small images features are learned first,
    which takes minutes for each seed. What a project would say of itself, from its own labels alone, stands beside what
    the test set says; --audit gives it more to go by. With --certify audit samples are drawn to prove a share of the
    rest right, and the run ends at the first moment it is proven.

    One acquisition function and one seed: the run is told on stderr, and --out gets curve.csv and curve.png. Several:
    they run side by side, what is finished is not run again, and --out gets table.md, table.csv, curves.png, study.json
    and a folder per run.
    """
    base = SimulationConfig(
        out=out,
        images=images,
        labels=labels,
        test=test,
        kind=kind,
        text_column=text_column,
        label_column=label_column,
        npz=npz,
        pool=pool,
        test_size=test_size,
        predictor=predictor,
        acquisition=acquisition[0],
        query_size=query_size,
        budget=budget,
        seed=seed,
        mc_iterations=mc_iterations,
        cold_start=cold_start,
        audit=audit,
        certify=certify,
    )
    study = StudyConfig(base, tuple(acquisition), seeds, processes)
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # before torch: on busy cores threads spin, as in the trainer
    from app.simulation.study import run_study, simulate_once  # after the arguments were found good: it loads torch

    if len(study.runs()) == 1:
        typer.echo(json.dumps(simulate_once(base)))
        return
    summary = run_study(study)
    typer.echo((out / "table.md").read_text(encoding="utf-8"))
    typer.echo(json.dumps(summary))
