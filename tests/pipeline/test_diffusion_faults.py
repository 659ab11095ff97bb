"""The diffusion generator short of memory, shown what is unsafe, given bad files and choices."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline import generate, model_files, models
from pipeline.compiled import chip_has_bf16
from pipeline.errors import BackendBusy, BackendUnavailable, BadBrief
from pipeline.generate import noise
from pipeline.generate.device import choose, is_out_of_memory
from pipeline.generate.diffusion import REDRAWS, DiffusionGenerator
from pipeline.types import (
    Aspect,
)
from tests.pipeline.drawing import BRIEF, SEEDS, draw, same
from tests.pipeline.tiny_diffusion import Hooked, Made, flagging, settings_of

# Memory.


def _short_memory(limit_px: int, error: BaseException) -> Hooked:
    """The UNet finds no memory for latents of more than `limit_px`."""
    from torch.nn.modules.module import register_module_forward_pre_hook

    def hook(module: object, args: tuple[object, ...]) -> None:
        if type(module).__name__ == "UNet2DConditionModel":
            sample = args[0]
            if sample.shape[-1] * sample.shape[-2] * 64 > limit_px:
                raise error

    return Hooked(register_module_forward_pre_hook, hook)


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
    before = draw(generator, 1)[0]
    with _short_memory(0, _out_of_memory()[which]):
        _fails_for_lack_of_memory(lambda: draw(generator, 1))
    assert same(draw(generator, 1)[0], before)


def test_out_of_memory_once_makes_the_request_smaller(made: Made) -> None:
    generator = made(diffusion_area_px=128 * 128, diffusion_steps=1)
    with _short_memory(128 * 128 - 1, _out_of_memory()[0]):
        pictures = draw(generator, *SEEDS, brief=replace(BRIEF, aspect=Aspect.SQUARE))
    assert {picture.image.size for picture in pictures} == {(64, 64)}
    assert pictures[0].meta["width"] == 64
    assert draw(generator, 1)[0].image.size == (128, 128)


def _no_memory_for(part: str, error: BaseException) -> Hooked:
    """No module of this class finds memory for its weights: libraries then raise what they like."""
    from torch.nn.modules.module import register_module_parameter_registration_hook

    def hook(module: object, name: str, weights: object) -> None:
        if type(module).__name__ == part:
            raise error

    return Hooked(register_module_parameter_registration_hook, hook)


@pytest.mark.parametrize("part", ["Conv2d", "StableDiffusionSafetyChecker"])
@pytest.mark.parametrize("which", range(3))
def test_a_model_that_finds_no_memory_is_loaded_when_there_is_some(
    hub: Path, part: str, which: int
) -> None:
    generator = DiffusionGenerator(settings_of(hub, diffusion_steps=1))
    with _no_memory_for(part, _out_of_memory()[which]):
        for load in (generator.warm_up, lambda: draw(generator, 1)):
            _fails_for_lack_of_memory(load)
    generator.warm_up()
    assert draw(generator, 1)


def test_a_loaded_model_that_does_not_fit_the_device_is_loaded_later(
    hub: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    def no_room(self: object, **to: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory.")

    generator = DiffusionGenerator(settings_of(hub, diffusion_steps=1))
    with monkeypatch.context() as full:  # As `.to("cuda")` is: outside of what loads the files.
        full.setattr(torch.nn.Module, "to", no_room)
        _fails_for_lack_of_memory(generator.warm_up)
    generator.warm_up()
    assert draw(generator, 1)


@pytest.mark.parametrize("which", range(3))
def test_out_of_memory_in_the_safety_checker_fails_one_request_only(made: Made, which: int) -> None:
    from torch.nn.modules.module import register_module_forward_pre_hook

    error = _out_of_memory()[which]

    def hook(module: object, args: object) -> None:
        if type(module).__name__ == "StableDiffusionSafetyChecker":
            raise error

    generator = made()
    before = draw(generator, 1)[0]
    with Hooked(register_module_forward_pre_hook, hook):
        for work in (generator.warm_up, lambda: draw(generator, 1)):
            _fails_for_lack_of_memory(work)
    assert same(draw(generator, 1)[0], before)


def _fails_for_lack_of_memory(work: Callable[[], object]) -> None:
    with pytest.raises(BackendBusy) as raised:
        work()
    assert raised.value.code == "out_of_memory"
    assert raised.value.retry_after_s > 0
    # What it was raised from would hold all that was loaded by then.
    assert raised.value.__context__ is None


def test_another_runtime_error_is_not_taken_for_lack_of_memory(made: Made) -> None:
    error = RuntimeError("mat1 and mat2 shapes cannot be multiplied")
    assert not is_out_of_memory(error)
    with _short_memory(0, error), pytest.raises(RuntimeError, match="mat1"):
        draw(made(), 1)


# Safety.


def test_a_flagged_picture_is_drawn_again_by_another_seed(made: Made) -> None:
    with flagging(True, False, False):
        first, second = draw(made(), *SEEDS)
    assert first.seed == noise.another_seed(SEEDS[0], 1)
    assert first.seed & 3 == SEEDS[0] & 3
    assert first.meta["redrawn"] == 1
    assert (second.seed, "redrawn" in second.meta) == (SEEDS[1], False)
    assert same(draw(made(), first.seed)[0], first)


def test_a_picture_that_stays_flagged_is_left_out(made: Made) -> None:
    with flagging(*[True] * (1 + REDRAWS)):
        pictures = draw(made(), *SEEDS)
    assert [picture.seed for picture in pictures] == [SEEDS[1]]


def test_nothing_is_shown_when_everything_is_flagged(own_model: Path, hub: Path) -> None:
    from safetensors.torch import load_file, save_file

    file = own_model / "safety_checker" / "model.safetensors"
    state = load_file(file)
    state["concept_embeds_weights"] -= 4.0
    save_file(state, file, metadata={"format": "pt"})
    strict = DiffusionGenerator(settings_of(hub, diffusion_model=str(own_model), diffusion_steps=1))
    with pytest.raises(BadBrief, match="unsafe"):
        draw(strict, *SEEDS)
    off = settings_of(
        hub, diffusion_model=str(own_model), diffusion_steps=1, diffusion_safety=False
    )
    assert len(draw(DiffusionGenerator(off), *SEEDS)) == 2


def test_a_model_without_a_checker_is_refused_unless_safety_is_off(hub: Path) -> None:
    settings = settings_of(hub, diffusion_model="someone/tiny-xl")
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
        settings_of(tmp_path, diffusion_model="someone/tiny-xl", diffusion_steps=1)
    )
    with flagging(True):
        assert draw(generator, 1)[0].meta["redrawn"] == 1


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
    settings = settings_of(hub, diffusion_model=str(own_model))
    with pytest.raises(BackendUnavailable):
        DiffusionGenerator(settings).warm_up()


@pytest.mark.parametrize("name", ["style.safetensors", "style.bin", "style.pt"])
def test_a_pickled_lora_is_refused_not_executed(
    hub: Path, tmp_path: Path, trace: Path, name: str
) -> None:
    file = tmp_path / name
    file.write_bytes(pickle.dumps(_Evil(trace)))
    with pytest.raises(BackendUnavailable):
        DiffusionGenerator(settings_of(hub, diffusion_lora=file)).warm_up()


def _with_index(folder: Path, **changes: object) -> None:
    file = folder / "model_index.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


def test_code_that_lies_in_a_model_is_not_run(hub: Path, own_model: Path, trace: Path) -> None:
    code = f"import os\nos.mkdir({str(trace)!r})\nclass Own:\n    pass\n"
    (own_model / "own.py").write_text(code)
    (own_model / "unet" / "own.py").write_text(code)
    settings = settings_of(hub, diffusion_model=str(own_model))
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
    settings = settings_of(hub, diffusion_model=str(own_model))
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
        DiffusionGenerator(settings_of(hub, diffusion_model=str(own_model))).warm_up()


# Choosing and refusing.


def test_missing_weights_say_how_to_get_them(tmp_path: Path) -> None:
    with pytest.raises(BackendUnavailable, match="vitrina models pull"):
        generate.create("diffusion", settings_of(tmp_path))


@pytest.mark.parametrize(
    ("setting", "value"), [("diffusion_scheduler", "nonesuch"), ("diffusion_runtime", "cpu-fp16")]
)
def test_an_unknown_choice_is_refused_with_the_known_ones(
    hub: Path, setting: str, value: str
) -> None:
    with pytest.raises(BackendUnavailable, match="one of: auto"):
        generate.create("diffusion", settings_of(hub, **{setting: value}))


@pytest.mark.parametrize("missing", ["diffusion_few_steps", "diffusion_tiny_vae"])
def test_what_a_switch_needs_must_be_there(hub: Path, tmp_path: Path, missing: str) -> None:
    name = models.STABLE_DIFFUSION.path(hub).name
    (tmp_path / name).symlink_to(hub / name)
    with pytest.raises(BackendUnavailable, match="vitrina models pull"):
        generate.create("diffusion", settings_of(tmp_path, **{missing: True}))


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
        wanted = models.needed(settings_of(tmp_path, judge="pixels", **chosen))
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
