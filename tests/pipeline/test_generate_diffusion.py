"""The diffusion generator on tiny real models, through the code that large ones go through."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from pipeline import models
from pipeline.compiled import has_openvino
from pipeline.enhance import create as create_enhancer
from pipeline.errors import Cancelled
from pipeline.generate import noise, recipe
from pipeline.generate.diffusion import DiffusionGenerator
from pipeline.generate.recipe import Recipe
from pipeline.judge.clip import ClipFiles, ClipJudge
from pipeline.judge.pixels import PixelsJudge
from pipeline.run import Pipeline
from pipeline.settings import PipelineSettings
from pipeline.types import (
    Aspect,
    CancelFlag,
    Progress,
    Stage,
    Variation,
)
from tests.pipeline import tiny_clip, tiny_diffusion
from tests.pipeline.drawing import BRIEF, PROMPT, SEEDS, distance, draw, pixels_of, same
from tests.pipeline.tiny_diffusion import Made, settings_of

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
    assert np.abs(pixels_of(draw(made(), SEEDS[0])[0]) - pixels_of(wanted)).max() <= 1


def test_a_seed_draws_the_same_alone_and_in_an_album(made: Made) -> None:
    together = draw(made(), *SEEDS)
    assert [picture.seed for picture in together] == list(SEEDS)
    assert not same(*together)
    for seed, picture in zip(reversed(SEEDS), reversed(together), strict=True):
        assert same(draw(made(), seed)[0], picture)


@pytest.mark.parametrize("scheduler", [name for name in recipe.SCHEDULER_NAMES if name != "auto"])
def test_every_scheduler_draws_each_seed_again(made: Made, scheduler: str) -> None:
    generator = made(diffusion_scheduler=scheduler)
    first, second = draw(generator, *SEEDS)
    assert same(draw(generator, SEEDS[1])[0], second)
    assert first.meta["scheduler"] == scheduler
    assert pixels_of(first).std() > 1


def test_two_threads_do_not_disturb_each_other(made: Made) -> None:
    generator = made()
    alone = [draw(generator, seed)[0] for seed in SEEDS]
    with ThreadPoolExecutor(2) as pool:
        beside = list(pool.map(lambda seed: draw(generator, seed)[0], SEEDS))
    assert all(map(same, alone, beside))


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
    picture = draw(generator, 1, brief=replace(BRIEF, aspect=aspect))[0]
    assert picture.image.size == size
    assert (picture.meta["width"], picture.meta["height"]) == size


def test_without_an_area_it_is_the_one_the_model_was_trained_at(made: Made) -> None:
    side = tiny_diffusion.SIDE_PX
    assert draw(made(), 1)[0].image.size == (side, side)


def test_words_negative_words_and_guidance_matter(made: Made) -> None:
    base = draw(made(), 1)[0]
    assert not same(base, draw(made(), 1, prompt=replace(PROMPT, render="a dog"))[0])
    assert not same(base, draw(made(), 1, prompt=replace(PROMPT, negative=""))[0])
    assert not same(base, draw(made(diffusion_guidance=2.0), 1)[0])


def test_a_very_long_prompt_is_cut_not_refused(made: Made, capfd: pytest.CaptureFixture) -> None:
    long = replace(PROMPT, render="a secret cat, " * 200, negative="blurry, " * 200)
    assert draw(made(), 1, prompt=long)
    assert "secret" not in "".join(capfd.readouterr())


def test_loading_and_drawing_print_nothing_of_their_own(hub: Path, tmp_path: Path) -> None:
    """Libraries tell once a process what they have not got, such as torchvision."""
    command = [sys.executable, "-m", "vitrina", "generate", "a cat", "--count", "1", "--out", "out"]
    environment = os.environ | {
        "PIPELINE_GENERATOR": "diffusion",
        "PIPELINE_JUDGE": "pixels",
        "PIPELINE_DIFFUSION_STEPS": "1",
        "PIPELINE_DIFFUSION_RUNTIME": "torch-fp32",
        "MODELS_DIR": str(hub),
    }
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, check=True)
    assert done.stderr.strip() == b""  # The bar that is wiped off leaves its line.


def test_meta_says_how_it_was_made_and_fits_into_json(made: Made) -> None:
    meta = draw(made(), 1)[0].meta
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
        old = draw(generator, 7)[0]
        brief = replace(BRIEF, variation=Variation(seed=7, strength=0.0))
        assert same(draw(generator, 8, brief=brief)[0], old)


@pytest.mark.parametrize("scheduler", ["auto", "euler-a"])
def test_a_variation_of_a_variation_starts_from_that_very_picture(
    made: Made, scheduler: str
) -> None:
    generator = made(diffusion_scheduler=scheduler)
    variation: Variation | None = None
    for seed in (7, 8, 9):
        old = draw(generator, seed, brief=replace(BRIEF, variation=variation))[0]
        brief = replace(BRIEF, variation=Variation(seed, 0.0, of=variation))
        again = draw(generator, 20, brief=brief)[0]
        assert same(again, old)
        assert json.loads(json.dumps(again.meta["variation"])) == asdict(brief.variation)
        variation = Variation(seed, 0.4, of=variation)


def test_a_stronger_variation_goes_further(made: Made) -> None:
    old = draw(made(), 7)[0]
    distances = [
        distance(old, draw(made(), 8, brief=replace(BRIEF, variation=Variation(7, strength)))[0])
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


# Kinds of models.


def test_old_name_of_stable_diffusion_means_the_new_one(made: Made) -> None:
    old = made(diffusion_model="runwayml/stable-diffusion-v1-5")
    assert old.name == "stable-diffusion-v1-5"
    assert same(draw(old, 1)[0], draw(made(), 1)[0])


def test_xl_and_consistency_models_draw(made: Made) -> None:
    for name, guidance, scheduler in (("xl", 5.0, "dpm++2m-karras"), ("lcm", 8.0, "own")):
        generator = made(diffusion_model=f"someone/tiny-{name}", diffusion_safety=False)
        first, second = draw(generator, *SEEDS)
        assert same(draw(generator, SEEDS[1])[0], second)
        assert not same(first, second)
        assert first.meta["guidance"] == guidance
        assert first.meta["scheduler"] == scheduler
        assert first.meta["safety_checker"] is False


@pytest.mark.parametrize("runtime", ["torch-fp32", "torch-bf16", "openvino-bf16"])
def test_a_transformer_in_place_of_a_unet_draws_each_seed_again(made: Made, runtime: str) -> None:
    generator = made(
        diffusion_model="someone/tiny-sd3", diffusion_safety=False, diffusion_runtime=runtime
    )
    brief = replace(BRIEF, variation=Variation(7, 0.2))
    first, second = draw(generator, *SEEDS, brief=brief)
    assert same(draw(generator, SEEDS[1], brief=brief)[0], second)
    assert not same(first, second)
    assert first.image.size == (64, 64)
    assert "variation" not in first.meta


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
    picture = draw(quick, 1)[0]
    assert picture.meta["steps"] == 4
    assert np.abs(pixels_of(picture) - pixels_of(wanted)).max() <= 1


def test_a_lora_changes_the_picture_by_its_scale(hub: Path, made: Made) -> None:
    file = models.LCM_LORA.path(hub) / models.LCM_LORA.wanted[0]
    base = draw(made(), 1)[0]
    nothing, some, much = (
        draw(made(diffusion_lora=file, diffusion_lora_scale=scale), 1)[0]
        for scale in (0.0, 0.3, 1.0)
    )
    assert distance(base, nothing) < 0.1
    assert 0.1 < distance(base, some) < distance(base, much)


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
    untouched = draw(generator, 1)[0]
    heard: list[float] = []

    def on_picture(done: int, part: float = 0.0) -> None:
        heard.append(part)
        if len(heard) == 3:
            cancel.set()

    with pytest.raises(Cancelled):
        generator.generate(PROMPT, BRIEF, SEEDS, on_picture, cancel)
    assert len(heard) == 3
    assert same(draw(generator, 1)[0], untouched)


def test_a_request_cancelled_before_it_starts_draws_nothing(made: Made) -> None:
    cancel = CancelFlag()
    cancel.set()
    heard: list[int] = []
    with pytest.raises(Cancelled):
        made().generate(PROMPT, BRIEF, SEEDS, lambda done, part=0.0: heard.append(done), cancel)
    assert heard == []


# Runtimes.


def test_torch_in_bf16_draws_nearly_the_same(made: Made) -> None:
    exact = draw(made(), *SEEDS)
    quick = draw(made(diffusion_runtime="torch-bf16"), *SEEDS)
    for one, other in zip(exact, quick, strict=True):
        assert distance(one, other) < 1.5


@pytest.mark.skipif(not has_openvino(), reason="openvino is not installed")
def test_openvino_draws_nearly_the_same_and_is_compiled_once(
    hub: Path, tmp_path: Path, made: Made, own_model: Path
) -> None:
    (tmp_path / "models").mkdir()
    settings = settings_of(
        tmp_path / "models",
        diffusion_model=str(own_model),
        diffusion_runtime="openvino-bf16",
        diffusion_area_px=96 * 96,
    )
    first = DiffusionGenerator(settings)
    drawn = draw(first, *SEEDS)
    assert first.name == "own (openvino-bf16)"
    exact = draw(made(diffusion_area_px=96 * 96), *SEEDS)
    for one, other in zip(exact, drawn, strict=True):
        assert distance(one, other) < 1.5
    blobs = sorted((tmp_path / "models" / "compiled").rglob("*.blob"))
    assert len(blobs) == 2
    written = [blob.stat().st_mtime_ns for blob in blobs]

    again = DiffusionGenerator(settings)
    assert all(map(same, draw(again, *SEEDS), drawn))
    assert [blob.stat().st_mtime_ns for blob in blobs] == written

    wide = replace(BRIEF, aspect=Aspect.STORY)
    assert draw(again, 1, brief=wide)[0].image.size == (64, 128)

    for blob in blobs:
        blob.write_bytes(b"no blob")
    mended = DiffusionGenerator(settings)
    assert all(map(same, draw(mended, *SEEDS), drawn))
    assert all(blob.stat().st_size > 1000 for blob in blobs)

    decoder = min(blobs, key=lambda blob: blob.stat().st_size)
    spoilt = bytearray(decoder.read_bytes())
    start = len(spoilt) // 10  # Among the weights: it can be read, and draws otherwise.
    spoilt[start : start + 2000] = bytes(2000)
    decoder.write_bytes(spoilt)
    assert all(map(same, draw(DiffusionGenerator(settings), *SEEDS), drawn))


@pytest.mark.skipif(not has_openvino(), reason="openvino is not installed")
def test_openvino_draws_few_steps_nearly_the_same(made: Made) -> None:
    quick = {"diffusion_steps": 0, "diffusion_few_steps": True, "diffusion_tiny_vae": True}
    exact = draw(made(**quick), *SEEDS)
    for one, other in zip(
        exact, draw(made(**quick, diffusion_runtime="openvino-bf16"), *SEEDS), strict=True
    ):
        assert distance(one, other) < 1.5
        assert other.meta["runtime"] == "openvino-bf16"


@pytest.mark.skipif(not has_openvino(), reason="openvino is not installed")
def test_a_kind_that_openvino_is_not_used_for_runs_by_torch_and_says_so(made: Made) -> None:
    generator = made(
        diffusion_model="someone/tiny-xl",
        diffusion_safety=False,
        diffusion_runtime="openvino-bf16",
        diffusion_steps=1,
    )
    assert draw(generator, 1)[0].meta["runtime"] == "torch-bf16"
    assert generator.name == "tiny-xl (torch-bf16)"


def test_each_model_takes_its_own_cores_whoever_worked_before(made: Made, tmp_path: Path) -> None:
    import torch
    from torch.nn.modules.module import register_module_forward_pre_hook

    judge = ClipJudge("tiny", ClipFiles(tiny_clip.save(tmp_path)), runtime="torch-fp32", threads=2)
    generator = made(diffusion_threads=1)
    taken: dict[str, set[int]] = {}

    def note(module: object, _: object) -> None:
        taken.setdefault(type(module).__name__, set()).add(torch.get_num_threads())

    hook = register_module_forward_pre_hook(note)
    try:
        for _ in range(2):
            judge.score("a cat", [draw(generator, 1)[0].image])
    finally:
        hook.remove()
    assert taken["UNet2DConditionModel"] == taken["StableDiffusionSafetyChecker"] == {1}
    assert taken["ImageTower"] == taken["TextTower"] == {2}


# In the pipeline.


async def test_an_album_is_made_and_made_again_to_the_byte(hub: Path, made: Made) -> None:
    settings = settings_of(hub)
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
