"""What stands beside an exported model: who it is, how good it was measured to be, on what, and how it is asked."""

from __future__ import annotations

from typing import Any

from loops.predictors.exported_model import ExportedModel

_IMAGE = """import json, numpy; from PIL import Image, ImageOps
image = ImageOps.exif_transpose(Image.open("image.png"))
if image.mode[0] in "IF":  # more than 8 bits: black to white by its own range
    values = numpy.array(image, "float64")
    low, high = numpy.percentile(values, (0.1, 99.9))
    values = (values - low) * (255 / (high - low) if high > low else 0)
    image = Image.fromarray(values.clip(0, 255).round().astype("uint8"))
about, pixels = json.load(open("classes.json", encoding="utf-8")), numpy.array(image.convert("RGBA"))[None]
"""
_ROWS = """import json, numpy
about, rows = json.load(open("classes.json", encoding="utf-8")), numpy.zeros((1, {numbers}), "float32")
"""
_TORCH = 'import torch; probabilities = torch.export.load("model.pt2").module()(torch.from_numpy({given}))[0]\n'
_ONNX = (
    'import onnxruntime; probabilities = onnxruntime.InferenceSession("model.onnx").run(None, {{"{name}": {given}}})'
    "[0][0]\n"
)
_PRINT = 'print(dict(zip(about["classes"], probabilities.tolist())))\n'


def model_card(about: dict[str, Any], model: ExportedModel, *, as_onnx: bool) -> str:
    """Return it as Markdown.

    Args:
        about: What `classes.json` says.
        model: What was written.
        as_onnx: Or as a file of torch's.
    """
    return "\n".join([*_who(about), *_how_good(about), *_how(about, model, as_onnx=as_onnx)])


def _who(about: dict[str, Any]) -> list[str]:
    classes = ", ".join(f"`{name}`" for name in about["classes"])
    return [
        f"# The model of round {about['round']} of {about['project']}",
        "",
        f"It tells {len(about['classes'])} classes of {about['kind']}s apart: {classes}.",
        f"It learned from {about['labels']:,} labels that people gave in a pool of {about['pool']:,} samples, "
        f"which LabelLoop asked for by {about['acquisition']}.",
        f"What answers: {about['answers']}, on {about['embedding']}.",
        "It holds no sample; where a graph answers, it holds numbers that were computed of each sample of the pool.",
        "",
    ]


def _how_good(about: dict[str, Any]) -> list[str]:
    student = about["student"]
    if student is not None:
        teacher = f" What taught it: {_accuracy(student['teacher'])}" if student["teacher"] else ""
        return [
            "## How good it is",
            "",
            "It was taught by what answers in the project, and gives the same class for "
            f"{100 * student['agree']:.0f} % of {student['n']:,} samples that it was not taught.{teacher}",
            "",
        ]
    measured = _accuracy(about["accuracy"]) if about["accuracy"] else "Nobody has measured it yet."
    return ["## How good it is", "", measured, ""]


def _accuracy(found: dict[str, Any]) -> str:
    bounds = "" if found["low"] is None else f" (between {100 * found['low']:.1f} and {100 * found['high']:.1f} %)"
    return f"{100 * found['value']:.1f} % right{bounds}, measured on {found['n']:,} samples: {found['measured_on']}."


def _how(about: dict[str, Any], model: ExportedModel, *, as_onnx: bool) -> list[str]:
    given = "pixels" if model.side else "rows"
    ask = _ONNX.format(name=model.input_name, given=given) if as_onnx else _TORCH.format(given=given)
    lines = (_IMAGE if model.side else _ROWS.format(numbers=model.numbers)) + ask + _PRINT
    needs = "onnxruntime" if as_onnx else f"torch (made with {about['torch']})"
    contract = (
        "Images go in as uint8 RGBA of any size, `[batch, height, width, 4]`; transparent parts are laid on white and "
        "the image is squeezed to a square inside the model."
        if model.side
        else f"It takes rows of {model.numbers} numbers, which LabelLoop's embedding `{about['embedding']}` makes of a "
        f"{about['kind']}: `labelloop predict` and `labelloop serve` do that with this folder."
    )
    return ["## How it is asked", "", f"{contract} It needs Python with NumPy, Pillow and {needs}. In this folder:", "",
            "```python", lines.rstrip(), "```", ""]  # fmt: skip
