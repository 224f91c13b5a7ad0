"""Options that several commands have, and the words they take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from app.errors import SettingsError
from app.kinds.kind import KINDS
from app.project.own_code import import_predictor
from app.project.settings import PREDICTORS, RECOMMENDED_NETWORK, check_predictor
from loops.acquisition import catalog
from loops.errors import LoopsError

ProjectArgument = Annotated[Path, typer.Argument(metavar="PROJECT", help="The project's folder.")]


def known_acquisition(name: str) -> str:
    """Refuses what is no acquisition function; somebody's own is imported, to be refused before anything slow."""
    try:
        found = catalog.find(name)
        if found.own:
            found.load()
    except LoopsError as error:
        raise typer.BadParameter(str(error)) from error
    return name


def known_cold_start(name: str) -> str:
    """Refuses what is no way to choose the first samples."""
    if name not in catalog.COLD_STARTS:
        raise typer.BadParameter(f"{name!r} is not one of {', '.join(catalog.COLD_STARTS)}.")
    return name


def known_predictor(name: str) -> str:
    """Refuses what is no predictor; somebody's own is imported, to be refused before anything slow."""
    try:
        check_predictor("--predictor", name)
        if catalog.is_own(name):
            import_predictor(name)
    except (LoopsError, SettingsError) as error:
        raise typer.BadParameter(str(error)) from error
    return name


def _known_kind(name: str) -> str:
    if name and name not in KINDS:
        raise typer.BadParameter(f"{name!r} is not one of {', '.join(KINDS)}.")
    return name


ACQUISITION_METAVAR = f"[{'|'.join(catalog.CATALOG)}|package.module:name]"
ACQUISITION_HELP = (
    "How the next samples are chosen; auto: by coverage, then by doubt. A function of your own takes the class "
    "probabilities of the draws (samples x classes x draws) and gives a score for each sample; BaaL's heuristics work "
    "as they are."
)
ColdStartOption = Annotated[
    str,
    typer.Option(
        callback=known_cold_start,
        metavar=f"[{'|'.join(catalog.COLD_STARTS)}]",
        help="How the first samples are chosen.",
    ),
]
PredictorOption = Annotated[
    str,
    typer.Option(
        "--predictor",
        "--learner",
        "--model",
        callback=known_predictor,
        metavar=f"[{'|'.join(PREDICTORS)}|package.module:name]",
        help="What learns from the labels; auto: what suits the samples. Any classifier of scikit-learn's kind works "
        "as it is, such as sklearn.ensemble:RandomForestClassifier, and so does a LightningModule.",
    ),
]
AcquisitionOption = Annotated[
    str,
    typer.Option("--acquisition", callback=known_acquisition, metavar=ACQUISITION_METAVAR, help=ACQUISITION_HELP),
]
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
OutsideOption = Annotated[
    bool,
    typer.Option("--outside", help="Let files outside its folder in: by links, or by absolute names in a list."),
]
EmbeddingOption = Annotated[
    str,
    typer.Option(
        "--embedding",
        metavar="SOURCE",
        help="Your own features: FILE.npy, FILE.pt (TorchScript), FILE.onnx; a network by its name, timm:NAME, "
        "open_clip:MODEL/WEIGHTS or, of texts, sentence-transformers:NAME; or module:function (from a list of uint8 "
        "arrays, height x width x 3, to an array, images x numbers), which runs that code with your rights.",
    ),
]
DownloadOption = Annotated[
    bool,
    typer.Option(
        "--download",
        help="Fetch the network that --embedding names, where it is not on this machine yet; without it nothing is "
        f"downloaded. Recommended for photographs: {RECOMMENDED_NETWORK}.",
    ),
]


def format_to_read(name: str) -> str:
    """Refuse what names no format; the list is made when somebody gives a name, not when the program starts."""
    from app.formats.registry import readable_formats

    return _one_of(name, ["", *readable_formats()])


def format_to_write(name: str) -> str:
    """Refuse what names no format, nor the model."""
    from app.formats.registry import writable_formats

    return _one_of(name, [*writable_formats(), MODEL, ONNX])


def format_to_write_labels(name: str) -> str:
    """Refuse what names no format of samples and labels."""
    from app.formats.registry import writable_formats

    return _one_of(name, list(writable_formats()))


def _one_of(name: str, names: list[str]) -> str:
    if name not in names:
        raise typer.BadParameter(f"{name!r} is none of {', '.join(filter(None, names))}.")
    return name


MODEL, ONNX = "model", "onnx"  # exported by the trainer's own code: it is no format of labels

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
