"""Tiny Stable Diffusion models with random weights, saved in the hub's own layout by diffusers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pipeline.generate.diffusion import DiffusionGenerator
from pipeline.settings import PipelineSettings

Made = Callable[..., DiffusionGenerator]
"""Makes a generator by settings that differ from those of `settings_of`; the same one again."""

SIDE_PX = 64
"""The native side: formats of every aspect come out near 64 x 64 pixels."""

_TOKENS = 77


def settings_of(hub: Path, **chosen: object) -> PipelineSettings:
    """To draw quickly, and each time the same, by the models of `hub`."""
    values: dict[str, object] = {
        "generator": "diffusion",
        "models_dir": hub,
        "diffusion_runtime": "torch-fp32",
        "diffusion_threads": 1,
        "diffusion_steps": 3,
        **chosen,
    }
    return PipelineSettings.model_validate(values)


class Hooked:
    """A torch hook on every module, for as long as the block lasts."""

    def __init__(self, register: Callable[..., object], hook: Callable[..., object]) -> None:
        self._handle = register(hook)

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        self._handle.remove()


def flagging(*verdicts: bool) -> Hooked:
    """The safety checker says so in turn, then lets everything pass."""
    from torch.nn.modules.module import register_module_forward_hook

    rest = list(verdicts)

    def hook(module: object, args: object, output: object) -> object:
        if type(module).__name__ == "StableDiffusionSafetyChecker":
            return (output[0], [rest.pop(0) if rest else False])
        return None

    return Hooked(register_module_forward_hook, hook)


def save(folder: Path, *, checker: bool = True) -> Path:
    """A whole StableDiffusionPipeline; `checker` adds a safety checker that flags nothing."""
    import torch
    from diffusers import PNDMScheduler, StableDiffusionPipeline

    torch.manual_seed(11)
    pipeline = StableDiffusionPipeline(
        vae=_vae(),
        text_encoder=_text_encoder(),
        tokenizer=tokenizer(),
        unet=unet(),
        # As in Stable Diffusion 1.5's own scheduler_config.json.
        scheduler=PNDMScheduler(
            beta_start=0.00085,
            beta_end=0.012,
            beta_schedule="scaled_linear",
            skip_prk_steps=True,
            steps_offset=1,
        ),
        safety_checker=_checker() if checker else None,
        feature_extractor=_processor() if checker else None,
        requires_safety_checker=checker,
    )
    pipeline.save_pretrained(folder)
    return folder


def save_lcm(folder: Path) -> Path:
    """A latent consistency model, which takes the guidance scale as an embedding."""
    import torch
    from diffusers import LatentConsistencyModelPipeline, LCMScheduler

    torch.manual_seed(12)
    LatentConsistencyModelPipeline(
        vae=_vae(),
        text_encoder=_text_encoder(),
        tokenizer=tokenizer(),
        unet=unet(time_cond_proj_dim=32),
        scheduler=LCMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear"),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    ).save_pretrained(folder)
    return folder


def save_xl(folder: Path) -> Path:
    """A StableDiffusionXLPipeline: two text encoders, sizes as conditions."""
    import torch
    from diffusers import EulerDiscreteScheduler, StableDiffusionXLPipeline

    torch.manual_seed(13)
    StableDiffusionXLPipeline(
        vae=_vae(),
        text_encoder=_text_encoder(),
        text_encoder_2=_text_encoder(projected=True),
        tokenizer=tokenizer(),
        tokenizer_2=tokenizer(),
        unet=unet(
            cross_attention_dim=64,
            addition_embed_type="text_time",
            addition_time_embed_dim=8,
            projection_class_embeddings_input_dim=6 * 8 + 32,
            transformer_layers_per_block=(1, 1),
            use_linear_projection=True,
        ),
        scheduler=EulerDiscreteScheduler(
            beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", steps_offset=1
        ),
    ).save_pretrained(folder)
    return folder


def save_sd3(folder: Path) -> Path:
    """A StableDiffusion3Pipeline without its optional T5: a transformer in place of the UNet."""
    import torch
    from diffusers import (
        FlowMatchEulerDiscreteScheduler,
        SD3Transformer2DModel,
        StableDiffusion3Pipeline,
    )

    torch.manual_seed(16)
    StableDiffusion3Pipeline(
        transformer=SD3Transformer2DModel(
            sample_size=SIDE_PX // 8,
            patch_size=2,
            in_channels=4,
            out_channels=4,
            num_layers=1,
            attention_head_dim=8,
            num_attention_heads=4,
            caption_projection_dim=32,
            joint_attention_dim=64,
            pooled_projection_dim=64,
        ),
        vae=_vae(shift_factor=0.06),
        text_encoder=_text_encoder(projected=True),
        text_encoder_2=_text_encoder(projected=True),
        text_encoder_3=None,
        tokenizer=tokenizer(),
        tokenizer_2=tokenizer(),
        tokenizer_3=None,
        scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0),
    ).save_pretrained(folder)
    return folder


def save_tiny_vae(folder: Path) -> Path:
    """Shaped like TAESD, narrower."""
    import torch
    from diffusers import AutoencoderTiny

    torch.manual_seed(14)
    AutoencoderTiny(
        encoder_block_out_channels=(8, 8, 8, 8),
        decoder_block_out_channels=(8, 8, 8, 8),
        num_encoder_blocks=(1, 1, 1, 1),
        num_decoder_blocks=(1, 1, 1, 1),
    ).save_pretrained(folder)
    return folder


def save_lora(file: Path, *, seed: int = 15) -> Path:
    """LoRA weights for every attention query of the tiny UNet, in diffusers' layout."""
    import torch
    from safetensors.torch import save_file

    torch.manual_seed(seed)
    state = {}
    for name, module in unet().named_modules():
        if name.endswith("to_q"):
            state[f"unet.{name}.lora_A.weight"] = torch.randn(4, module.in_features)
            state[f"unet.{name}.lora_B.weight"] = torch.randn(module.out_features, 4)
    file.parent.mkdir(parents=True, exist_ok=True)
    save_file(state, file)
    return file


def unet(**different: object):  # type: ignore[no-untyped-def]
    from diffusers import UNet2DConditionModel

    config: dict[str, object] = {
        "sample_size": SIDE_PX // 8,
        "in_channels": 4,
        "out_channels": 4,
        "down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D"),
        "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D"),
        "block_out_channels": (16, 32),
        "layers_per_block": 1,
        "cross_attention_dim": 32,
        "attention_head_dim": 4,
        "norm_num_groups": 8,
    }
    return UNet2DConditionModel(**{**config, **different})


def _vae(**different: object):  # type: ignore[no-untyped-def]
    from diffusers import AutoencoderKL

    return AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(8, 8, 8, 8),
        layers_per_block=1,
        latent_channels=4,
        norm_num_groups=4,
        sample_size=SIDE_PX,
        **different,
    )


def _text_encoder(*, projected: bool = False):  # type: ignore[no-untyped-def]
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

    config = CLIPTextConfig(
        vocab_size=516,
        hidden_size=32,
        projection_dim=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=_TOKENS,
        bos_token_id=514,
        eos_token_id=515,
        pad_token_id=515,
    )
    return (CLIPTextModelWithProjection if projected else CLIPTextModel)(config)


def _checker():  # type: ignore[no-untyped-def]
    from diffusers.pipelines.stable_diffusion import StableDiffusionSafetyChecker
    from transformers import CLIPConfig

    checker = StableDiffusionSafetyChecker(
        CLIPConfig(
            projection_dim=16,
            vision_config={
                "hidden_size": 16,
                "intermediate_size": 32,
                "num_hidden_layers": 1,
                "num_attention_heads": 2,
                "image_size": 32,
                "patch_size": 8,
            },
        )
    )
    # A cosine never exceeds 2: nothing is flagged. At -2 everything is.
    checker.concept_embeds_weights.fill_(2.0)
    checker.special_care_embeds_weights.fill_(2.0)
    return checker


def _processor():  # type: ignore[no-untyped-def]
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    return CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})


def tokenizer():  # type: ignore[no-untyped-def]
    from tokenizers.pre_tokenizers import ByteLevel
    from transformers import CLIPTokenizer

    letters = sorted(ByteLevel.alphabet())
    tokens = [*letters, *(f"{letter}</w>" for letter in letters), "ca", "cat</w>"]
    tokens += ["<|startoftext|>", "<|endoftext|>"]
    return CLIPTokenizer(
        vocab={token: number for number, token in enumerate(tokens)},
        merges=[("c", "a"), ("ca", "t</w>")],
        model_max_length=_TOKENS,
    )
