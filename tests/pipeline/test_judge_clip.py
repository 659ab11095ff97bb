"""The CLIP judge: recorded values of the real model, and a tiny one against plain transformers."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from pipeline import judge, model_files, models
from pipeline.compiled import chip_has_bf16
from pipeline.errors import BackendUnavailable
from pipeline.judge.clip import NEUTRAL_AES, ClipFiles, ClipJudge, verdicts
from pipeline.judge.heads import AestheticHead, SafetyHead
from pipeline.judge.preprocess import Preprocess
from pipeline.judge.runtime import MIN_AGREEMENT, RUNTIMES, candidates
from pipeline.judge.weights import ClipFolder, lacking
from pipeline.rank import rank
from pipeline.settings import PipelineSettings
from pipeline.types import Score
from tests.pipeline import tiny_clip

pytest.importorskip("torch", reason="the ml extra is not installed")
pytest.importorskip("transformers", reason="the ml extra is not installed")

Floats = NDArray[np.float32]

GOLDEN = Path(__file__).parents[3] / "shared" / "golden"
golden = pytest.mark.skipif(not GOLDEN.is_dir(), reason=f"no recorded values at {GOLDEN}")

KITTENS = ("123_456", "456_123")


def _unit(vectors: Floats) -> Floats:
    unit: Floats = vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
    return unit.astype(np.float32)


def _photos() -> tuple[list[str], Floats]:
    recorded = np.load(GOLDEN / "clip_retrieval" / "embeddings.npz")
    return list(recorded["names"]), _unit(recorded["image_embs"].astype(np.float32))


def _head(name: str) -> Path:
    return next(GOLDEN.rglob(name))


# Recorded values of the real openai/clip-vit-base-patch32 and the real heads.


@golden
def test_preprocessing_gives_the_recorded_tensors() -> None:
    recorded = np.load(GOLDEN / "clip_retrieval" / "pixel_values.npz")
    images = [Image.open(GOLDEN / "clip_retrieval" / f"{name}.jpg") for name in recorded["names"]]
    ours = Preprocess(224, (224, 224)).batch(images, threads=2)
    assert ours.dtype == np.float32
    assert np.abs(ours - recorded["pixel_values"]).max() < 1e-5


@golden
def test_both_kittens_are_a_cat_before_all_other_coco_names() -> None:
    names = json.loads((GOLDEN / "detic" / "coco_names.json").read_text())
    texts = _unit(np.load(GOLDEN / "detic" / "coco_clip_a+cname.npy").astype(np.float32))
    photos, embeddings = _photos()
    for kitten, cosine in zip(KITTENS, (0.256, 0.250), strict=True):
        image = embeddings[[photos.index(kitten)]]
        scores = [verdicts(image, text)[0] for text in texts]
        best = rank(scores)[0]
        assert names[best] == "cat"
        assert scores[best].clip_raw == pytest.approx(cosine, abs=1e-3)
        assert scores[best].clip_n == pytest.approx(2.5 * cosine, abs=3e-3)


@golden
def test_of_all_photos_the_kittens_match_a_cat_best() -> None:
    names = json.loads((GOLDEN / "detic" / "coco_names.json").read_text())
    texts = _unit(np.load(GOLDEN / "detic" / "coco_clip_a+cname.npy").astype(np.float32))
    photos, embeddings = _photos()
    scores = verdicts(embeddings, texts[names.index("cat")])
    assert {photos[index] for index in rank(scores)[:2]} == set(KITTENS)


@golden
def test_aesthetic_head_gives_the_recorded_ratings() -> None:
    pinned = models.AESTHETIC_HEADS["openai/clip-vit-base-patch32"]
    head = AestheticHead.load(_head(pinned.name), pinned.sha256, 512)
    ratings = [np.load(GOLDEN / "laion_head" / f"rating{n}.npy")[0] for n in range(10)]
    expected = [-1.470, 0.273, 1.990, 3.611, 5.087, 6.393, 7.668, 8.915, 9.917, 11.006]
    assert head(np.stack(ratings)) == pytest.approx(expected, abs=1e-3)


@golden
def test_photos_have_their_recorded_beauty_and_are_safe() -> None:
    beauty, safety = (
        registry["openai/clip-vit-base-patch32"]
        for registry in (models.AESTHETIC_HEADS, models.SAFETY_HEADS)
    )
    photos, embeddings = _photos()
    scores = verdicts(
        embeddings,
        embeddings[0],
        AestheticHead.load(_head(beauty.name), beauty.sha256, 512),
        SafetyHead.load(_head(safety.name), safety.sha256, 512),
    )
    raw = sorted((score.aes_raw for score in scores), reverse=True)
    assert raw == pytest.approx([6.73, 6.01, 5.89, 5.66, 5.17, 4.01, 3.24], abs=0.01)
    worst = {name for name, score in zip(photos, scores, strict=True) if score.aes_raw < 4.5}
    assert worst == set(KITTENS)
    unsafe = [score.details["unsafe"] for score in scores]
    assert min(unsafe) >= 0
    assert max(unsafe) == pytest.approx(0.025, abs=1e-3)


# Preprocessing against transformers' own, on the PIL path.


@settings(max_examples=25, deadline=None)
@given(st.integers(20, 300), st.integers(20, 300), st.integers(0, 99))
def test_preprocessing_equals_transformers(width: int, height: int, seed: int) -> None:
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    ours = Preprocess(64, (64, 64))
    noise = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    theirs = CLIPImageProcessorPil(size={"shortest_edge": 64}, crop_size=64)
    image = Image.fromarray(noise)
    margin = max(int(64 * width / min(width, height)), int(64 * height / min(width, height))) - 64
    if margin % 4 == 3:  # Where theirs rounds a half down and OpenAI's, like ours, to even.
        return
    expected = theirs(image, return_tensors="np")["pixel_values"]
    assert np.abs(ours.batch([image]) - expected).max() < 1e-5


def test_threads_change_nothing() -> None:
    rng = np.random.default_rng(0)
    images = [
        Image.fromarray(rng.integers(0, 256, (90, 60 + 10 * n, 3), dtype=np.uint8))
        for n in range(5)
    ]
    preprocess = Preprocess(32, (32, 32))
    assert np.array_equal(preprocess.batch(images, 1), preprocess.batch(images, 4))


@pytest.mark.parametrize(
    "config",
    [
        {"resample": 2},
        {"do_normalize": False},
        {"rescale_factor": 1 / 127.5},
        {"size": {"height": 224, "width": 224}},
        {"crop_size": "large"},
        {"image_mean": [0.5]},
    ],
)
def test_foreign_preprocessing_is_refused(config: dict[str, object]) -> None:
    with pytest.raises(BackendUnavailable):
        Preprocess.from_config(config)


# A tiny model, through the same code as a large one.


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_clip.save(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def heads(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return tiny_clip.save_heads(tmp_path_factory.mktemp("heads"))


@pytest.fixture(scope="module")
def pictures() -> list[Image.Image]:
    rng = np.random.default_rng(1)
    shapes = ((48, 48), (40, 60), (90, 32), (32, 32), (65, 64))
    return [Image.fromarray(rng.integers(0, 256, (*s, 3), dtype=np.uint8)) for s in shapes]


def _judge(folder: Path, heads: tuple[Path, Path] | None = None, **options: object) -> ClipJudge:
    files = ClipFiles(
        folder,
        aesthetic=(heads[0], None) if heads else None,
        safety=(heads[1], None) if heads else None,
        cache=options.pop("cache", None),  # type: ignore[arg-type]
    )
    return ClipJudge("tiny", files, **{"threads": 1, **options})  # type: ignore[arg-type]


LONG = "a cat, " * 30


@pytest.mark.parametrize("text", ["a cat on a violet sofa", "", "кошка", LONG])
def test_scores_equal_plain_transformers(
    tiny: Path, heads: tuple[Path, Path], pictures: list[Image.Image], text: str
) -> None:
    scores = _judge(tiny, heads, runtime="torch-fp32").score(text, pictures)
    expected = tiny_clip.scored_plainly(tiny, heads, text, pictures)
    for score, (cosine, beauty, unsafe) in zip(scores, expected, strict=True):
        assert score.clip_raw == pytest.approx(cosine, abs=1e-5)
        assert score.clip_n == pytest.approx(min(1, 2.5 * max(cosine, 0)), abs=3e-5)
        assert score.aes_raw == pytest.approx(beauty, abs=1e-5)
        assert score.aes_n == pytest.approx(min(1, max(0, (beauty - 1) / 9)), abs=1e-5)
        assert score.details["unsafe"] == pytest.approx(unsafe, abs=1e-5)
        assert score.details["prompt_match"] == score.clip_raw


@pytest.mark.parametrize("options", [{"activation": "gelu"}, {"pickled": True}])
def test_other_activations_and_weights_files_score_like_transformers(
    tmp_path: Path,
    heads: tuple[Path, Path],
    pictures: list[Image.Image],
    options: dict[str, object],
) -> None:
    folder = tiny_clip.save(tmp_path, **options)  # type: ignore[arg-type]
    scores = _judge(folder, heads, runtime="torch-fp32").score("a cat", pictures)
    expected = [row[0] for row in tiny_clip.scored_plainly(folder, heads, "a cat", pictures)]
    assert [score.clip_raw for score in scores] == pytest.approx(expected, abs=1e-5)


def test_processor_file_of_transformers_5_is_read_too(tmp_path: Path) -> None:
    folder = tiny_clip.save(tmp_path)
    alone = folder / "preprocessor_config.json"
    joint = {"image_processor": json.loads(alone.read_text())}
    (folder / "processor_config.json").write_text(json.dumps(joint))
    before = ClipFolder.open(folder)
    alone.unlink()
    assert ClipFolder.open(folder) == before


def _vectors(scores: list[Score]) -> Floats:
    return np.array([score.embedding for score in scores], dtype=np.float32)


@pytest.fixture(scope="module", params=RUNTIMES)
def scorer(request: pytest.FixtureRequest, tiny: Path) -> ClipJudge:
    return _judge(tiny, runtime=request.param, threads=2)


def test_batches_score_like_single_pictures(scorer: ClipJudge, pictures: list[Image.Image]) -> None:
    alone = np.concatenate([_vectors(scorer.score("a cat", [image])) for image in pictures])
    for count in (1, 2, 3, 20):
        together = _vectors(scorer.score("a cat", (pictures * 4)[:count]))
        assert np.linalg.norm(together, axis=1) == pytest.approx(np.ones(count), abs=1e-5)
        expected = np.tile(alone, (4, 1))[:count]
        assert (together * expected).sum(axis=1).min() > MIN_AGREEMENT


def test_every_runtime_agrees_with_fp32_and_says_its_precision(
    scorer: ClipJudge, tiny: Path, pictures: list[Image.Image]
) -> None:
    reference = _judge(tiny, runtime="torch-fp32")
    assert reference.name == "tiny"
    ours, theirs = (_vectors(j.score("a cat", pictures)) for j in (scorer, reference))
    assert scorer.name.removeprefix("tiny (").removesuffix(")") in RUNTIMES
    assert scorer.agreement is not None
    assert scorer.agreement >= MIN_AGREEMENT
    assert (scorer.agreement == 1) == (scorer.name == reference.name == "tiny (torch-fp32)")
    assert (ours * theirs).sum(axis=1).min() > MIN_AGREEMENT


def test_a_model_that_bf16_spoils_runs_in_fp32(
    tmp_path: Path, heads: tuple[Path, Path], pictures: list[Image.Image]
) -> None:
    from safetensors.torch import load_file, save_file

    folder = tiny_clip.save(tmp_path)
    state = load_file(folder / "model.safetensors")
    # A constant that the first norm takes away again; beside it bf16 has no digits left.
    state["vision_model.embeddings.position_embedding.weight"] += 1000
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    for runtime in ("torch-bf16", "openvino-bf16") if chip_has_bf16() else ("torch-bf16",):
        scorer = _judge(folder, runtime=runtime)
        scorer.warm_up()
        assert scorer.name == "tiny (torch-fp32)"
        assert scorer.agreement == 1


def test_runtime_follows_the_chip() -> None:
    auto = candidates("auto")
    assert auto[-1] == "torch-fp32"
    assert ("torch-bf16" in auto) == chip_has_bf16()
    assert candidates("torch-fp32") == ("torch-fp32",)
    with pytest.raises(BackendUnavailable, match="int4"):
        candidates("int4")


def test_compiled_model_is_kept_and_used_again(
    tiny: Path, tmp_path: Path, pictures: list[Image.Image]
) -> None:
    first = _judge(tiny, runtime="openvino-bf16", cache=tmp_path)
    fresh = _vectors(first.score("a cat", pictures))
    kept = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}
    assert {path.name for path in kept} == {"image.blob", "text.blob", "agreement.json"}

    again = _judge(tiny, runtime="openvino-bf16", cache=tmp_path)
    assert np.array_equal(_vectors(again.score("a cat", pictures)), fresh)
    assert again.agreement == first.agreement
    assert {path: path.stat().st_mtime_ns for path in kept} == kept


def test_compiled_model_outlives_the_weights_it_was_made_of(
    tmp_path: Path, pictures: list[Image.Image]
) -> None:
    # Large enough that freed memory goes back to the system: reading it would crash.
    folder = tiny_clip.save(tmp_path / "model", hidden=16384)
    reference = _vectors(_judge(folder, runtime="torch-fp32").score("", pictures))
    ours = _judge(folder, runtime="openvino-bf16", cache=tmp_path / "cache")
    for count in (1, 5):
        vectors = _vectors(ours.score("", pictures[:count]))
        assert (vectors * reference[:count]).sum(axis=1).min() > MIN_AGREEMENT
    assert ours.name == "tiny (openvino-bf16)"


@pytest.mark.parametrize("file", ["image.blob", "text.blob", "agreement.json"])
def test_broken_cache_is_made_anew(
    tiny: Path, tmp_path: Path, pictures: list[Image.Image], file: str
) -> None:
    fresh = _vectors(_judge(tiny, runtime="openvino-bf16", cache=tmp_path).score("", pictures))
    (broken,) = tmp_path.rglob(file)
    broken.write_bytes(b"not what it was")
    again = _judge(tiny, runtime="openvino-bf16", cache=tmp_path)
    assert np.array_equal(_vectors(again.score("", pictures)), fresh)
    assert broken.read_bytes() != b"not what it was"


@pytest.mark.parametrize("file", ["image.blob", "text.blob"])
def test_a_blob_with_wrong_bytes_is_made_anew(
    tiny: Path, tmp_path: Path, pictures: list[Image.Image], file: str
) -> None:
    fresh = _judge(tiny, runtime="openvino-bf16", cache=tmp_path).score("a cat", pictures)
    (blob,) = tmp_path.rglob(file)
    spoilt = bytearray(blob.read_bytes())
    third, half = len(spoilt) // 3, len(spoilt) // 2
    spoilt[third:half] = bytes(half - third)  # Weights: it can be read, and scores otherwise.
    blob.write_bytes(spoilt)
    again = _judge(tiny, runtime="openvino-bf16", cache=tmp_path).score("a cat", pictures)
    assert again == fresh
    assert blob.read_bytes() != spoilt


def test_other_weights_do_not_meet_the_cache(
    tiny: Path, tmp_path: Path, pictures: list[Image.Image]
) -> None:
    cache = tmp_path / "cache"
    _judge(tiny, runtime="openvino-bf16", cache=cache).warm_up()
    other = tiny_clip.save(tmp_path / "other", activation="gelu")
    cached = _judge(other, runtime="openvino-bf16", cache=cache).score("", pictures)
    straight = _judge(other, runtime="openvino-bf16").score("", pictures)
    assert np.array_equal(_vectors(cached), _vectors(straight))


def test_cache_that_cannot_be_written_costs_nothing_but_time(
    tiny: Path, tmp_path: Path, pictures: list[Image.Image]
) -> None:
    blocked = tmp_path / "a file"
    blocked.write_text("in the way")
    scores = _judge(tiny, runtime="openvino-bf16", cache=blocked).score("a cat", pictures)
    assert len(scores) == len(pictures)


def test_scores_that_are_no_numbers_are_a_fault_not_a_first_place(
    tmp_path: Path, pictures: list[Image.Image]
) -> None:
    from safetensors.torch import load_file, save_file

    folder = tiny_clip.save(tmp_path)
    state = load_file(folder / "model.safetensors")
    state["text_projection.weight"][0, 0] = float("nan")
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    for runtime in ("torch-bf16", "openvino-bf16"):
        scorer = _judge(folder, runtime=runtime)
        with pytest.raises(BackendUnavailable, match="prompt_match"):
            scorer.score("a cat", pictures)
        assert scorer.name == "tiny (torch-fp32)"  # Not a number agrees with nothing.


def test_no_pictures_no_scores(tiny: Path) -> None:
    assert _judge(tiny).score("a cat", []) == []


def test_odd_pictures_are_scored(tiny: Path) -> None:
    odd = [
        Image.new("L", (10, 10), 128),
        Image.new("RGBA", (50, 40), (1, 2, 3, 4)),
        Image.new("RGB", (1, 1)),
        Image.new("RGB", (600, 3)),
        Image.new("P", (5, 9)),
    ]
    for score in _judge(tiny, runtime="torch-fp32").score("a cat", odd):
        assert 0 <= score.final <= 1


def test_a_model_without_heads_calls_all_pictures_equally_beautiful(
    tiny: Path, pictures: list[Image.Image]
) -> None:
    for score in _judge(tiny, runtime="torch-fp32").score("a cat", pictures):
        assert (score.aes_raw, score.aes_n) == (NEUTRAL_AES, 0.5)
        assert set(score.details) == {"prompt_match"}


def test_threads_wait_for_one_another(tiny: Path, pictures: list[Image.Image]) -> None:
    scorer = _judge(tiny, runtime="torch-fp32")
    texts = [f"cat {number}" for number in range(12)]
    alone = [[s.clip_raw for s in scorer.score(text, pictures)] for text in texts]
    fresh = _judge(tiny, runtime="torch-fp32")
    with ThreadPoolExecutor(4) as pool:
        together = list(
            pool.map(lambda text: [s.clip_raw for s in fresh.score(text, pictures)], texts)
        )
    assert np.abs(np.array(together) - np.array(alone)).max() < 1e-6


# Files that must not be trusted.


class Bomb:
    """Unpickled by a careless reader, it leaves a trace."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (str(self.trace),)


@pytest.fixture
def trace(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "executed"
    yield path
    assert not path.exists()


@pytest.mark.parametrize("name", ["model.safetensors", "pytorch_model.bin"])
@pytest.mark.parametrize("way", ["plain pickle", "torch archive"])
def test_pickle_disguised_as_weights_is_never_executed(
    tmp_path: Path, trace: Path, name: str, way: str
) -> None:
    import torch

    folder = tiny_clip.save(tmp_path / "model")
    (folder / "model.safetensors").unlink()
    if way == "plain pickle":
        (folder / name).write_bytes(pickle.dumps({"logit_scale": Bomb(trace)}))
    else:
        torch.save({"logit_scale": Bomb(trace)}, folder / name)
    with pytest.raises(BackendUnavailable, match=name):
        _judge(folder, runtime="torch-fp32").warm_up()


def test_the_bomb_would_go_off(tmp_path: Path) -> None:
    pickle.loads(pickle.dumps(Bomb(tmp_path / "executed")))
    assert (tmp_path / "executed").exists()


@pytest.mark.parametrize("head", [AestheticHead, SafetyHead])
def test_pickled_head_is_never_executed(
    tmp_path: Path, trace: Path, head: type[AestheticHead] | type[SafetyHead]
) -> None:
    (tmp_path / "head.pth").write_bytes(pickle.dumps({"weight": Bomb(trace)}))
    with pytest.raises(BackendUnavailable, match=r"head\.pth"):
        head.load(tmp_path / "head.pth", None, 16)


def test_wrong_checksum_stops_the_load(tiny: Path, heads: tuple[Path, Path]) -> None:
    files = ClipFiles(tiny, aesthetic=(heads[0], "0" * 64))
    with pytest.raises(BackendUnavailable, match=r"aesthetic\.pth: sha256 is"):
        ClipJudge("tiny", files, runtime="torch-fp32").warm_up()


@pytest.mark.parametrize("file", ["model.safetensors", "config.json", "tokenizer.json"])
def test_a_file_that_was_not_pulled_so_stops_the_load(
    tmp_path: Path, pictures: list[Image.Image], file: str
) -> None:
    folder = tiny_clip.save(tmp_path / "model")
    model_files.write_manifest(folder, "abc", [path.name for path in folder.iterdir()])
    cache = tmp_path / "cache"
    assert len(_judge(folder, cache=cache).score("a cat", pictures)) == len(pictures)
    data = bytearray((folder / file).read_bytes())
    # The last bit of a number of the weights; a blank more in a text.
    data = data + b" " if file.endswith(".json") else data[:-1] + bytes([data[-1] ^ 1])
    (folder / file).write_bytes(data)
    for runtime in ("auto", "torch-fp32"):
        with pytest.raises(BackendUnavailable, match=rf"{file}: sha256 .* vitrina models pull"):
            _judge(folder, runtime=runtime, cache=cache).warm_up()


def test_head_of_another_width_is_refused(tiny: Path, tmp_path: Path) -> None:
    wide = tiny_clip.save_heads(tmp_path, width=24)
    for files in (
        ClipFiles(tiny, aesthetic=(wide[0], None)),
        ClipFiles(tiny, safety=(wide[1], None)),
    ):
        with pytest.raises(BackendUnavailable, match="shape"):
            ClipJudge("tiny", files, runtime="torch-fp32").warm_up()


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x80\x04N.", b"x" * 100])
def test_broken_heads_are_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "head.pth").write_bytes(content)
    for head in (AestheticHead, SafetyHead):
        with pytest.raises(BackendUnavailable, match=r"head\.pth"):
            head.load(tmp_path / "head.pth", None, 16)


def _edited(folder: Path, **changes: object) -> Path:
    config = json.loads((folder / "config.json").read_text())
    for path, value in changes.items():
        part, _, name = path.partition("__")
        (config[part] if name else config)[name or part] = value
    (folder / "config.json").write_text(json.dumps(config))
    return folder


@pytest.mark.parametrize(
    "changes",
    [
        {"model_type": "bert"},
        {"vision_config": "large"},
        {"vision_config__hidden_act": "relu"},
        {"vision_config__image_size": 64},
        {"vision_config__patch_size": 16},
        {"vision_config__num_hidden_layers": 9},
        {"text_config__num_hidden_layers": "two"},
    ],
)
def test_unfit_configs_are_refused(tmp_path: Path, changes: dict[str, object]) -> None:
    folder = _edited(tiny_clip.save(tmp_path), **changes)
    with pytest.raises(BackendUnavailable):
        _judge(folder, runtime="torch-fp32").warm_up()


@pytest.mark.parametrize("file", ["config.json", "preprocessor_config.json", "tokenizer.json"])
def test_missing_and_broken_files_are_named(tmp_path: Path, file: str) -> None:
    folder = tiny_clip.save(tmp_path)
    (folder / file).write_text("{")
    with pytest.raises(BackendUnavailable, match=file):
        _judge(folder, runtime="torch-fp32").warm_up()
    (folder / file).unlink()
    assert len(lacking(folder)) == 1
    with pytest.raises(BackendUnavailable, match=file):
        _judge(folder, runtime="torch-fp32").warm_up()


# Which judge runs.


def test_auto_takes_pixels_without_weights_and_clip_with(tmp_path: Path, tiny: Path) -> None:
    bare = PipelineSettings(models_dir=tmp_path)
    assert judge.create("auto", bare).name == "pixels"
    with pytest.raises(BackendUnavailable, match="vitrina models pull"):
        judge.create("clip", bare)
    own = PipelineSettings(models_dir=tmp_path, judge_model=str(tiny), judge_runtime="torch-fp32")
    created = judge.create("auto", own)
    assert created.name == tiny.name
    created.score("a cat", [Image.new("RGB", (64, 64))])
    assert created.name == f"{tiny.name} (torch-fp32)"


def test_a_model_of_ones_own_brings_its_heads(tmp_path: Path, pictures: list[Image.Image]) -> None:
    repo = "someone/tiny-clip"
    folder = tiny_clip.save(models.clip_model(repo).path(tmp_path))
    settings = PipelineSettings(
        models_dir=tmp_path, judge_model=repo, judge_runtime="torch-fp32", judge_threads=1
    )
    without = judge.create("clip", settings).score("a cat", pictures)
    assert {score.aes_raw for score in without} == {NEUTRAL_AES}
    heads = tiny_clip.save_heads(folder)
    scores = judge.create("clip", settings).score("a cat", pictures)
    expected = tiny_clip.scored_plainly(folder, heads, "a cat", pictures)
    for score, (_, beauty, unsafe) in zip(scores, expected, strict=True):
        assert score.aes_raw == pytest.approx(beauty, abs=1e-5)
        assert score.details["unsafe"] == pytest.approx(unsafe, abs=1e-5)


def test_a_pulled_model_wants_its_heads(tmp_path: Path) -> None:
    repo = "openai/clip-vit-base-patch32"
    tiny_clip.save(models.clip_model(repo).path(tmp_path))
    settings = PipelineSettings(models_dir=tmp_path, judge_model=repo)
    assert "sa_0_4_vit_b_32_linear.pth" in (judge.clip_lacks(settings) or "")
    for head in (models.AESTHETIC_HEADS[repo], models.SAFETY_HEADS[repo]):
        head.path(tmp_path).parent.mkdir(exist_ok=True)
        head.path(tmp_path).write_bytes(b"there")
    assert judge.clip_lacks(settings) is None
    # A head that is not what it should be stops the load; nothing falls back in silence.
    with pytest.raises(BackendUnavailable, match="sha256"):
        judge.create("auto", settings).score("a cat", [Image.new("RGB", (64, 64))])


def test_importing_the_judges_imports_no_ml_library() -> None:
    code = (
        "import sys, pipeline.run, pipeline.judge.clip, pipeline.models, pipeline.download\n"
        "print([m for m in ('torch', 'transformers', 'openvino', 'tokenizers', 'safetensors',"
        " 'huggingface_hub') if m in sys.modules])"
    )
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    assert out.strip() == "[]"
