"""timm, open_clip and sentence-transformers, as much of each as is called here: the real ones need other packages."""

from __future__ import annotations

import io
from pathlib import Path

TIMM = """
from types import SimpleNamespace

SIDES = {"tiny": 8, "large": 518}

def is_model(name):
    return name in SIDES

def get_pretrained_cfg(name, allow_unregistered=True):
    model, _, tag = name.partition(".")
    if tag not in ("", "in1k", "alone"):
        raise RuntimeError(f"Invalid pretrained tag ({tag}) for {model}.")
    hub = None if tag == "alone" else f"timm/{model}.in1k"
    side = SIDES[model]
    return SimpleNamespace(
        hf_hub_id=hub, hf_hub_filename=None, custom_load=False, fixed_input_size=True, input_size=(3, side, side)
    )

def load_state_dict(path, weights_only):
    import torch
    return torch.load(path, weights_only=weights_only)

models = SimpleNamespace(get_pretrained_cfg=get_pretrained_cfg, load_state_dict=load_state_dict)
data = SimpleNamespace(resolve_model_data_config=lambda network: {
    "input_size": (3, network.side, network.side), "mean": (0, 0, 0), "std": (1, 1, 1)
})

def create_model(name, pretrained, num_classes, pretrained_cfg_overlay, img_size=None):
    import torch

    class Means(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = torch.nn.Parameter(torch.ones(3))
            self.side = SIDES[name.partition(".")[0]]

        def forward(self, images):
            if images.shape[2] != (img_size or self.side):
                raise ValueError(f"made for {img_size or self.side}, given {images.shape[2]}")
            return images.mean((2, 3)) * self.scale

    assert pretrained and num_classes == 0
    network = Means()
    network.load_state_dict(pretrained_cfg_overlay["state_dict"])
    return network
"""

OPEN_CLIP = """
from types import SimpleNamespace

OPENAI_DATASET_MEAN, OPENAI_DATASET_STD = (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)

def get_pretrained_cfg(model, tag):
    known = {"ViT/laion": {"hf_hub": "laion/vit/", "quick_gelu": True, "mean": (0, 0, 0), "std": (1, 1, 1)}}
    return known.get(f"{model}/{tag}", {})

def list_pretrained_tags_by_model(model):
    return ["laion"] if model == "ViT" else []

COLORS = ("red", "green", "blue")

def get_tokenizer(model):
    import torch
    if model != "ViT":
        raise OSError(f"the words of {model} are not here")
    return lambda texts: torch.tensor([[float(color in text) for color in COLORS] for text in texts])

def create_model(model, pretrained, force_quick_gelu, weights_only):
    import torch

    class Clip(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = torch.nn.Parameter(torch.ones(3))
            self.visual = SimpleNamespace(image_size=(8, 8))
            self.logit_scale = torch.tensor(10.0).log()

        def encode_text(self, tokens):
            return tokens * self.scale

        def encode_image(self, images):
            return images.mean((2, 3)) * self.scale * (2 if force_quick_gelu else 1)

    network = Clip()
    network.load_state_dict(torch.load(pretrained, weights_only=weights_only))
    return network
"""

SENTENCE_TRANSFORMERS = """
import json
from pathlib import Path

import numpy

class SentenceTransformer:
    def __init__(self, folder, device, local_files_only):
        assert local_files_only
        self.words = json.loads((Path(folder) / "config.json").read_text())["words"]
        (Path(folder) / "model.safetensors").read_bytes()

    def encode(self, texts, show_progress_bar, convert_to_numpy):
        return numpy.array([[text.count(word) for word in self.words] for text in texts], numpy.float32)
"""

_PACKAGES = {
    "timm": ("timm", TIMM),
    "open_clip_torch": ("open_clip", OPEN_CLIP),
    "sentence_transformers": ("sentence_transformers", SENTENCE_TRANSFORMERS),
}


def write_packages(folder: Path) -> Path:
    """Packages that are installed, to whom the folder is on the path."""
    for distribution, (module, code) in _PACKAGES.items():
        (folder / f"{module}.py").write_text(code)
        about = folder / f"{distribution}-1.0.dist-info"
        about.mkdir(parents=True)
        (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
    return folder


def weights(**values: list[float]) -> bytes:
    """A file of weights."""
    import torch  # here: most who ask a hub need none

    out = io.BytesIO()
    torch.save({name: torch.tensor(numbers) for name, numbers in values.items()}, out)
    return out.getvalue()
