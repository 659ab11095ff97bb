"""The diffusion generator on tiny real models, through the code that large ones go through."""

from __future__ import annotations

import inspect
import json
import os
import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from pipeline import generate, model_files, models
from pipeline.compiled import chip_has_bf16, has_openvino
from pipeline.enhance import create as create_enhancer
from pipeline.errors import BackendBusy, BackendUnavailable, BadBrief, Cancelled
from pipeline.generate import noise, recipe
from pipeline.generate.device import choose, is_out_of_memory
from pipeline.generate.diffusion import FROM_PHOTOS, REDRAWS, DiffusionGenerator
from pipeline.generate.recipe import Recipe
from pipeline.judge.pixels import PixelsJudge
from pipeline.run import Pipeline
from pipeline.settings import PipelineSettings
from pipeline.types import (
    Aspect,
    Brief,
    CancelFlag,
    Photo,
    Picture,
    Progress,
    Prompt,
    Stage,
    Variation,
)
from tests.pipeline import tiny_diffusion

for library in ("torch", "diffusers", "transformers", "peft"):
    pytest.importorskip(library, reason="the ml extra is not installed")

BRIEF = Brief(raw_prompt="кот", cleaned_prompt="кот", seed=1)
PROMPT = Prompt(render="a cat on a violet table", negative="blurry", intent="a cat", backend="off")
SEEDS = (40, 41)

Made = Callable[..., DiffusionGenerator]


@pytest.fixture(scope="session")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A MODELS_DIR with every tiny model, under the names of the real ones."""
    folder = tmp_path_factory.mktemp("hub")
    tiny_diffusion.save(models.STABLE_DIFFUSION.path(folder))
    tiny_diffusion.save_lcm(folder / "someone--tiny-lcm")
    tiny_diffusion.save_xl(folder / "someone--tiny-xl")
    tiny_diffusion.save_sd3(folder / "someone--tiny-sd3")
    tiny_diffusion.save_tiny_vae(models.TINY_VAE.path(folder))
    lora = models.LCM_LORA.path(folder) / models.LCM_LORA.wanted[0]
    tiny_diffusion.save_lora(lora)
    return folder


@pytest.fixture(scope="session")
def made(hub: Path) -> Made:
    """Generators by their settings, one of each."""
    known: dict[str, DiffusionGenerator] = {}

    def make(**chosen: object) -> DiffusionGenerator:
        key = repr(sorted(chosen.items()))
        if key not in known:
            known[key] = DiffusionGenerator(_settings(hub, **chosen))
        return known[key]

    return make


@pytest.fixture
def own_model(hub: Path, tmp_path: Path) -> Path:
    """A copy of the default model, to be spoilt."""
    return Path(shutil.copytree(models.STABLE_DIFFUSION.path(hub), tmp_path / "own"))


def _settings(hub: Path, **chosen: object) -> PipelineSettings:
    values: dict[str, object] = {
        "generator": "diffusion",
        "models_dir": hub,
        "diffusion_runtime": "torch-fp32",
        "diffusion_threads": 1,
        "diffusion_steps": 3,
        **chosen,
    }
    return PipelineSettings.model_validate(values)


def _drawn(
    generator: DiffusionGenerator,
    *seeds: int,
    brief: Brief = BRIEF,
    prompt: Prompt = PROMPT,
) -> list[Picture]:
    return generator.generate(prompt, brief, seeds, lambda done, part=0.0: None, CancelFlag())


def _pixels(picture: Picture | Image.Image) -> np.ndarray:
    image = picture.image if isinstance(picture, Picture) else picture
    return np.asarray(image, dtype=np.int16)


def _same(one: Picture | Image.Image, other: Picture | Image.Image) -> bool:
    return np.array_equal(_pixels(one), _pixels(other))


def _distance(one: Picture, other: Picture) -> float:
    return float(np.abs(_pixels(one) - _pixels(other)).mean())


# What is drawn.


def test_a_picture_is_what_plain_diffusers_draws(hub: Path, made: Made) -> None:
    import torch
    from diffusers import DPMSolverMultistepScheduler, StableDiffusionPipeline

    folder = models.STABLE_DIFFUSION.path(hub)
    plain = StableDiffusionPipeline.from_pretrained(folder, safety_checker=None)
    plain.set_progress_bar_config(disable=True)
    plain.scheduler = DPMSolverMultistepScheduler.from_config(
        plain.scheduler.config, use_karras_sigmas=True
    )
    wanted = plain(
        PROMPT.render,
        negative_prompt=PROMPT.negative,
        num_inference_steps=3,
        guidance_scale=7.5,
        generator=torch.Generator("cpu").manual_seed(SEEDS[0]),
    ).images[0]
    assert np.abs(_pixels(_drawn(made(), SEEDS[0])[0]) - _pixels(wanted)).max() <= 1


def test_a_seed_draws_the_same_alone_and_in_an_album(made: Made) -> None:
    together = _drawn(made(), *SEEDS)
    assert [picture.seed for picture in together] == list(SEEDS)
    assert not _same(*together)
    for seed, picture in zip(reversed(SEEDS), reversed(together), strict=True):
        assert _same(_drawn(made(), seed)[0], picture)


@pytest.mark.parametrize("scheduler", [name for name in recipe.SCHEDULER_NAMES if name != "auto"])
def test_every_scheduler_draws_each_seed_again(made: Made, scheduler: str) -> None:
    generator = made(diffusion_scheduler=scheduler)
    first, second = _drawn(generator, *SEEDS)
    assert _same(_drawn(generator, SEEDS[1])[0], second)
    assert first.meta["scheduler"] == scheduler
    assert _pixels(first).std() > 1


def test_two_threads_do_not_disturb_each_other(made: Made) -> None:
    generator = made()
    alone = [_drawn(generator, seed)[0] for seed in SEEDS]
    with ThreadPoolExecutor(2) as pool:
        beside = list(pool.map(lambda seed: _drawn(generator, seed)[0], SEEDS))
    assert all(map(_same, alone, beside))


@pytest.mark.parametrize(
    ("aspect", "size"),
    [
        (Aspect.SQUARE, (128, 128)),
        (Aspect.PORTRAIT, (128, 192)),
        (Aspect.STORY, (128, 192)),
        (Aspect.LANDSCAPE, (192, 128)),
    ],
)
def test_a_picture_has_the_shape_that_was_asked_for(
    made: Made, aspect: Aspect, size: tuple[int, int]
) -> None:
    generator = made(diffusion_area_px=144 * 144, diffusion_steps=1)
    picture = _drawn(generator, 1, brief=replace(BRIEF, aspect=aspect))[0]
    assert picture.image.size == size
    assert (picture.meta["width"], picture.meta["height"]) == size


def test_without_an_area_it_is_the_one_the_model_was_trained_at(made: Made) -> None:
    side = tiny_diffusion.SIDE_PX
    assert _drawn(made(), 1)[0].image.size == (side, side)


def test_words_negative_words_and_guidance_matter(made: Made) -> None:
    base = _drawn(made(), 1)[0]
    assert not _same(base, _drawn(made(), 1, prompt=replace(PROMPT, render="a dog"))[0])
    assert not _same(base, _drawn(made(), 1, prompt=replace(PROMPT, negative=""))[0])
    assert not _same(base, _drawn(made(diffusion_guidance=2.0), 1)[0])


def test_a_very_long_prompt_is_cut_not_refused(made: Made, capfd: pytest.CaptureFixture) -> None:
    long = replace(PROMPT, render="a secret cat, " * 200, negative="blurry, " * 200)
    assert _drawn(made(), 1, prompt=long)
    assert "secret" not in "".join(capfd.readouterr())


def test_loading_and_drawing_print_nothing_of_their_own(hub: Path, tmp_path: Path) -> None:
    """Libraries tell once a process what they have not got, such as torchvision."""
    draw = [sys.executable, "-m", "vitrina", "generate", "a cat", "--count", "1", "--out", "out"]
    environment = os.environ | {
        "PIPELINE_GENERATOR": "diffusion",
        "PIPELINE_JUDGE": "pixels",
        "PIPELINE_DIFFUSION_STEPS": "1",
        "PIPELINE_DIFFUSION_RUNTIME": "torch-fp32",
        "MODELS_DIR": str(hub),
    }
    done = subprocess.run(draw, env=environment, cwd=tmp_path, capture_output=True, check=True)
    assert done.stderr.strip() == b""  # The bar that is wiped off leaves its line.


def test_meta_says_how_it_was_made_and_fits_into_json(made: Made) -> None:
    meta = _drawn(made(), 1)[0].meta
    assert json.loads(json.dumps(meta)) == {
        "model": "stable-diffusion-v1-5",
        "steps": 3,
        "guidance": 7.5,
        "scheduler": "dpm++2m-karras",
        "width": 64,
        "height": 64,
        "runtime": "torch-fp32",
        "device": "cpu",
        "tiny_vae": False,
        "loras": {},
        "safety_checker": True,
    }


# Variations.


def test_a_variation_of_no_strength_is_the_old_picture(made: Made) -> None:
    for scheduler in ("auto", "euler-a"):
        generator = made(diffusion_scheduler=scheduler)
        old = _drawn(generator, 7)[0]
        brief = replace(BRIEF, variation=Variation(seed=7, strength=0.0))
        assert _same(_drawn(generator, 8, brief=brief)[0], old)


def test_a_stronger_variation_goes_further(made: Made) -> None:
    old = _drawn(made(), 7)[0]
    distances = [
        _distance(old, _drawn(made(), 8, brief=replace(BRIEF, variation=Variation(7, strength)))[0])
        for strength in (0.1, 0.4, 1.0)
    ]
    assert 0 < distances[0] < distances[1] < distances[2]


def test_noise_between_two_seeds_stays_as_strong() -> None:
    import torch

    one, other = torch.randn(2, 4, 32, 32, generator=torch.Generator().manual_seed(0))
    for part in (0.0, 0.3, 0.5, 1.0):
        assert float(noise.slerp(one, other, part).std()) == pytest.approx(1, abs=0.05)
    assert torch.equal(noise.slerp(one, other, 0.0), one)
    assert torch.allclose(noise.slerp(one, one, 0.5), one)
    assert torch.allclose(noise.slerp(one, other, 1.0), other, atol=1e-5)


# From a photo.


@pytest.fixture
def photo() -> Image.Image:
    gradient = Image.linear_gradient("L").resize((90, 60))
    return Image.merge("RGB", (gradient, gradient.rotate(180), gradient))


def test_a_photo_becomes_what_plain_diffusers_makes_of_it(
    hub: Path, made: Made, photo: Image.Image
) -> None:
    import torch
    from diffusers import DPMSolverMultistepScheduler, StableDiffusionImg2ImgPipeline

    folder = models.STABLE_DIFFUSION.path(hub)
    plain = StableDiffusionImg2ImgPipeline.from_pretrained(folder, safety_checker=None)
    plain.set_progress_bar_config(disable=True)
    plain.scheduler = DPMSolverMultistepScheduler.from_config(
        plain.scheduler.config, use_karras_sigmas=True
    )
    ours = _drawn(made(), SEEDS[0], brief=replace(BRIEF, photo=Photo(photo, 0.7)))[0]
    wanted = plain(
        PROMPT.render,
        image=ImageOps.fit(photo, ours.image.size, Image.Resampling.LANCZOS),
        strength=0.7,
        negative_prompt=PROMPT.negative,
        num_inference_steps=3,
        guidance_scale=7.5,
        generator=torch.Generator("cpu").manual_seed(SEEDS[0]),
    ).images[0]
    assert np.abs(_pixels(ours) - _pixels(wanted)).max() <= 1
    assert ours.meta["photo_strength"] == 0.7


def test_a_photo_leaves_no_trace_in_the_next_picture(made: Made, photo: Image.Image) -> None:
    before = _drawn(made(), 1)[0]
    over = _drawn(made(), 1, brief=replace(BRIEF, photo=Photo(photo)))[0]
    assert not _same(before, over)
    assert _same(_drawn(made(), 1)[0], before)


def test_a_greater_strength_goes_further_from_the_photo(made: Made, photo: Image.Image) -> None:
    generator = made(diffusion_steps=20)
    near, middle, far = (
        _drawn(generator, 1, brief=replace(BRIEF, photo=Photo(photo, strength)))[0]
        for strength in (0.01, 0.5, 1.0)
    )
    assert 0 < _distance(near, middle) < _distance(near, far)


def test_drawing_over_a_photo_tells_its_progress(made: Made, photo: Image.Image) -> None:
    told: list[float] = []
    brief = replace(BRIEF, photo=Photo(photo, 0.5))
    made(diffusion_steps=6).generate(
        PROMPT, brief, [1], lambda done, part=0.0: told.append(done + part), CancelFlag()
    )
    assert told[:3] == [pytest.approx(step / 4) for step in (1, 2, 3)]


def test_the_command_draws_over_a_photo(
    hub: Path,
    tmp_path: Path,
    photo: Image.Image,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    import vitrina

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MODELS_DIR", str(hub))
    monkeypatch.setenv("PIPELINE_DIFFUSION_STEPS", "3")
    monkeypatch.setenv("PIPELINE_DIFFUSION_RUNTIME", "torch-fp32")
    photo.save("photo.png")
    chosen = ["--generator", "diffusion", "--judge", "pixels", "--seed", "1", "--json"]
    digests = set()
    for more in ([], ["--photo", "photo.png"], ["--photo", "photo.png", "--strength", "0.9"]):
        assert vitrina.run(["generate", "a cat", "-n", "1", *chosen, *more]) == 0
        digests.add(json.loads(capsys.readouterr().out)["images"][0]["sha256"])
    assert len(digests) == 3


def test_the_kinds_that_start_from_photos_are_those_of_diffusers(made: Made) -> None:
    import diffusers

    assert made().starts_from_photos
    for name in FROM_PHOTOS:
        over = getattr(diffusers, name.replace("Pipeline", "Img2ImgPipeline"))
        assert {"image", "strength"} <= set(inspect.signature(over.__call__).parameters), name


@pytest.mark.parametrize("name", ["xl", "lcm", "sd3"])
def test_other_kinds_start_from_a_photo_too(made: Made, photo: Image.Image, name: str) -> None:
    generator = made(diffusion_model=f"someone/tiny-{name}", diffusion_safety=False)
    brief = replace(BRIEF, photo=Photo(photo))
    first, second = _drawn(generator, *SEEDS, brief=brief)
    assert not _same(first, second)
    assert _same(_drawn(generator, SEEDS[0], brief=brief)[0], first)


@pytest.mark.skipif(not has_openvino(), reason="openvino is not installed")
def test_openvino_starts_from_a_photo_nearly_the_same(made: Made, photo: Image.Image) -> None:
    brief = replace(BRIEF, photo=Photo(photo))
    ours = _drawn(made(diffusion_runtime="openvino-bf16"), 1, brief=brief)[0]
    assert _distance(ours, _drawn(made(), 1, brief=brief)[0]) < 4


# Kinds of models.


def test_old_name_of_stable_diffusion_means_the_new_one(made: Made) -> None:
    old = made(diffusion_model="runwayml/stable-diffusion-v1-5")
    assert old.name == "stable-diffusion-v1-5"
    assert _same(_drawn(old, 1)[0], _drawn(made(), 1)[0])


def test_xl_and_consistency_models_draw(made: Made) -> None:
    for name, guidance, scheduler in (("xl", 5.0, "dpm++2m-karras"), ("lcm", 8.0, "own")):
        generator = made(diffusion_model=f"someone/tiny-{name}", diffusion_safety=False)
        first, second = _drawn(generator, *SEEDS)
        assert _same(_drawn(generator, SEEDS[1])[0], second)
        assert not _same(first, second)
        assert first.meta["guidance"] == guidance
        assert first.meta["scheduler"] == scheduler
        assert first.meta["safety_checker"] is False


@pytest.mark.parametrize("runtime", ["torch-fp32", "torch-bf16", "openvino-bf16"])
def test_a_transformer_in_place_of_a_unet_draws_each_seed_again(made: Made, runtime: str) -> None:
    generator = made(
        diffusion_model="someone/tiny-sd3", diffusion_safety=False, diffusion_runtime=runtime
    )
    brief = replace(BRIEF, variation=Variation(7, 0.2))
    first, second = _drawn(generator, *SEEDS, brief=brief)
    assert _same(_drawn(generator, SEEDS[1], brief=brief)[0], second)
    assert not _same(first, second)
    assert first.image.size == (64, 64)
    assert "variation_of" not in first.meta


def test_few_steps_are_what_diffusers_draws_with_the_same_lora(hub: Path, made: Made) -> None:
    import torch
    from diffusers import AutoencoderTiny, LCMScheduler, StableDiffusionPipeline

    plain = StableDiffusionPipeline.from_pretrained(
        models.STABLE_DIFFUSION.path(hub),
        vae=AutoencoderTiny.from_pretrained(models.TINY_VAE.path(hub)),
        safety_checker=None,
    )
    plain.set_progress_bar_config(disable=True)
    plain.load_lora_weights(models.LCM_LORA.path(hub), weight_name=models.LCM_LORA.wanted[0])
    plain.scheduler = LCMScheduler.from_config(plain.scheduler.config)
    wanted = plain(
        PROMPT.render,
        num_inference_steps=4,
        guidance_scale=1.0,
        generator=torch.Generator("cpu").manual_seed(1),
    ).images[0]
    quick = made(diffusion_steps=0, diffusion_few_steps=True, diffusion_tiny_vae=True)
    picture = _drawn(quick, 1)[0]
    assert picture.meta["steps"] == 4
    assert np.abs(_pixels(picture) - _pixels(wanted)).max() <= 1


def test_a_lora_changes_the_picture_by_its_scale(hub: Path, made: Made) -> None:
    file = models.LCM_LORA.path(hub) / models.LCM_LORA.wanted[0]
    base = _drawn(made(), 1)[0]
    nothing, some, much = (
        _drawn(made(diffusion_lora=file, diffusion_lora_scale=scale), 1)[0]
        for scale in (0.0, 0.3, 1.0)
    )
    assert _distance(base, nothing) < 0.1
    assert 0.1 < _distance(base, some) < _distance(base, much)


@pytest.mark.parametrize(
    ("model", "pipeline_class", "scheduler_class", "expected"),
    [
        (
            "stable-diffusion-v1-5",
            "StableDiffusionPipeline",
            "PNDMScheduler",
            Recipe(20, 7.5, "dpm++2m-karras"),
        ),
        (
            "stable-diffusion-xl-base-1.0",
            "StableDiffusionXLPipeline",
            "EulerDiscreteScheduler",
            Recipe(25, 5.0, "dpm++2m-karras"),
        ),
        (
            "sdxl-turbo",
            "StableDiffusionXLPipeline",
            "EulerAncestralDiscreteScheduler",
            Recipe(4, 0.0, "own"),
        ),
        (
            "LCM_Dreamshaper_v7",
            "LatentConsistencyModelPipeline",
            "LCMScheduler",
            Recipe(4, 8.0, "own"),
        ),
        (
            "FLUX.1-schnell",
            "FluxPipeline",
            "FlowMatchEulerDiscreteScheduler",
            Recipe(4, 0.0, "own"),
        ),
        ("sana", "SanaPipeline", "DPMSolverMultistepScheduler", Recipe(None, None, "own")),
    ],
)
def test_each_kind_has_its_recipe(
    model: str, pipeline_class: str, scheduler_class: str, expected: Recipe
) -> None:
    settings = PipelineSettings()
    assert recipe.find(model, pipeline_class, scheduler_class, settings) == expected
    chosen = settings.model_copy(
        update={
            "diffusion_steps": 7,
            "diffusion_guidance": 0.0,
            "diffusion_scheduler": "euler",
        }
    )
    assert recipe.find(model, pipeline_class, scheduler_class, chosen) == Recipe(7, 0.0, "euler")


# Progress and cancelling.


def test_progress_grows_within_pictures_and_between_them(made: Made) -> None:
    heard: list[float] = []
    made().generate(
        PROMPT, BRIEF, SEEDS, lambda done, part=0.0: heard.append(done + part), CancelFlag()
    )
    assert heard == sorted(heard)
    assert heard[-1] == 2
    assert len(heard) >= 2 * 3


def test_a_cancel_stops_within_one_step_and_leaves_no_trace(made: Made) -> None:
    generator, cancel = made(diffusion_steps=10), CancelFlag()
    untouched = _drawn(generator, 1)[0]
    heard: list[float] = []

    def on_picture(done: int, part: float = 0.0) -> None:
        heard.append(part)
        if len(heard) == 3:
            cancel.set()

    with pytest.raises(Cancelled):
        generator.generate(PROMPT, BRIEF, SEEDS, on_picture, cancel)
    assert len(heard) == 3
    assert _same(_drawn(generator, 1)[0], untouched)


def test_a_request_cancelled_before_it_starts_draws_nothing(made: Made) -> None:
    cancel = CancelFlag()
    cancel.set()
    heard: list[int] = []
    with pytest.raises(Cancelled):
        made().generate(PROMPT, BRIEF, SEEDS, lambda done, part=0.0: heard.append(done), cancel)
    assert heard == []


# Memory.


class _Hooked:
    """A torch hook on every module, for as long as the block lasts."""

    def __init__(self, register: Callable[..., object], hook: Callable[..., object]) -> None:
        self._handle = register(hook)

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        self._handle.remove()


def _short_memory(limit_px: int, error: BaseException) -> _Hooked:
    """The UNet finds no memory for latents of more than `limit_px`."""
    from torch.nn.modules.module import register_module_forward_pre_hook

    def hook(module: object, args: tuple[object, ...]) -> None:
        if type(module).__name__ == "UNet2DConditionModel":
            sample = args[0]
            if sample.shape[-1] * sample.shape[-2] * 64 > limit_px:
                raise error

    return _Hooked(register_module_forward_pre_hook, hook)


def _out_of_memory() -> list[BaseException]:
    import torch

    return [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB."),
        RuntimeError("[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate"
                     " memory: you tried to allocate 8589934592 bytes."),
        MemoryError(),
    ]  # fmt: skip


@pytest.mark.parametrize("which", range(3))
def test_out_of_memory_fails_one_request_only(made: Made, which: int) -> None:
    generator = made()
    before = _drawn(generator, 1)[0]
    with _short_memory(0, _out_of_memory()[which]), pytest.raises(BackendBusy) as raised:
        _drawn(generator, 1)
    assert raised.value.code == "out_of_memory"
    assert raised.value.retry_after_s > 0
    assert _same(_drawn(generator, 1)[0], before)


def test_out_of_memory_once_makes_the_request_smaller(made: Made) -> None:
    generator = made(diffusion_area_px=128 * 128, diffusion_steps=1)
    with _short_memory(128 * 128 - 1, _out_of_memory()[0]):
        pictures = _drawn(generator, *SEEDS, brief=replace(BRIEF, aspect=Aspect.SQUARE))
    assert {picture.image.size for picture in pictures} == {(64, 64)}
    assert pictures[0].meta["width"] == 64
    assert _drawn(generator, 1)[0].image.size == (128, 128)


def test_another_runtime_error_is_not_taken_for_lack_of_memory(made: Made) -> None:
    error = RuntimeError("mat1 and mat2 shapes cannot be multiplied")
    assert not is_out_of_memory(error)
    with _short_memory(0, error), pytest.raises(RuntimeError, match="mat1"):
        _drawn(made(), 1)


# Safety.


def _flagging(*verdicts: bool) -> _Hooked:
    """The safety checker says so in turn, then lets everything pass."""
    from torch.nn.modules.module import register_module_forward_hook

    rest = list(verdicts)

    def hook(module: object, args: object, output: object) -> object:
        if type(module).__name__ == "StableDiffusionSafetyChecker":
            return (output[0], [rest.pop(0) if rest else False])
        return None

    return _Hooked(register_module_forward_hook, hook)


def test_a_flagged_picture_is_drawn_again_by_another_seed(made: Made) -> None:
    with _flagging(True, False, False):
        first, second = _drawn(made(), *SEEDS)
    assert first.seed == noise.another_seed(SEEDS[0], 1)
    assert first.seed & 3 == SEEDS[0] & 3
    assert first.meta["redrawn"] == 1
    assert (second.seed, "redrawn" in second.meta) == (SEEDS[1], False)
    assert _same(_drawn(made(), first.seed)[0], first)


def test_a_picture_that_stays_flagged_is_left_out(made: Made) -> None:
    with _flagging(*[True] * (1 + REDRAWS)):
        pictures = _drawn(made(), *SEEDS)
    assert [picture.seed for picture in pictures] == [SEEDS[1]]


def test_nothing_is_shown_when_everything_is_flagged(own_model: Path, hub: Path) -> None:
    from safetensors.torch import load_file, save_file

    file = own_model / "safety_checker" / "model.safetensors"
    state = load_file(file)
    state["concept_embeds_weights"] -= 4.0
    save_file(state, file, metadata={"format": "pt"})
    strict = DiffusionGenerator(_settings(hub, diffusion_model=str(own_model), diffusion_steps=1))
    with pytest.raises(BadBrief, match="unsafe"):
        _drawn(strict, *SEEDS)
    off = _settings(hub, diffusion_model=str(own_model), diffusion_steps=1, diffusion_safety=False)
    assert len(_drawn(DiffusionGenerator(off), *SEEDS)) == 2


def test_a_model_without_a_checker_is_refused_unless_safety_is_off(hub: Path) -> None:
    settings = _settings(hub, diffusion_model="someone/tiny-xl")
    with pytest.raises(BackendUnavailable, match="PIPELINE_DIFFUSION_SAFETY=false"):
        DiffusionGenerator(settings)


def test_the_checker_published_alone_serves_models_without_one(hub: Path, tmp_path: Path) -> None:
    for name in hub.iterdir():
        (tmp_path / name.name).symlink_to(name)
    own = models.STABLE_DIFFUSION.path(hub)
    alone = models.SAFETY_CHECKER.path(tmp_path)
    shutil.copytree(own / "safety_checker", alone)
    shutil.copy(own / "feature_extractor" / "preprocessor_config.json", alone)
    generator = DiffusionGenerator(
        _settings(tmp_path, diffusion_model="someone/tiny-xl", diffusion_steps=1)
    )
    with _flagging(True):
        assert _drawn(generator, 1)[0].meta["redrawn"] == 1


# Files that must not be trusted.


class _Evil:
    """Unpickling it would leave a folder behind."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (str(self.trace),)


@pytest.fixture
def trace(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "executed"
    yield path
    assert not path.exists()


_WEIGHTS = [
    ("unet/diffusion_pytorch_model.safetensors", "unet/diffusion_pytorch_model.bin"),
    ("vae/diffusion_pytorch_model.safetensors", "vae/diffusion_pytorch_model.bin"),
    ("text_encoder/model.safetensors", "text_encoder/pytorch_model.bin"),
    ("safety_checker/model.safetensors", "safety_checker/pytorch_model.bin"),
]


@pytest.mark.parametrize(("safe", "pickled"), _WEIGHTS)
@pytest.mark.parametrize("disguised", [True, False])
def test_a_pickle_in_place_of_weights_is_refused_not_executed(
    hub: Path, own_model: Path, trace: Path, safe: str, pickled: str, disguised: bool
) -> None:
    (own_model / safe).unlink()
    target = own_model / (safe if disguised else pickled)
    target.write_bytes(pickle.dumps(_Evil(trace)))
    settings = _settings(hub, diffusion_model=str(own_model))
    with pytest.raises(BackendUnavailable):
        DiffusionGenerator(settings).warm_up()


@pytest.mark.parametrize("name", ["style.safetensors", "style.bin", "style.pt"])
def test_a_pickled_lora_is_refused_not_executed(
    hub: Path, tmp_path: Path, trace: Path, name: str
) -> None:
    file = tmp_path / name
    file.write_bytes(pickle.dumps(_Evil(trace)))
    with pytest.raises(BackendUnavailable):
        DiffusionGenerator(_settings(hub, diffusion_lora=file)).warm_up()


def _with_index(folder: Path, **changes: object) -> None:
    file = folder / "model_index.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


def test_code_that_lies_in_a_model_is_not_run(hub: Path, own_model: Path, trace: Path) -> None:
    code = f"import os\nos.mkdir({str(trace)!r})\nclass Own:\n    pass\n"
    (own_model / "own.py").write_text(code)
    (own_model / "unet" / "own.py").write_text(code)
    settings = _settings(hub, diffusion_model=str(own_model))
    _with_index(own_model, unet=["own", "Own"])
    with pytest.raises(BackendUnavailable):
        DiffusionGenerator(settings).warm_up()
    _with_index(own_model, _class_name=["own", "Own"])
    with pytest.raises(BackendUnavailable):
        DiffusionGenerator(settings).warm_up()


def test_a_file_with_a_wrong_checksum_stops_the_load(hub: Path, own_model: Path) -> None:
    names = [
        file.relative_to(own_model).as_posix() for file in own_model.rglob("*") if file.is_file()
    ]
    model_files.write_manifest(own_model, "abc", names)
    settings = _settings(hub, diffusion_model=str(own_model))
    DiffusionGenerator(settings).warm_up()
    file = own_model / "vae" / "diffusion_pytorch_model.safetensors"
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)
    with pytest.raises(BackendUnavailable, match="sha256"):
        DiffusionGenerator(settings).warm_up()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda folder: (folder / "unet" / "config.json").unlink(),
        lambda folder: (folder / "unet" / "config.json").write_text("{"),
        lambda folder: (folder / "tokenizer" / "tokenizer.json").write_text("no"),
        lambda folder: (folder / "model_index.json").unlink(),
        lambda folder: (folder / "model_index.json").write_text("[]"),
        lambda folder: _with_index(folder, _class_name="StableVideoDiffusionPipeline"),
        lambda folder: _with_index(folder, _class_name="Nonesuch"),
        lambda folder: (folder / "text_encoder" / "model.safetensors").write_bytes(b""),
    ],
)
def test_a_broken_model_is_a_clear_fault(
    hub: Path, own_model: Path, spoil: Callable[[Path], object]
) -> None:
    spoil(own_model)
    with pytest.raises(BackendUnavailable, match="own"):
        DiffusionGenerator(_settings(hub, diffusion_model=str(own_model))).warm_up()


# Choosing and refusing.


def test_missing_weights_say_how_to_get_them(tmp_path: Path) -> None:
    with pytest.raises(BackendUnavailable, match="vitrina models pull"):
        generate.create("diffusion", _settings(tmp_path))


@pytest.mark.parametrize(
    ("setting", "value"), [("diffusion_scheduler", "nonesuch"), ("diffusion_runtime", "cpu-fp16")]
)
def test_an_unknown_choice_is_refused_with_the_known_ones(
    hub: Path, setting: str, value: str
) -> None:
    with pytest.raises(BackendUnavailable, match="one of: auto"):
        generate.create("diffusion", _settings(hub, **{setting: value}))


@pytest.mark.parametrize("missing", ["diffusion_few_steps", "diffusion_tiny_vae"])
def test_what_a_switch_needs_must_be_there(hub: Path, tmp_path: Path, missing: str) -> None:
    name = models.STABLE_DIFFUSION.path(hub).name
    (tmp_path / name).symlink_to(hub / name)
    with pytest.raises(BackendUnavailable, match="vitrina models pull"):
        generate.create("diffusion", _settings(tmp_path, **{missing: True}))


def test_fp16_never_runs_on_a_cpu() -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    with pytest.raises(BackendUnavailable, match="CUDA"):
        choose("cuda-fp16")
    found = choose()
    assert found.device == "cpu"
    assert found.dtype in (torch.float32, torch.bfloat16)
    assert (found.dtype == torch.bfloat16) == chip_has_bf16()


def test_a_cpu_draws_at_most_two_a_request(made: Made) -> None:
    assert made().max_count == 2


def test_the_pull_fetches_what_the_settings_ask_for(tmp_path: Path) -> None:
    def names(**chosen: object) -> list[str]:
        wanted = models.needed(_settings(tmp_path, judge="pixels", **chosen))
        return [model.name for model in wanted]

    sd, xl = "stable-diffusion-v1-5/stable-diffusion-v1-5", "stabilityai/sdxl-turbo"
    assert names() == [sd]
    assert names(diffusion_model="runwayml/stable-diffusion-v1-5", diffusion_few_steps=True) == [
        sd,
        "latent-consistency/lcm-lora-sdv1-5",
    ]
    assert names(diffusion_model=xl, diffusion_tiny_vae=True) == [
        xl,
        "CompVis/stable-diffusion-safety-checker",
        "madebyollin/taesdxl",
    ]
    assert names(diffusion_model=str(tmp_path)) == []


def test_naming_generators_imports_no_ml_library() -> None:
    code = (
        "import sys, pipeline.generate as g; g.GENERATORS;"
        "sys.exit(any(m in sys.modules for m in ('torch', 'diffusers', 'openvino')))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# Runtimes.


def test_torch_in_bf16_draws_nearly_the_same(made: Made) -> None:
    exact = _drawn(made(), *SEEDS)
    quick = _drawn(made(diffusion_runtime="torch-bf16"), *SEEDS)
    for one, other in zip(exact, quick, strict=True):
        assert _distance(one, other) < 1.5


@pytest.mark.skipif(not has_openvino(), reason="openvino is not installed")
def test_openvino_draws_nearly_the_same_and_is_compiled_once(
    hub: Path, tmp_path: Path, made: Made, own_model: Path
) -> None:
    (tmp_path / "models").mkdir()
    settings = _settings(
        tmp_path / "models",
        diffusion_model=str(own_model),
        diffusion_runtime="openvino-bf16",
        diffusion_area_px=96 * 96,
    )
    first = DiffusionGenerator(settings)
    drawn = _drawn(first, *SEEDS)
    assert first.name == "own (openvino-bf16)"
    exact = _drawn(made(diffusion_area_px=96 * 96), *SEEDS)
    for one, other in zip(exact, drawn, strict=True):
        assert _distance(one, other) < 1.5
    blobs = sorted((tmp_path / "models" / "compiled").rglob("*.blob"))
    assert len(blobs) == 2
    written = [blob.stat().st_mtime_ns for blob in blobs]

    again = DiffusionGenerator(settings)
    assert all(map(_same, _drawn(again, *SEEDS), drawn))
    assert [blob.stat().st_mtime_ns for blob in blobs] == written

    wide = replace(BRIEF, aspect=Aspect.STORY)
    assert _drawn(again, 1, brief=wide)[0].image.size == (64, 128)

    for blob in blobs:
        blob.write_bytes(b"no blob")
    mended = DiffusionGenerator(settings)
    assert all(map(_same, _drawn(mended, *SEEDS), drawn))
    assert all(blob.stat().st_size > 1000 for blob in blobs)


@pytest.mark.skipif(not has_openvino(), reason="openvino is not installed")
def test_openvino_draws_few_steps_nearly_the_same(made: Made) -> None:
    quick = {"diffusion_steps": 0, "diffusion_few_steps": True, "diffusion_tiny_vae": True}
    exact = _drawn(made(**quick), *SEEDS)
    for one, other in zip(
        exact, _drawn(made(**quick, diffusion_runtime="openvino-bf16"), *SEEDS), strict=True
    ):
        assert _distance(one, other) < 1.5
        assert other.meta["runtime"] == "openvino-bf16"


@pytest.mark.skipif(not has_openvino(), reason="openvino is not installed")
def test_a_kind_that_openvino_is_not_used_for_runs_by_torch_and_says_so(made: Made) -> None:
    generator = made(
        diffusion_model="someone/tiny-xl",
        diffusion_safety=False,
        diffusion_runtime="openvino-bf16",
        diffusion_steps=1,
    )
    assert _drawn(generator, 1)[0].meta["runtime"] == "torch-bf16"
    assert generator.name == "tiny-xl (torch-bf16)"


# In the pipeline.


async def test_an_album_is_made_and_made_again_to_the_byte(hub: Path, made: Made) -> None:
    settings = _settings(hub)
    pipeline = Pipeline(create_enhancer("mock", settings), made(), PixelsJudge())
    heard: list[Progress] = []
    album = await pipeline.run(BRIEF, on_progress=heard.append)
    assert len(album.images) == 2
    assert len({image.sha256 for image in album.images}) == 2
    assert all(b"AI-generated" in image.png for image in album.images)
    assert b"dpm++2m-karras" in album.images[0].png
    parts = [progress.part for progress in heard if progress.stage is Stage.GENERATE]
    assert any(0 < part < 1 for part in parts)
    again = await pipeline.run(BRIEF)
    assert [image.sha256 for image in again.images] == [image.sha256 for image in album.images]
