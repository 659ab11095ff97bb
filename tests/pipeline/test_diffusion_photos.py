"""The diffusion generator over a photo to start from."""

from __future__ import annotations

import inspect
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from pipeline import models
from pipeline.compiled import has_openvino
from pipeline.generate.diffusion import FROM_PHOTOS
from pipeline.types import (
    CancelFlag,
    Photo,
)
from tests.pipeline.drawing import BRIEF, PROMPT, SEEDS, distance, draw, pixels_of, same
from tests.pipeline.tiny_diffusion import Made

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
    ours = draw(made(), SEEDS[0], brief=replace(BRIEF, photo=Photo(photo, 0.7)))[0]
    wanted = plain(
        PROMPT.render,
        image=ImageOps.fit(photo, ours.image.size, Image.Resampling.LANCZOS),
        strength=0.7,
        negative_prompt=PROMPT.negative,
        num_inference_steps=3,
        guidance_scale=7.5,
        generator=torch.Generator("cpu").manual_seed(SEEDS[0]),
    ).images[0]
    assert np.abs(pixels_of(ours) - pixels_of(wanted)).max() <= 1
    assert ours.meta["photo_strength"] == 0.7


def test_a_photo_leaves_no_trace_in_the_next_picture(made: Made, photo: Image.Image) -> None:
    before = draw(made(), 1)[0]
    over = draw(made(), 1, brief=replace(BRIEF, photo=Photo(photo)))[0]
    assert not same(before, over)
    assert same(draw(made(), 1)[0], before)


def test_a_greater_strength_goes_further_from_the_photo(made: Made, photo: Image.Image) -> None:
    generator = made(diffusion_steps=20)
    near, middle, far = (
        draw(generator, 1, brief=replace(BRIEF, photo=Photo(photo, strength)))[0]
        for strength in (0.01, 0.5, 1.0)
    )
    assert 0 < distance(near, middle) < distance(near, far)


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
    first, second = draw(generator, *SEEDS, brief=brief)
    assert not same(first, second)
    assert same(draw(generator, SEEDS[0], brief=brief)[0], first)


@pytest.mark.skipif(not has_openvino(), reason="openvino is not installed")
def test_openvino_starts_from_a_photo_nearly_the_same(made: Made, photo: Image.Image) -> None:
    brief = replace(BRIEF, photo=Photo(photo))
    ours = draw(made(diffusion_runtime="openvino-bf16"), 1, brief=brief)[0]
    assert distance(ours, draw(made(), 1, brief=brief)[0]) < 4
