"""A tiny CLIP with random weights, saved in the hub's own layout by the hub's own libraries."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image

SIDE_PX = 32
WIDTH = 16
BOS, EOS = 514, 515


def save(
    folder: Path, *, activation: str = "quick_gelu", pickled: bool = False, hidden: int = 64
) -> Path:
    """Model, tokenizer and processor; `pickled` writes `pytorch_model.bin` and no safetensors.

    `hidden` is the width of the image tower's MLP.
    """
    import torch
    from transformers import CLIPConfig, CLIPModel

    torch.manual_seed(7)
    model = CLIPModel(
        CLIPConfig(
            projection_dim=WIDTH,
            vision_config={
                "hidden_size": 32,
                "intermediate_size": hidden,
                "num_hidden_layers": 3,
                "num_attention_heads": 2,
                "image_size": SIDE_PX,
                "patch_size": 8,
                "hidden_act": activation,
            },
            text_config={
                "vocab_size": 516,
                "hidden_size": 24,
                "intermediate_size": 48,
                "num_hidden_layers": 2,
                "num_attention_heads": 2,
                "max_position_embeddings": 20,
                "bos_token_id": BOS,
                "eos_token_id": EOS,
                "hidden_act": activation,
            },
        )
    ).eval()
    with torch.no_grad():
        for parameter in model.parameters():  # Livelier than the initial values, biases too.
            parameter.add_(torch.randn_like(parameter) * 0.1)
    model.save_pretrained(folder)
    if pickled:
        torch.save(model.state_dict(), folder / "pytorch_model.bin")
        (folder / "model.safetensors").unlink()
    _processor().save_pretrained(folder)
    _tokenizer().save_pretrained(folder)
    return folder


def save_heads(folder: Path, width: int = WIDTH) -> tuple[Path, Path]:
    """An aesthetic head and a safety head, shaped like LAION's."""
    import torch

    torch.manual_seed(8)
    folder.mkdir(parents=True, exist_ok=True)
    aesthetic, safety = folder / "aesthetic.pth", folder / "safety.pth"
    torch.save({"weight": torch.randn(1, width) * 3, "bias": torch.tensor([5.0])}, aesthetic)
    state = {"norm.mean": torch.randn(width) * 0.1, "norm.variance": torch.rand(width) + 0.1}
    for number, (inputs, outputs) in enumerate(((width, 8), (8, 8), (8, 1)), start=1):
        state[f"linear_{number}.weight"] = torch.randn(outputs, inputs) * 0.3
        state[f"linear_{number}.bias"] = torch.randn(outputs) * 0.3
    torch.save(state, safety)
    return aesthetic, safety


def scored_plainly(
    folder: Path, heads: tuple[Path, Path], text: str, images: list[Image.Image]
) -> list[tuple[float, float, float]]:
    """Cosine, raw beauty and safety of each picture by transformers and torch calls alone."""
    import torch
    from transformers import CLIPModel, CLIPTokenizer
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    model = CLIPModel.from_pretrained(folder).eval()
    pixels = CLIPImageProcessorPil.from_pretrained(folder)(images, return_tensors="pt")
    tokens = CLIPTokenizer.from_pretrained(folder)(
        [text], padding="max_length", max_length=20, truncation=True, return_tensors="pt"
    )
    with torch.no_grad():
        out = model(**tokens, **pixels)
        image, words = (
            torch.nn.functional.normalize(e) for e in (out.image_embeds, out.text_embeds)
        )
        linear = torch.load(heads[0], weights_only=True)
        beauty = torch.nn.functional.linear(image, linear["weight"], linear["bias"])
        dense = torch.load(heads[1], weights_only=True)
        x = (image - dense["norm.mean"]) / dense["norm.variance"].sqrt()
        for number in (1, 2, 3):
            weight, bias = dense[f"linear_{number}.weight"], dense[f"linear_{number}.bias"]
            x = torch.nn.functional.linear(x.relu() if number > 1 else x, weight, bias)
        rows = torch.stack([(image @ words.T)[:, 0], beauty[:, 0], x.sigmoid()[:, 0]], dim=1)
    return [(a, b, c) for a, b, c in rows.tolist()]


def _processor():  # type: ignore[no-untyped-def]
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    return CLIPImageProcessorPil(
        size={"shortest_edge": SIDE_PX}, crop_size={"height": SIDE_PX, "width": SIDE_PX}
    )


def _tokenizer():  # type: ignore[no-untyped-def]
    from tokenizers.pre_tokenizers import ByteLevel
    from transformers import CLIPTokenizer

    letters = sorted(ByteLevel.alphabet())
    tokens = [*letters, *(f"{letter}</w>" for letter in letters), "ca", "cat</w>"]
    tokens += ["<|startoftext|>", "<|endoftext|>"]
    merges = [("c", "a"), ("ca", "t</w>")]
    return CLIPTokenizer(vocab={t: i for i, t in enumerate(tokens)}, merges=merges)
