"""Model files: what is needed, fetching them from a hub and from plain HTTP, checking them."""

from __future__ import annotations

import hashlib
import json
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from pipeline import download, model_files, models
from pipeline.download import Source
from pipeline.errors import BackendBusy, BackendUnavailable
from pipeline.model_files import status, verify
from pipeline.models import HeadFile, HubModel, needed
from pipeline.settings import PipelineSettings
from tests.pipeline import tiny_clip

COMMIT = "c0ffee0000000000000000000000000000000000"
REPO = "somebody/tiny-clip"


@dataclass
class Hub:
    """A web server that speaks as much of the hub's protocol as a download needs.

    `faults` are statuses to answer the next file requests with, `refused` files not to be had.
    `cut_after` closes the connection after so many bytes of a body. `ranges` notes what was asked
    for of each path.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    faults: list[int] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    cut_after: int | None = None
    ignore_range: bool = False
    ranges: list[tuple[str, str | None]] = field(default_factory=list)
    url: str = ""

    def listing(self) -> dict[str, object]:
        siblings = []
        for name, data in self.files.items():
            entry: dict[str, object] = {
                "rfilename": name,
                "size": len(data),
                "blobId": hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest(),
            }
            if len(data) > 1000:
                sha256 = hashlib.sha256(data).hexdigest()
                entry["lfs"] = {"sha256": sha256, "size": len(data), "pointerSize": 134}
            siblings.append(entry)
        return {"id": REPO, "sha": COMMIT, "siblings": siblings, "tags": []}


@pytest.fixture
def hub() -> Iterator[Hub]:
    state = Hub()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.split("?")[0]
            if path == f"/api/models/{REPO}":
                self._send(200, json.dumps(state.listing()).encode())
            elif path.startswith("/api/"):
                self.send_response(404)
                self.send_header("X-Error-Code", "RepoNotFound")
                self.send_header("Content-Length", "0")
                self.end_headers()
            else:
                self._file(path)

        def _file(self, path: str) -> None:
            asked = self.headers.get("Range")
            state.ranges.append((path, asked))
            if state.faults:
                self._send(state.faults.pop(0), b"")
                return
            name = path.removeprefix(f"/{REPO}/resolve/{COMMIT}/")
            data = state.files.get(name)
            if name in state.refused:
                self._send(403, b"")
            elif data is None:
                self._send(404, b"")
            elif asked and not state.ignore_range:
                start = int(asked.removeprefix("bytes=").removesuffix("-"))
                self._send(206 if start < len(data) else 416, data[start:])
            else:
                self._send(200, data)

        def _send(self, code: int, data: bytes) -> None:
            self.send_response(code)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            if state.cut_after is not None and len(data) > state.cut_after:
                data = data[: state.cut_after]
                self.close_connection = True
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_port}"
    yield state
    server.shutdown()
    thread.join()
    server.server_close()


class Bars:
    """What a progress bar would have been told."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, int, int | None]] = []

    def __call__(self, name: str, done: int, total: int | None) -> None:
        self.seen.append((name, done, total))


DATA = bytes(range(256)) * 40
SHA = hashlib.sha256(DATA).hexdigest()


def _source(hub: Hub, name: str = "weights.pth", **changes: object) -> Source:
    hub.files.setdefault(f"/{name}", DATA)
    source = Source(f"{hub.url}/{name}", name, len(DATA), f"sha256:{SHA}")
    return replace(source, **changes)  # type: ignore[arg-type]


def _fetch(source: Source, path: Path, bars: Bars | None = None) -> None:
    download.fetch(source, path, bars or Bars(), pause_s=0)


def test_a_file_is_fetched_checked_and_reported(hub: Hub, tmp_path: Path) -> None:
    bars = Bars()
    _fetch(_source(hub), tmp_path / "deep" / "weights.pth", bars)
    assert (tmp_path / "deep" / "weights.pth").read_bytes() == DATA
    assert bars.seen[-1] == ("weights.pth", len(DATA), len(DATA))
    assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == ["weights.pth"]


def test_what_is_there_and_right_is_not_fetched_again(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "weights.pth").write_bytes(DATA)
    _fetch(_source(hub), tmp_path / "weights.pth")
    assert hub.ranges == []


def test_what_is_there_and_wrong_is_replaced(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "weights.pth").write_bytes(b"x" * len(DATA))
    _fetch(_source(hub), tmp_path / "weights.pth")
    assert (tmp_path / "weights.pth").read_bytes() == DATA


def test_a_stopped_download_goes_on_where_it_was(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "weights.pth.part").write_bytes(DATA[:5000])
    bars = Bars()
    _fetch(_source(hub), tmp_path / "weights.pth", bars)
    assert hub.ranges == [("/weights.pth", "bytes=5000-")]
    assert (tmp_path / "weights.pth").read_bytes() == DATA
    assert bars.seen[0][1] > 5000


def test_a_cut_connection_is_taken_up_again_as_long_as_bytes_come(hub: Hub, tmp_path: Path) -> None:
    hub.cut_after = 700  # 15 pieces: more than the tries that may fail in a row.
    _fetch(_source(hub), tmp_path / "weights.pth")
    assert (tmp_path / "weights.pth").read_bytes() == DATA
    assert len(hub.ranges) == 15
    assert hub.ranges[1] == ("/weights.pth", "bytes=700-")


def test_a_server_without_ranges_is_read_from_the_start(hub: Hub, tmp_path: Path) -> None:
    hub.ignore_range = True
    (tmp_path / "weights.pth.part").write_bytes(b"old")
    _fetch(_source(hub), tmp_path / "weights.pth")
    assert (tmp_path / "weights.pth").read_bytes() == DATA


def test_a_longer_left_over_is_thrown_away(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "weights.pth.part").write_bytes(DATA + b"more")
    _fetch(_source(hub), tmp_path / "weights.pth")
    assert (tmp_path / "weights.pth").read_bytes() == DATA


def test_a_wrong_checksum_leaves_nothing_and_names_the_file(hub: Hub, tmp_path: Path) -> None:
    hub.files["/weights.pth"] = b"evil" * (len(DATA) // 4)
    with pytest.raises(BackendUnavailable, match=r"weights\.pth: checksum is wrong"):
        _fetch(_source(hub), tmp_path / "weights.pth")
    assert list(tmp_path.iterdir()) == []


def test_passing_faults_are_tried_again_and_final_ones_are_not(hub: Hub, tmp_path: Path) -> None:
    hub.faults = [503, 429, 500]
    _fetch(_source(hub), tmp_path / "weights.pth")
    assert (tmp_path / "weights.pth").read_bytes() == DATA

    hub.ranges.clear()
    with pytest.raises(BackendUnavailable, match="404"):
        _fetch(_source(hub, url=f"{hub.url}/gone"), tmp_path / "gone")
    assert len(hub.ranges) == 1


def test_a_network_that_stays_down_is_busy_not_broken(hub: Hub, tmp_path: Path) -> None:
    hub.faults = [503] * 99
    with pytest.raises(BackendBusy):
        _fetch(_source(hub), tmp_path / "weights.pth")
    assert len(hub.ranges) == download.TRIES
    nobody = _source(hub, url="http://127.0.0.1:9/weights.pth")
    with pytest.raises(BackendBusy):
        _fetch(nobody, tmp_path / "weights.pth")


def test_a_folder_that_cannot_be_made_is_a_clear_error(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(BackendUnavailable, match="file"):
        _fetch(_source(hub), tmp_path / "file" / "weights.pth")


# A whole repository, by the hub's protocol.


@pytest.fixture
def published(hub: Hub, tmp_path: Path) -> Hub:
    """The tiny CLIP, with files beside it that nobody needs."""
    pytest.importorskip("transformers", reason="the ml extra is not installed")
    folder = tiny_clip.save(tmp_path / "published")
    for file in folder.iterdir():
        hub.files[file.name] = file.read_bytes()
    hub.files |= {"README.md": b"# tiny", "tf_model.h5": b"h" * 5000, "pytorch_model.bin": b"p"}
    shutil.rmtree(folder)
    return hub


def _tiny_model() -> HubModel:
    return models.clip_model(REPO)


def test_a_model_is_pulled_whole_and_nothing_else(published: Hub, tmp_path: Path) -> None:
    model, bars = _tiny_model(), Bars()
    assert status(model, tmp_path).state == "missing"
    download.pull(model, tmp_path, bars, endpoint=published.url)
    found = {path.name for path in model.path(tmp_path).iterdir()}
    assert found == {
        "config.json",
        "preprocessor_config.json",
        "tokenizer.json",
        "model.safetensors",
        model_files.MANIFEST,
    }
    assert verify(model, tmp_path).state == "ready"
    assert {name for name, done, total in bars.seen if done == total} >= {"model.safetensors"}


def test_a_pulled_model_judges(published: Hub, tmp_path: Path) -> None:
    from PIL import Image

    from pipeline import judge

    download.pull(_tiny_model(), tmp_path, Bars(), endpoint=published.url)
    settings = PipelineSettings(
        models_dir=tmp_path, judge_model=REPO, judge_runtime="torch-fp32", judge_threads=1
    )
    scorer = judge.create("auto", settings)
    assert len(scorer.score("a cat", [Image.new("RGB", (40, 40))])) == 1
    assert scorer.name == "tiny-clip (torch-fp32)"


def test_a_model_stopped_in_the_middle_is_unfinished_and_goes_on(
    published: Hub, tmp_path: Path
) -> None:
    model = _tiny_model()
    published.refused = {"model.safetensors"}
    with pytest.raises(BackendUnavailable, match="403"):
        download.pull(model, tmp_path, Bars(), endpoint=published.url)
    assert status(model, tmp_path).state == "unfinished"
    published.refused.clear()
    published.ranges.clear()
    download.pull(model, tmp_path, Bars(), endpoint=published.url)
    assert status(model, tmp_path).state == "ready"
    assert [path.rsplit("/", 1)[-1] for path, _ in published.ranges] == ["model.safetensors"]


def test_a_pull_goes_on_where_there_is_room_for_the_rest_alone(
    published: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = _tiny_model()
    weights = model.path(tmp_path) / "model.safetensors"
    published.refused = {weights.name}
    with pytest.raises(BackendUnavailable, match="403"):
        download.pull(model, tmp_path, Bars(), endpoint=published.url)
    published.refused.clear()
    data = published.files[weights.name]
    weights.with_name("model.safetensors.part").write_bytes(data[:-1000])

    def pull_with(free_bytes: int) -> None:
        monkeypatch.setattr("shutil.disk_usage", lambda _: Usage(free_bytes))
        download.pull(model, tmp_path, Bars(), endpoint=published.url)

    with pytest.raises(BackendUnavailable, match="MB needed"):
        pull_with(999)
    pull_with(1000)
    assert verify(model, tmp_path).state == "ready"


@dataclass
class Usage:
    """Of `shutil.disk_usage`, what a pull looks at."""

    free: int


def test_verify_finds_one_changed_byte_and_pull_mends_it(published: Hub, tmp_path: Path) -> None:
    model = _tiny_model()
    download.pull(model, tmp_path, Bars(), endpoint=published.url)
    weights = model.path(tmp_path) / "model.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    assert status(model, tmp_path).state == "ready"
    broken = verify(model, tmp_path)
    assert broken.state == "broken"
    assert "model.safetensors: sha256" in broken.detail
    published.ranges.clear()
    download.pull(model, tmp_path, Bars(), endpoint=published.url)
    assert verify(model, tmp_path).state == "ready"
    assert [path.rsplit("/", 1)[-1] for path, _ in published.ranges] == ["model.safetensors"]


def test_missing_or_shortened_files_show_without_reading(published: Hub, tmp_path: Path) -> None:
    model = _tiny_model()
    download.pull(model, tmp_path, Bars(), endpoint=published.url)
    (model.path(tmp_path) / "tokenizer.json").write_text("{}")
    assert "tokenizer.json" in status(model, tmp_path).detail
    (model.path(tmp_path) / "tokenizer.json").unlink()
    assert status(model, tmp_path).state == "broken"


def test_a_repository_of_another_kind_is_refused(hub: Hub, tmp_path: Path) -> None:
    pytest.importorskip("huggingface_hub", reason="the ml extra is not installed")
    hub.files = {"README.md": b"# words", "config.json": b"{}"}
    with pytest.raises(BackendUnavailable, match="none of the files"):
        download.pull(_tiny_model(), tmp_path, Bars(), endpoint=hub.url)


def _publish_diffusion(hub: Hub, **renamed: str) -> None:
    """A diffusion model whose parts' weights are `model.safetensors`, or as `renamed`."""
    pytest.importorskip("huggingface_hub", reason="the ml extra is not installed")
    index = {
        "_class_name": "StableDiffusionPipeline",
        "requires_safety_checker": True,
        "unet": ["diffusers", "UNet2DConditionModel"],
        "vae": ["diffusers", "AutoencoderKL"],
        "text_encoder_2": [None, None],
        "safety_checker": ["stable_diffusion", "StableDiffusionSafetyChecker"],
        "scheduler": ["diffusers", "PNDMScheduler"],
        "tokenizer": ["transformers", "CLIPTokenizerFast"],
        "feature_extractor": ["transformers", "CLIPImageProcessor"],
    }
    hub.files["model_index.json"] = json.dumps(index).encode()
    hub.files["scheduler/scheduler_config.json"] = b"{}"
    hub.files["tokenizer/vocab.json"] = b"{}"
    for part in ("unet", "vae"):
        hub.files[f"{part}/config.json"] = b"{}"
        name = renamed.get(part, "diffusion_pytorch_model.safetensors")
        hub.files[f"{part}/{name}"] = DATA


@pytest.mark.parametrize("name", ["diffusion_pytorch_model.bin", "other.safetensors"])
def test_a_diffusion_model_without_weights_for_a_part_is_refused(
    hub: Hub, tmp_path: Path, name: str
) -> None:
    _publish_diffusion(hub, vae=name)
    model = models.diffusion_model(REPO)
    with pytest.raises(BackendUnavailable, match="no safetensors for vae"):
        download.pull(model, tmp_path, Bars(), endpoint=hub.url)
    assert status(model, tmp_path).state == "unfinished"
    assert not any("unet" in path for path, _ in hub.ranges)


def test_a_repository_without_an_index_is_no_diffusion_model(hub: Hub, tmp_path: Path) -> None:
    _publish_diffusion(hub)
    del hub.files["model_index.json"]
    with pytest.raises(BackendUnavailable, match="no diffusion model"):
        download.pull(models.diffusion_model(REPO), tmp_path, Bars(), endpoint=hub.url)


def test_weights_in_fp16_are_taken_where_there_are_no_others(hub: Hub, tmp_path: Path) -> None:
    half = "diffusion_pytorch_model.fp16.safetensors"
    _publish_diffusion(hub, unet=half)
    hub.files[f"vae/{half}"] = b"half"
    model = models.diffusion_model(REPO)
    download.pull(model, tmp_path, Bars(), endpoint=hub.url)
    assert verify(model, tmp_path).state == "ready"
    for part in ("unet", "vae"):
        weights = [file.name for file in (model.path(tmp_path) / part).glob("*.safetensors")]
        assert weights == ["diffusion_pytorch_model.safetensors"]
        assert (model.path(tmp_path) / part / weights[0]).read_bytes() == DATA


@pytest.mark.parametrize("stray", ["tokenizer/../../stray/config.json", "/{}/stray/config.json"])
def test_a_repository_that_reaches_out_of_its_folder_is_refused(
    hub: Hub, tmp_path: Path, stray: str
) -> None:
    pytest.importorskip("huggingface_hub", reason="the ml extra is not installed")
    hub.files = {"model_index.json": b"{}", stray.format(tmp_path): b"{}"}
    with pytest.raises(BackendUnavailable, match="outside its folder"):
        download.pull(models.diffusion_model(REPO), tmp_path, Bars(), endpoint=hub.url)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("repo", ["somebody/else", "no such name", "../../etc/passwd"])
def test_unknown_repositories_are_refused(hub: Hub, tmp_path: Path, repo: str) -> None:
    pytest.importorskip("huggingface_hub", reason="the ml extra is not installed")
    with pytest.raises(BackendUnavailable, match="models: "):
        download.pull(models.clip_model(repo), tmp_path, Bars(), endpoint=hub.url)
    assert list(tmp_path.iterdir()) == []


def test_a_hub_out_of_reach_is_busy(tmp_path: Path) -> None:
    pytest.importorskip("huggingface_hub", reason="the ml extra is not installed")
    with pytest.raises(BackendBusy, match="hub"):
        download.pull(_tiny_model(), tmp_path, Bars(), endpoint="http://127.0.0.1:9")


# Heads, and what is needed.


def test_a_head_is_pulled_from_its_own_address(hub: Hub, tmp_path: Path) -> None:
    hub.files["/head.pth"] = DATA
    head = HeadFile("head.pth", "judge: beauty", "MIT", f"{hub.url}/head.pth", SHA, len(DATA))
    assert status(head, tmp_path).state == "missing"
    download.pull(head, tmp_path, Bars())
    assert verify(head, tmp_path).state == "ready"
    head.path(tmp_path).write_bytes(DATA[::-1])
    assert status(head, tmp_path).state == "ready"
    assert verify(head, tmp_path).state == "broken"
    head.path(tmp_path).write_bytes(DATA[1:])
    assert status(head, tmp_path).state == "broken"


def test_a_broken_manifest_is_a_clear_error(tmp_path: Path) -> None:
    model = _tiny_model()
    model.path(tmp_path).mkdir()
    (model.path(tmp_path) / model_files.MANIFEST).write_text("{")
    with pytest.raises(BackendUnavailable, match="pull the model again"):
        status(model, tmp_path)


def test_a_broken_manifest_is_mended_by_the_pull_it_asks_for(
    published: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import vitrina

    model = _tiny_model()
    download.pull(model, tmp_path, Bars(), endpoint=published.url)
    (model.path(tmp_path) / model_files.MANIFEST).write_text("{")
    published.ranges.clear()
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", published.url)
    arguments = [REPO, "--dir", str(tmp_path)]
    assert vitrina.run(["models", "pull", *arguments]) == 0
    assert verify(model, tmp_path).state == "ready"
    assert published.ranges == []  # The files were right.


def test_needed_follows_the_backends(tmp_path: Path) -> None:
    names = [model.name for model in needed(PipelineSettings(judge="clip"))]
    assert names == [
        "openai/clip-vit-base-patch32",
        "sa_0_4_vit_b_32_linear.pth",
        "clip_ViT-B-32_openai_binary_nsfw_head.pth",
    ]
    assert needed(PipelineSettings(judge="pixels")) == ()
    pick = needed(PipelineSettings(judge_model="yuvalkirstain/PickScore_v1"))
    assert [model.name for model in pick] == ["yuvalkirstain/PickScore_v1"]
    assert needed(PipelineSettings(judge_model=str(tmp_path))) == ()
    diffusion = needed(PipelineSettings(judge="pixels", generator="diffusion"))
    assert "stable-diffusion-v1-5/stable-diffusion-v1-5" in {model.name for model in diffusion}


def test_stable_diffusion_is_fetched_without_pickles_and_doubles() -> None:
    published = [
        "model_index.json",
        "v1-5-pruned.ckpt",
        "v1-5-pruned-emaonly.safetensors",
        "scheduler/scheduler_config.json",
        "feature_extractor/preprocessor_config.json",
        "tokenizer/vocab.json",
        "tokenizer/merges.txt",
        "unet/config.json",
        "unet/diffusion_pytorch_model.bin",
        "unet/diffusion_pytorch_model.safetensors",
        "unet/diffusion_pytorch_model.fp16.safetensors",
        "unet/diffusion_pytorch_model.non_ema.safetensors",
        "vae/config.json",
        "vae/diffusion_pytorch_model.safetensors",
        "text_encoder/config.json",
        "text_encoder/model.safetensors",
        "text_encoder/model.fp16.safetensors",
        "safety_checker/config.json",
        "safety_checker/pytorch_model.bin",
        "safety_checker/model.safetensors",
    ]
    chosen = models.STABLE_DIFFUSION.chosen(published)
    assert sorted(set(published) - set(chosen)) == [
        "safety_checker/pytorch_model.bin",
        "text_encoder/model.fp16.safetensors",
        "unet/diffusion_pytorch_model.bin",
        "unet/diffusion_pytorch_model.fp16.safetensors",
        "unet/diffusion_pytorch_model.non_ema.safetensors",
        "v1-5-pruned-emaonly.safetensors",
        "v1-5-pruned.ckpt",
    ]


def test_models_dir_comes_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MODELS_DIR", str(tmp_path))
    assert PipelineSettings().models_dir == tmp_path
    monkeypatch.setenv("PIPELINE_MODELS_DIR", str(tmp_path / "own"))
    assert PipelineSettings().models_dir == tmp_path / "own"


# The commands.


def test_status_and_verify_commands_tell_missing_from_ready(
    published: Hub, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import vitrina

    arguments = [REPO, "--dir", str(tmp_path / "models")]
    assert vitrina.run(["models", "status", *arguments]) == 1
    assert "missing" in capsys.readouterr().out
    download.pull(_tiny_model(), tmp_path / "models", Bars(), endpoint=published.url)
    assert vitrina.run(["models", "status", *arguments]) == 0
    assert vitrina.run(["models", "verify", *arguments]) == 0
    assert vitrina.run(["models", "pull", *arguments]) == 0
    assert "there already" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "today"),
    [
        ("runwayml/stable-diffusion-v1-5", "stable-diffusion-v1-5/stable-diffusion-v1-5"),
        ("stable-diffusion-v1-5", "stable-diffusion-v1-5/stable-diffusion-v1-5"),
        ("someone/own-diffusion", "someone/own-diffusion"),
    ],
)
def test_a_generator_named_is_not_taken_for_a_judge(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    today: str,
) -> None:
    import vitrina

    monkeypatch.setenv("PIPELINE_DIFFUSION_MODEL", "someone/own-diffusion")
    assert vitrina.run(["models", "status", name, "--dir", str(tmp_path)]) == 1
    shown = capsys.readouterr().out
    assert f" {today}\n" in shown
    assert "generator, licence" in shown


def test_without_a_model_the_real_backends_are_told_what_to_do_next(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import vitrina

    monkeypatch.setenv("PIPELINE_ENHANCER", "ollama")
    monkeypatch.setenv("PIPELINE_GENERATOR", "diffusion")
    monkeypatch.setenv("PIPELINE_JUDGE", "clip")
    monkeypatch.setenv("PIPELINE_OLLAMA_HOST", "http://127.0.0.1:9")
    monkeypatch.setenv("MODELS_DIR", str(tmp_path))
    for name in ("status", "verify"):
        assert vitrina.run(["models", name]) == 1
        shown = capsys.readouterr().out
        for model in needed(PipelineSettings()):
            assert f" {model.name}\n" in shown
        assert "0.0 MB of 605 MB" in shown
        assert "start Ollama there (ollama serve), or set PIPELINE_OLLAMA_HOST" in shown
        assert "next: `vitrina models pull`" in shown
    assert vitrina.run(["doctor"]) == 1
    missing = [line for line in capsys.readouterr().out.splitlines() if "MISSING" in line]
    assert len(missing) == 2
    assert all(line.endswith("vitrina models pull") for line in missing)


def test_a_model_that_can_not_be_fetched_does_not_hold_up_the_others(
    hub: Hub,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import vitrina

    name = "openai/clip-vit-base-patch32"
    head = models.AESTHETIC_HEADS[name]
    hub.files["/head.pth"] = DATA
    local = replace(head, url=f"{hub.url}/head.pth", sha256=SHA, size_bytes=len(DATA))
    monkeypatch.setitem(models.AESTHETIC_HEADS, name, local)  # type: ignore[arg-type]
    monkeypatch.setenv("PIPELINE_OLLAMA_HOST", "http://127.0.0.1:9")
    names = ["some:model", head.name]
    assert vitrina.run(["models", "pull", *names, "--dir", str(tmp_path)]) == 1
    assert "not fetched: some:model; the others are there" in capsys.readouterr().err
    assert head.path(tmp_path).read_bytes() == DATA


def test_pull_command_fetches_and_says_the_licence(
    hub: Hub,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import vitrina

    name = "openai/clip-vit-base-patch32"
    head = models.AESTHETIC_HEADS[name]
    hub.files["/head.pth"] = DATA
    local = replace(head, url=f"{hub.url}/head.pth", sha256=SHA, size_bytes=len(DATA))
    monkeypatch.setitem(models.AESTHETIC_HEADS, name, local)  # type: ignore[arg-type]
    assert vitrina.run(["models", "pull", head.name, "--dir", str(tmp_path)]) == 0
    assert "licence MIT" in capsys.readouterr().out
    assert head.path(tmp_path).read_bytes() == DATA
