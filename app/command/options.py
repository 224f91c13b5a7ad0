"""Options that several commands have, and the words they take."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from app.kinds.kind import KINDS

Network = Literal["auto", "cnn", "features"]
Acquisition = Literal[
    "auto", "typical", "bald", "predictive_entropy", "margin", "variation_ratios", "power_bald", "batch_bald", "badge",
    "epig", "committee_bald", "vaal", "random",
]  # fmt: skip
ColdStart = Literal["diverse", "vaal", "random"]


def _known_kind(name: str) -> str:
    if name and name not in KINDS:
        raise typer.BadParameter(f"{name!r} is not one of {', '.join(KINDS)}.")
    return name


LearnerOption = Annotated[Network, typer.Option("--learner", help="auto: the one that suits the samples.")]
AcquisitionOption = Annotated[Acquisition, typer.Option("--acquisition", help="auto: the one that suits the learner.")]
QuerySizeOption = Annotated[int, typer.Option("--query-size", min=1, help="Labels that finish a round.")]
KindOption = Annotated[
    str,
    typer.Option(
        "--kind",
        callback=_known_kind,
        metavar=f"[{'|'.join(KINDS)}]",
        help="Of the samples; none: told by what is there.",
    ),
]
TextColumnOption = Annotated[str, typer.Option("--text-column", metavar="NAME", help="Of a CSV or JSONL file.")]
LabelColumnOption = Annotated[str, typer.Option("--label-column", metavar="NAME", help="Of a CSV or JSONL file.")]
EmbeddingOption = Annotated[
    str,
    typer.Option(
        "--embedding",
        metavar="SOURCE",
        help="Your own features: FILE.npy, FILE.pt (TorchScript), FILE.onnx, timm:NAME, or module:function (from a "
        "list of uint8 arrays, height x width x 3, to an array, images x numbers), which runs that code with your "
        "rights.",
    ),
]

DEVICES_VARIABLE, NODES_VARIABLE = "LABELLOOP_DEVICES", "LABELLOOP_NUM_NODES"  # how `labelloop run` is told
DevicesOption = Annotated[
    int,
    typer.Option(
        "--devices",
        min=1,
        envvar=DEVICES_VARIABLE,
        help="Processes that embed and score a large pool, and fit many labels; a GPU each, if there are.",
    ),
]
NumNodesOption = Annotated[
    int,
    typer.Option(
        "--num-nodes",
        min=1,
        envvar=NODES_VARIABLE,
        help="Machines that do so: the same command on each, with MASTER_ADDR, MASTER_PORT and NODE_RANK, and the "
        "project's folder at the same path.",
    ),
]
