"""Options that several commands have, and the words they take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

ProjectArgument = Annotated[Path, typer.Argument(metavar="PROJECT", help="The project's folder.")]

Network = Literal["auto", "cnn", "features"]
Acquisition = Literal[
    "auto", "typical", "bald", "predictive_entropy", "margin", "variation_ratios", "power_bald", "batch_bald", "badge",
    "epig", "committee_bald", "vaal", "random",
]  # fmt: skip
ColdStart = Literal["diverse", "vaal", "random"]

LearnerOption = Annotated[Network, typer.Option("--learner", help="auto: chosen by the size of the images.")]
AcquisitionOption = Annotated[Acquisition, typer.Option("--acquisition", help="auto: the one that suits the learner.")]
QuerySizeOption = Annotated[int, typer.Option("--query-size", min=1, help="Labels that finish a round.")]
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


def format_to_read(name: str) -> str:
    """Refuse what names no format; the list is made when somebody gives a name, not when the program starts."""
    from app.formats.registry import readable_formats

    return _one_of(name, ["", *readable_formats()])


def format_to_write(name: str) -> str:
    """Refuse what names no format, nor the model."""
    from app.formats.registry import writable_formats

    return _one_of(name, [*writable_formats(), MODEL])


def _one_of(name: str, names: list[str]) -> str:
    if name not in names:
        raise typer.BadParameter(f"{name!r} is none of {', '.join(filter(None, names))}.")
    return name


MODEL = "model"  # exported by the trainer's own code: it is no format of labels

LabeledOption = Annotated[
    bool, typer.Option("--labeled", help="Take over the labels that the source carries; they are trained on.")
]
ReadFormatOption = Annotated[
    str,
    typer.Option(
        "--format",
        metavar="NAME",
        callback=format_to_read,
        help="Of the source, where it cannot be told by looking; 'labelloop formats' lists them.",
        show_default=False,
    ),
]
RenameOption = Annotated[
    list[str], typer.Option("--rename", metavar="OLD=NEW", help="Another name for a class of the source; repeatable.")
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
