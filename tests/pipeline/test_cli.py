"""The command line of the pipeline: what it prints, what it writes, how it refuses."""

from __future__ import annotations

import hashlib
import io
import json
import logging
import os
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from PIL import Image

import vitrina
from pipeline.settings import PipelineSettings

VITRINA = Path(sys.executable).with_name("vitrina")


@pytest.fixture(autouse=True)
def _own_logging() -> Iterator[None]:
    """A command configures logging for its process; here the process has other tests to run."""
    ours, handlers, level = structlog.get_config(), logging.root.handlers[:], logging.root.level
    yield
    structlog.configure(**ours)
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)
    logging.captureWarnings(False)


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Small pictures, and nothing of the developer's own settings or folder."""
    for name in [name for name in os.environ if name.startswith(("PIPELINE_", "LOG_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIPELINE_PICTURE_AREA_PX", str(256 * 256))
    monkeypatch.setenv("PIPELINE_JUDGE", "pixels")
    monkeypatch.chdir(tmp_path)


def call(capsys: pytest.CaptureFixture[str], *argv: str) -> dict[str, Any]:
    """Runs a command with `--json`; its stdout must be one JSON object and nothing else."""
    assert vitrina.run([*argv, "--json"]) == 0
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answer


def refusal(capsys: pytest.CaptureFixture[str], code: int, *argv: str) -> str:
    """Runs what must fail; checks for the code, one line on stderr, none on stdout."""
    assert vitrina.run(argv) == code
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("Error: ")
    assert said.err.count("\n") == 1
    return said.err


def picture(path: Path, colour: str = "#d62f2f", size: tuple[int, int] = (80, 60)) -> str:
    Image.new("RGB", size, colour).save(path)
    return str(path)


REQUEST = ("generate", "autumn coffee for instagram, sale", "--enhancer", "mock", "--seed", "7")


def test_generate_answers_with_the_agreed_object(capsys: pytest.CaptureFixture[str]) -> None:
    answer = call(capsys, *REQUEST, "-n", "3", "--out", "pictures")
    assert list(answer) == ["request", "prompt", "images", "judge", "generator", "timings_ms"]
    assert answer["request"] == {
        "raw_prompt": "autumn coffee for instagram, sale",
        "cleaned_prompt": "autumn coffee for instagram, sale",
        "platform": "instagram",
        "goal": "sale",
        "seed": 7,
    }
    assert list(answer["prompt"]) == ["render", "negative", "intent", "backend"]
    assert (answer["judge"], answer["generator"]) == ("pixels", "mock")
    assert answer["prompt"]["backend"] == "mock"
    assert set(answer["timings_ms"]) == {"enhance", "generate", "encode", "judge", "total"}
    assert [image["rank"] for image in answer["images"]] == [1, 2, 3]
    for image in answer["images"]:
        assert list(image) == [
            "rank", "path", "seed", "clip_raw", "clip_n", "aes_raw", "aes_n", "final_score",
            "sha256",
        ]  # fmt: skip
        assert image["path"].startswith("pictures/")
        data = Path(image["path"]).read_bytes()
        assert hashlib.sha256(data).hexdigest() == image["sha256"]
        final = 0.7 * image["clip_n"] + 0.3 * image["aes_n"]
        assert abs(image["final_score"] - final) < 1e-6
    finals = [image["final_score"] for image in answer["images"]]
    assert finals == sorted(finals, reverse=True)


def test_generate_repeats_itself_by_seed(capsys: pytest.CaptureFixture[str]) -> None:
    once, again = (call(capsys, *REQUEST)["images"] for _ in range(2))
    assert [image["sha256"] for image in once] == [image["sha256"] for image in again]
    other = call(capsys, *REQUEST[:-1], "8")["images"]
    assert not {image["sha256"] for image in once} & {image["sha256"] for image in other}


def test_generate_without_a_seed_is_new_each_time(capsys: pytest.CaptureFixture[str]) -> None:
    seeds = {call(capsys, *REQUEST[:-2], "-n", "1")["request"]["seed"] for _ in range(3)}
    assert len(seeds) == 3


def test_generate_writes_files_a_contact_sheet_and_a_table(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert vitrina.run([*REQUEST, "--out", "new/folder"]) == 0
    said = capsys.readouterr().out
    files = sorted(path.name for path in Path("new/folder").iterdir())
    assert len(files) == 5
    assert "contact.png" in files
    assert all(name in said for name in files if name != "contact.png")
    assert "judge: pixels" in said
    assert "seed: 7" in said
    with Image.open("new/folder/contact.png") as sheet:
        assert sheet.width > 900


def test_generate_takes_russian_and_a_brand_style(capsys: pytest.CaptureFixture[str]) -> None:
    argv = ("generate", "осенний кофе для вк", "--seed", "3", "-n", "1")
    plain = call(capsys, *argv)
    branded = call(capsys, *argv, "--brand-style", "Фиолетовый минимализм")
    assert plain["request"]["platform"] == "vk"
    assert plain["prompt"]["backend"] == "lexicon"
    assert plain["images"][0]["sha256"] != branded["images"][0]["sha256"]
    for words in (*plain["prompt"].values(), *branded["prompt"].values()):
        assert not any("а" <= letter <= "я" for letter in words.lower())


def test_enhance_answers_with_the_parts_it_makes(capsys: pytest.CaptureFixture[str]) -> None:
    answer = call(capsys, "enhance", "white cup", "--enhancer", "mock", "--seed", "1")
    assert list(answer) == ["request", "prompt", "timings_ms"]
    assert answer["prompt"]["render"]
    assert vitrina.run(["enhance", "white cup", "--enhancer", "mock"]) == 0
    assert "white cup" in capsys.readouterr().out


def test_judge_ranks_files_and_says_which(capsys: pytest.CaptureFixture[str]) -> None:
    files = [
        picture(Path("blue.png"), "#2f66d0"),
        picture(Path("red.jpg")),
        picture(Path("r.webp")),
    ]
    answer = call(capsys, "judge", "a red poster", *files, "--enhancer", "mock")
    assert list(answer) == ["request", "prompt", "images", "judge", "timings_ms"]
    assert list(answer["images"][0]) == [
        "rank", "path", "clip_raw", "clip_n", "aes_raw", "aes_n", "final_score", "sha256",
    ]  # fmt: skip
    assert [image["rank"] for image in answer["images"]] == [1, 2, 3]
    assert answer["images"][-1]["path"] == "blue.png"
    digest = hashlib.sha256(Path("blue.png").read_bytes()).hexdigest()
    assert answer["images"][-1]["sha256"] == digest


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (("generate", ""), "no words"),
        (("generate", "😀😀"), "no words"),
        (("generate", "a " * 2001), "too long"),
        (("generate", "cup", "-n", "0"), "-n must be 1 to 4"),
        (("generate", "cup", "-n", "5"), "-n must be 1 to 4"),
        (("generate", "cup", "-n", "two"), "-n"),
        (("generate", "cup", "--seed", "-1"), "--seed must be"),
        (("generate", "cup", "--seed", str(2**31)), "--seed must be"),
        (("generate", "cup", "--platform", "myspace"), "unknown platform, one of: instagram"),
        (("generate", "cup", "--goal", "fame"), "unknown goal, one of: promotion"),
        (("generate", "cup", "--generator", "dalle"), "dalle"),
        (("generate", "cup", "--judge", "jury"), "jury"),
        (("generate", "cup", "--enhancer", "gpt"), "gpt"),
        (("generate", "cup", "--photo", "nothing.png"), "nothing.png: no such file"),
        (("generate", "cup", "--photo", "nothing.png", "--strength", "0"), "--strength must be"),
        (("generate", "cup", "--photo", "nothing.png", "--strength", "nan"), "--strength must be"),
        (("generate",), "TEXT"),
        (("generate", "cup", "--colour", "red"), "--colour"),
        (("judge", "cup"), "IMAGE"),
        (("judge", "cup", "nothing.png"), "nothing.png: no such file"),
        (("judge", "cup", "."), "not a file"),
        (("judge", "", "nothing.png"), "no words"),
        (("genrate", "cup"), "Did you mean 'generate'"),
    ],
)
def test_bad_input_gets_one_line_and_code_2(
    capsys: pytest.CaptureFixture[str], argv: tuple[str, ...], said: str
) -> None:
    assert said in refusal(capsys, 2, *argv)


def test_a_generator_that_starts_from_no_photo_says_which_does(
    capsys: pytest.CaptureFixture[str],
) -> None:
    said = refusal(capsys, 1, *REQUEST, "--json", "--photo", picture(Path("cup.png")))
    assert "mock: starts from no photo: PIPELINE_GENERATOR=diffusion does" in said


def test_judge_refuses_what_is_no_picture(capsys: pytest.CaptureFixture[str]) -> None:
    Path("notes.png").write_text("not a picture")
    assert "notes.png: not a picture" in refusal(capsys, 2, "judge", "cup", "notes.png")
    whole = io.BytesIO()
    Image.effect_noise((200, 200), 80).save(whole, "PNG")
    Path("cut.png").write_bytes(whole.getvalue()[:-4000])
    assert "cut.png: a damaged picture" in refusal(capsys, 2, "judge", "cup", "cut.png")
    Path("empty.png").touch()
    assert "empty.png: not a picture" in refusal(capsys, 2, "judge", "cup", "empty.png")


@pytest.mark.parametrize("side", [8_000, 60_000])
def test_judge_refuses_a_decompression_bomb_undecoded(
    capsys: pytest.CaptureFixture[str], side: int
) -> None:
    Path("bomb.png").write_bytes(_huge_png(side))
    started = time.perf_counter()
    assert "more pixels than" in refusal(capsys, 2, "judge", "cup", "bomb.png")
    assert time.perf_counter() - started < 2


def _huge_png(side: int) -> bytes:
    """A PNG whose header promises `side` x `side` pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"\0" * 1000)
    signature = b"\x89PNG\r\n\x1a\n"
    return signature + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def test_unusable_output_folder_is_refused_before_any_work(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("taken").touch()
    assert "can't make the folder taken" in refusal(capsys, 2, *REQUEST, "--out", "taken")
    assert "can't" in refusal(capsys, 2, *REQUEST, "--out", "/proc/pictures")


def test_bad_setting_is_named_by_its_variable(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIPELINE_PICTURE_AREA_PX", "many")
    assert "PIPELINE_PICTURE_AREA_PX" in refusal(capsys, 2, *REQUEST)
    monkeypatch.setenv("LOG_FORMAT", "xml")
    assert "LOG_FORMAT" in refusal(capsys, 2, *REQUEST)


@pytest.mark.parametrize("area_px", ["1", "4095"])
def test_an_area_that_no_picture_fits_in_is_refused_in_a_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, area_px: str
) -> None:
    monkeypatch.setenv("PIPELINE_DIFFUSION_AREA_PX", area_px)
    said = refusal(capsys, 2, *REQUEST)
    assert "PIPELINE_DIFFUSION_AREA_PX" in said
    assert "must be 0 or at least 4096" in said


@pytest.mark.parametrize("area_px", ["0", "4096"])
def test_an_area_of_one_tile_and_the_models_own_are_taken(
    monkeypatch: pytest.MonkeyPatch, area_px: str
) -> None:
    monkeypatch.setenv("PIPELINE_DIFFUSION_AREA_PX", area_px)
    assert PipelineSettings().diffusion_area_px == int(area_px)


def test_doctor_says_what_runs_and_why_not(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = call(capsys, "doctor")
    assert answer["ok"] is True
    checks = {check["name"]: check for check in answer["checks"]}
    assert {"python", "font", "generator mock", "judge pixels", "enhancer lexicon"} <= set(checks)
    assert checks["generator mock"]["detail"] == "ready, in use"

    monkeypatch.setenv("PIPELINE_GENERATOR", "dalle")
    assert vitrina.run(["doctor"]) == 1
    said = capsys.readouterr().out
    assert "MISSING" in said
    assert "dalle" in said


def test_help_lists_every_command_at_once() -> None:
    started = time.perf_counter()
    shown = subprocess.run([VITRINA, "--help"], capture_output=True, text=True, check=True)
    took_s = time.perf_counter() - started
    for name, (_, help_line) in vitrina.COMMANDS.items():
        assert f"  {name} " in shown.stdout
        assert help_line.split()[0] in shown.stdout
    assert took_s < 2
    loaded = (
        "import sys, vitrina; vitrina.run(['--help']);"
        "print({'numpy', 'structlog', 'pydantic', 'rich'} & set(sys.modules), file=sys.stderr)"
    )
    ran = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True)
    assert ran.stderr.strip() == "set()"


@pytest.mark.parametrize("name", [n for n, (p, _) in vitrina.COMMANDS.items() if "pipeline" in p])
def test_every_command_explains_itself(capsys: pytest.CaptureFixture[str], name: str) -> None:
    assert vitrina.run([name, "--help"]) == 0
    assert f"Usage: vitrina {name}" in capsys.readouterr().out


def test_version_is_the_package_s(capsys: pytest.CaptureFixture[str]) -> None:
    assert vitrina.run(["--version"]) == 0
    assert capsys.readouterr().out.startswith("vitrina 0.")


_LOGGING = """
import logging, structlog, vitrina
vitrina.configure_logging()
structlog.contextvars.bind_contextvars(request="r1")
logging.getLogger("lib").info("call https://api/bot%s/getMe", "12345:" + "A" * 35)
structlog.get_logger("ours").warning("connect", url="postgresql://me:s3cret@host/db")
try:
    raise ValueError("redis://:hunter2@host")
except ValueError:
    structlog.get_logger("ours").exception("failed")
"""


@pytest.mark.parametrize("style", ["json", "console"])
def test_log_lines_carry_the_request_and_no_secret(style: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", _LOGGING],
        env={**os.environ, "LOG_FORMAT": style},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout == ""
    for secret in ("AAAA", "s3cret", "hunter2"):
        assert secret not in ran.stderr
    assert "bot12345:***/getMe" in ran.stderr
    assert "postgresql://me:***@host/db" in ran.stderr
    assert "ValueError" in ran.stderr
    if style == "json":
        lines = [json.loads(line) for line in ran.stderr.splitlines()]
        assert [line["request"] for line in lines] == ["r1"] * 3
        assert [line["level"] for line in lines] == ["info", "warning", "error"]
        assert [line["logger"] for line in lines] == ["lib", "ours", "ours"]
    else:
        assert ran.stderr.count("r1") >= 3
