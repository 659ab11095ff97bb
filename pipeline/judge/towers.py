"""CLIP's two towers as plain torch modules, with what a judge never reads cut away.

The same numbers as transformers' `CLIPModel.get_image_features` and `get_text_features` (Radford et
al. 2021, arXiv 2103.00020), for less work: query, key and value are one product, and the last layer
is computed only for the one token that is read (7 % of ViT-B/32's arithmetic). Only this module and
`runtime` know torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional

from pipeline.errors import BackendUnavailable
from pipeline.judge.weights import TextConfig, TowerConfig, VisionConfig

State = Mapping[str, Tensor]


class _Activation(Protocol):
    def __call__(self, x: Tensor, /) -> Tensor: ...


def _quick_gelu(x: Tensor) -> Tensor:
    return x * torch.sigmoid(1.702 * x)


_ACTIVATIONS: dict[str, _Activation] = {"quick_gelu": _quick_gelu, "gelu": functional.gelu}


class Layer(nn.Module):
    """One pre-norm transformer layer over [N, T, width]."""

    def __init__(self, state: State, prefix: str, config: TowerConfig, *, causal: bool) -> None:
        super().__init__()
        self.heads = config.heads
        self.causal = causal
        self.activation = _ACTIVATIONS[config.activation]
        self.norm1 = _norm(state, f"{prefix}.layer_norm1", config.norm_eps)
        self.norm2 = _norm(state, f"{prefix}.layer_norm2", config.norm_eps)
        parts = [f"{prefix}.self_attn.{part}_proj" for part in "qkv"]
        self.qkv = _linear(
            torch.cat([_take(state, f"{part}.weight") for part in parts]),
            torch.cat([_take(state, f"{part}.bias") for part in parts]),
        )
        self.out = _linear_of(state, f"{prefix}.self_attn.out_proj")
        self.up = _linear_of(state, f"{prefix}.mlp.fc1")
        self.down = _linear_of(state, f"{prefix}.mlp.fc2")

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = (self._by_head(part) for part in self.qkv(self.norm1(x)).chunk(3, dim=-1))
        attended = functional.scaled_dot_product_attention(q, k, v, is_causal=self.causal)
        return self._finish(x, attended)

    def only(self, x: Tensor, token: Tensor) -> Tensor:
        """The layer's output for one token, [N, width]; earlier tokens only are attended to by a
        causal tower, so its `x` must end with that token."""
        width = x.shape[-1]
        normed = self.norm1(x)
        one = normed.index_select(1, token)
        q = self._by_head(functional.linear(one, self.qkv.weight[:width], self.qkv.bias[:width]))
        rest = functional.linear(normed, self.qkv.weight[width:], self.qkv.bias[width:])
        k, v = (self._by_head(part) for part in rest.chunk(2, dim=-1))
        attended = functional.scaled_dot_product_attention(q, k, v)
        return self._finish(x.index_select(1, token), attended)[:, 0]

    def _by_head(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)

    def _finish(self, x: Tensor, attended: Tensor) -> Tensor:
        x = x + self.out(attended.transpose(1, 2).flatten(2))
        hidden: Tensor = self.down(self.activation(self.up(self.norm2(x))))
        return x + hidden


class ImageTower(nn.Module):
    """[N, 3, side, side] pixels to [N, D] embeddings, not normalised; float32 in and out.

    `to(torch.bfloat16)` changes the precision within.
    """

    def __init__(self, state: State, config: VisionConfig) -> None:
        super().__init__()
        root = "vision_model"
        self.stride = config.patch_px
        self.grid = config.side_px // config.patch_px
        # Patches don't overlap: a product of their pixels does what the convolution does, faster.
        patch = _take(state, f"{root}.embeddings.patch_embedding.weight").flatten(1)
        self.patch = nn.Parameter(patch, requires_grad=False)
        start = _take(state, f"{root}.embeddings.class_embedding")
        position = _take(state, f"{root}.embeddings.position_embedding.weight")
        if config.side_px % config.patch_px or position.shape[0] != self.grid**2 + 1:
            raise BackendUnavailable("clip", "position embedding does not fit the picture's side")
        # The class token's position never changes: one addition less per run.
        self.start = nn.Parameter((start + position[0])[None, None], requires_grad=False)
        self.position = nn.Parameter(position[1:], requires_grad=False)
        self.norm_in = _norm(state, f"{root}.pre_layrnorm", config.norm_eps)
        self.layers = _layers(state, root, config, causal=False)
        self.norm_out = _norm(state, f"{root}.post_layernorm", config.norm_eps)
        self.project = _linear(_take(state, "visual_projection.weight"))
        self.token = nn.Buffer(torch.zeros(1, dtype=torch.int64))

    def forward(self, pixels: Tensor) -> Tensor:
        x = functional.linear(self._patches(pixels.to(self.patch.dtype)), self.patch)
        x = torch.cat([self.start.expand(x.shape[0], -1, -1), x + self.position], dim=1)
        out: Tensor = self.project(self.norm_out(_run(self.layers, self.norm_in(x), self.token)))
        return out.float()

    def _patches(self, pixels: Tensor) -> Tensor:
        """[N, 3, side, side] as [N, patches, 3 * pixels of a patch]."""
        rows = pixels.reshape(-1, 3, self.grid, self.stride, self.grid, self.stride)
        return rows.permute(0, 2, 4, 1, 3, 5).reshape(-1, self.grid**2, 3 * self.stride**2)


class TextTower(nn.Module):
    """[1, T] token ids, the end token last, to [1, D] embeddings, not normalised.

    No padding: the tower is causal, so tokens after the end token change nothing.
    """

    def __init__(self, state: State, config: TextConfig) -> None:
        super().__init__()
        root = "text_model"
        tokens = _take(state, f"{root}.embeddings.token_embedding.weight")
        position = _take(state, f"{root}.embeddings.position_embedding.weight")
        self.tokens = nn.Parameter(tokens, requires_grad=False)
        self.position = nn.Parameter(position, requires_grad=False)
        self.layers = _layers(state, root, config, causal=True)
        self.norm_out = _norm(state, f"{root}.final_layer_norm", config.norm_eps)
        self.project = _linear(_take(state, "text_projection.weight"))

    def forward(self, ids: Tensor) -> Tensor:
        x = functional.embedding(ids, self.tokens) + self.position[: ids.shape[1]]
        end = torch.full((1,), ids.shape[1] - 1, dtype=torch.int64)
        out: Tensor = self.project(self.norm_out(_run(self.layers, x, end)))
        return out.float()


def _run(layers: nn.ModuleList, x: Tensor, token: Tensor) -> Tensor:
    *before, last = layers
    for layer in before:
        x = layer(x)
    assert isinstance(last, Layer)
    return last.only(x, token)


def _layers(state: State, root: str, config: TowerConfig, *, causal: bool) -> nn.ModuleList:
    if config.activation not in _ACTIVATIONS:
        raise BackendUnavailable("clip", f"activation {config.activation!r} is not CLIP's")
    return nn.ModuleList(
        Layer(state, f"{root}.encoder.layers.{index}", config, causal=causal)
        for index in range(config.layers)
    )


def _take(state: State, name: str) -> Tensor:
    try:
        return state[name].to(torch.float32)
    except KeyError as error:
        raise BackendUnavailable("clip", f"weights lack {name}: no CLIP model") from error


def _linear(weight: Tensor, bias: Tensor | None = None) -> nn.Linear:
    out_features, in_features = weight.shape
    linear = nn.Linear(in_features, out_features, bias is not None, device="meta")
    linear.weight = nn.Parameter(weight, requires_grad=False)
    if bias is not None:
        linear.bias = nn.Parameter(bias, requires_grad=False)
    return linear


def _linear_of(state: State, prefix: str) -> nn.Linear:
    return _linear(_take(state, f"{prefix}.weight"), _take(state, f"{prefix}.bias"))


def _norm(state: State, prefix: str, eps: float) -> nn.LayerNorm:
    weight = _take(state, f"{prefix}.weight")
    norm = nn.LayerNorm(weight.shape[0], eps=eps, device="meta")
    norm.weight = nn.Parameter(weight, requires_grad=False)
    norm.bias = nn.Parameter(_take(state, f"{prefix}.bias"), requires_grad=False)
    return norm
