"""The product on its real models' code: tiny models, chosen by an operator's settings alone."""

from __future__ import annotations

import asyncio
import hashlib
import io
import shutil
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from PIL import Image
from redis.asyncio import Redis
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from db import capacity
from pipeline import models
from pipeline.run import Pipeline
from pipeline.settings import PipelineSettings
from pipeline.types import Brief, CancelFlag, Generator, OnPicture, Picture, Prompt
from tests.e2e.demo import free_port
from tests.pipeline import tiny_clip, tiny_diffusion
from tests.pipeline.ollama_server import PROMPT, OllamaServer
from tests.sim import ANNA, Message, Sim, Talk, label, said

for library in ("torch", "diffusers", "transformers"):
    pytest.importorskip(library, reason="the ml extra is not installed")

JUDGE = "someone/tiny-clip"
IDEA = "Сделай пост для инстаграма: осеннее меню кофейни, тыквенный латте"

Environment = Mapping[str, str]


@pytest.fixture(scope="session")
def models_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As `vitrina models pull` leaves it, with a judge of one's own."""
    folder = tmp_path_factory.mktemp("models")
    tiny_diffusion.save(models.STABLE_DIFFUSION.path(folder))
    tiny_clip.save_heads(tiny_clip.save(models.clip_model(JUDGE).path(folder)))
    return folder


@pytest.fixture
async def ollama() -> AsyncIterator[OllamaServer]:
    async with OllamaServer() as server:
        yield server


@pytest.fixture
def environment(models_dir: Path, ollama: OllamaServer) -> Environment:
    """What the operator sets: three backends, where they are, and how precisely they work."""
    return {
        "PIPELINE_ENHANCER": "ollama",
        "PIPELINE_GENERATOR": "diffusion",
        "PIPELINE_JUDGE": "clip",
        "MODELS_DIR": str(models_dir),
        "OLLAMA_HOST": ollama.host,
        "PIPELINE_JUDGE_MODEL": JUDGE,
        "PIPELINE_JUDGE_RUNTIME": "torch-fp32",
        "PIPELINE_DIFFUSION_RUNTIME": "torch-fp32",
        "PIPELINE_DIFFUSION_STEPS": "4",
        # On busy cores threads wait for one another longer than a tiny model computes.
        "PIPELINE_DIFFUSION_THREADS": "1",
        "PIPELINE_JUDGE_THREADS": "1",
    }


@pytest.fixture
async def pipeline(environment: Environment, monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    """The product's pipeline, made and warmed up as the gpu worker does it."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    pipeline = Pipeline.from_settings(PipelineSettings())
    await pipeline.warm_up()
    return pipeline


async def create(talk: Talk) -> None:
    await talk.send(IDEA)
    await talk.press("✨ Создать")


async def made(talk: Talk) -> Message:
    """The card under the album, once it is there."""
    return await talk.button("📥 Оригиналы PNG")


async def caption(talk: Talk) -> str:
    (album,) = await talk.albums()
    return said(album[0])


async def why(talk: Talk) -> str:
    await talk.press("🤔 Почему?", on=await made(talk))
    return said(await talk.button("‹ Назад"))


# The whole way.


async def test_an_idea_becomes_an_album_by_the_three_real_backends(
    product: Sim, ollama: OllamaServer, sessions: async_sessionmaker[AsyncSession]
) -> None:
    talk = product.talk(ANNA)
    await create(talk)
    await made(talk)
    told = await caption(talk)
    assert "оценивает нейросеть tiny-clip" in told
    assert "pixels" not in told
    assert "без LLM" not in told
    assert len((await talk.albums())[0]) == 2  # A CPU draws two at most.
    assert "тыквенный латте" in str(ollama.chats[0]["messages"])
    shown = await why(talk)
    assert "stable-diffusion-v1-5 (torch-fp32) · промт: ollama" in shown
    assert "tiny-clip (PyTorch, fp32)" in shown
    rows = await predictions(sessions)
    drawn = str(rows[0]["render"])  # A tiny vocabulary has many tokens for few words.
    assert drawn
    assert PROMPT["render"].startswith(drawn)
    assert f"Промт: {drawn}\n" in shown
    assert PROMPT["intent"].rstrip(".") in shown
    assert len(rows) == 2
    assert all(f"seed {row['seed']}" in shown for row in rows)


async def test_the_stored_scores_are_those_of_plain_transformers_on_the_delivered_pictures(
    product: Sim, sessions: async_sessionmaker[AsyncSession], models_dir: Path
) -> None:
    talk = product.talk(ANNA)
    await create(talk)
    await talk.press("📥 Оригиналы PNG", on=await made(talk))
    pngs = await delivered(talk, count=2)
    rows = await predictions(sessions)
    assert [row["rank"] for row in rows] == [1, 2]
    assert {row["sha256"] for row in rows} == pngs.keys()
    folder = models.clip_model(JUDGE).path(models_dir)
    expected = tiny_clip.scored_plainly(
        folder,
        (folder / "aesthetic.pth", folder / "safety.pth"),
        str(rows[0]["intent"]),
        [Image.open(io.BytesIO(pngs[str(row["sha256"])])) for row in rows],
    )
    for row, (cosine, beauty, unsafe) in zip(rows, expected, strict=True):
        clip_n = min(1.0, 2.5 * max(cosine, 0.0))
        aes_n = min(1.0, max(0.0, (beauty - 1) / 9))
        wanted = [cosine, clip_n, beauty, aes_n, 0.7 * clip_n + 0.3 * aes_n, unsafe]
        assert [float(str(row[name])) for name in NUMBERS] == pytest.approx(wanted, abs=1e-5)
    assert float(str(rows[0]["final_score"])) >= float(str(rows[1]["final_score"]))


NUMBERS = ("clip_raw", "clip_n", "aes_raw", "aes_n", "final_score", "unsafe")


async def predictions(sessions: async_sessionmaker[AsyncSession]) -> list[Mapping[str, object]]:
    """The pictures' rows by rank, with what their task's prompt was judged against."""
    query = """
        SELECT p.*, t.prompt ->> 'intent' AS intent, t.prompt ->> 'render' AS render,
            p.gen_meta -> 'details' -> 'unsafe' AS unsafe
        FROM predictions p JOIN ml_tasks t ON t.id = p.task_id ORDER BY p.rank
    """
    async with sessions() as session:
        return [dict(row) for row in (await session.execute(text(query))).mappings()]


async def delivered(talk: Talk, *, count: int) -> dict[str, bytes]:
    """The PNG files in the chat, by their SHA-256."""
    await talk.wait_for(lambda one: "document" in one, "a document")
    files = [one["document"] for one in await talk.messages() if "document" in one]
    assert len(files) == count
    found = {}
    for file in files:
        async with talk.sim.http.get(f"{talk.sim.url}/sim/file/{file['file_id']}") as answer:
            png = await answer.read()
        found[hashlib.sha256(png).hexdigest()] = png
    return found


# From a photo.


@pytest.fixture
def photo() -> bytes:
    gradient = Image.linear_gradient("L").resize((90, 90))
    buffer = io.BytesIO()
    Image.merge("RGB", (gradient, gradient.rotate(180), gradient)).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
async def ready(product: Sim, redis_url: str) -> Sim:
    """Once the worker has said that it starts from photos."""
    async with Redis.from_url(redis_url) as redis, asyncio.timeout(20):
        while not (await capacity.offered(redis)).starts_from_photos:
            await asyncio.sleep(0)
    return product


async def test_a_photo_with_a_caption_becomes_an_album_that_starts_from_it(
    ready: Sim, photo: bytes, sessions: async_sessionmaker[AsyncSession]
) -> None:
    talk = ready.talk(ANNA)
    await talk.upload("photo", photo, "shop.png", caption=IDEA)
    await talk.press("✨ Создать", on=await talk.text("На основе фото"))
    first = await made(talk)
    await talk.press("🎯 Похожие", on=first)
    await talk.wait_for(
        lambda one: one["message_id"] > first["message_id"] and label(one, "Почему") is not None
    )
    metas = [row["gen_meta"] for row in await predictions(sessions)]
    assert len(metas) == 4
    assert {meta["parameters"]["photo_strength"] for meta in metas} == {0.6}  # type: ignore[index]


async def test_a_photo_lost_meanwhile_is_told_in_words(
    ready: Sim, photo: bytes, image_dir: Path
) -> None:
    talk = ready.talk(ANNA)
    await talk.upload("photo", photo, "shop.png", caption=IDEA)
    draft = await talk.text("На основе фото")
    await asyncio.to_thread(shutil.rmtree, image_dir / "photos")
    await talk.press("✨ Создать", on=draft)
    await talk.text("Исходное фото пропало или не читается. Ничего не потрачено")


# Bad days.


class Paused:
    """A generator that waits after its first step until it is cancelled.

    `ended_at` is how many steps had been taken when it gave the worker back, by request.
    """

    def __init__(self, generator: Generator, steps: Sequence[None]) -> None:
        self._generator = generator
        self._steps = steps
        self.name = generator.name
        self.max_count = generator.max_count
        self.starts_from_photos = generator.starts_from_photos
        self.ended_at: list[int] = []

    def generate(
        self,
        prompt: Prompt,
        brief: Brief,
        seeds: Sequence[int],
        on_picture: OnPicture,
        cancel: CancelFlag,
    ) -> list[Picture]:
        def drawn(done: int, part: float = 0.0) -> None:
            on_picture(done, part)
            if len(self._steps) == 1:
                assert cancel.wait(20)

        try:
            return self._generator.generate(prompt, brief, seeds, drawn, cancel)
        finally:
            self.ended_at.append(len(self._steps))


@contextmanager
def before_each_step(hook: Callable[[], None]) -> Iterator[None]:
    """Calls the hook whenever torch is about to run a UNet."""
    from torch.nn.modules.module import register_module_forward_pre_hook

    def called(module: object, _: object) -> None:
        if type(module).__name__ == "UNet2DConditionModel":
            hook()

    handle = register_module_forward_pre_hook(called)
    try:
        yield
    finally:
        handle.remove()


async def test_a_cancel_from_the_chat_frees_the_worker_within_one_step(
    pipeline: Pipeline, product: Sim
) -> None:
    steps: list[None] = []
    pipeline.generator = paused = Paused(pipeline.generator, steps)
    talk = product.talk(ANNA)
    with before_each_step(lambda: steps.append(None)):
        await create(talk)
        await talk.press("✕ Отменить", on=await talk.text("Рисую 1/2"))
        await talk.press("🔁 Запустить снова", on=await talk.text("🚫"))
        await made(talk)
    cancelled, again, *_ = paused.ended_at  # Near-twins may have been drawn once more.
    assert cancelled <= 2  # the one it was cancelled in or after, and one more to notice
    assert again == cancelled + 2 * 4
    assert len(await talk.albums()) == 1


async def test_lack_of_memory_fails_one_request_in_words_and_the_next_one_works(
    product: Sim,
) -> None:
    import torch

    lacking = [torch.OutOfMemoryError("CUDA out of memory.") for _ in range(2)]

    def allocate() -> None:
        if lacking:  # At the asked size, then at the smaller one.
            raise lacking.pop()

    talk = product.talk(ANNA)
    with before_each_step(allocate):
        await create(talk)
        failed = await talk.text("не хватило памяти")
        assert lacking == []
        await talk.press("🔁 Запустить снова", on=failed)
        await made(talk)
    assert len(await talk.albums()) == 1


class TestOllamaAway:
    @pytest.fixture
    def environment(self, environment: Environment) -> Environment:
        return {**environment, "OLLAMA_HOST": f"http://127.0.0.1:{free_port()}"}

    async def test_the_lexicon_stands_in_and_the_album_says_so(self, product: Sim) -> None:
        talk = product.talk(ANNA)
        await create(talk)
        shown = await why(talk)
        assert "промт без LLM, по словарю" in await caption(talk)
        assert "сервер языковой модели не отвечает" in shown
        assert "pumpkin latte" in shown
        assert "tiny-clip (PyTorch, fp32)" in shown
