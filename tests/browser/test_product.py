"""The whole product as a person meets it: the chat page, the real bot, both workers."""

from __future__ import annotations

import io
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from PIL import Image
from playwright.async_api import Browser, Locator, ViewportSize, expect

from db import engine
from pipeline.run import Pipeline
from pipeline.settings import PipelineSettings
from tests import product
from tests.browser.conftest import ANNA, DESKTOP, PHONE, Chat
from tests.product import Held
from tests.sim import Sim

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(240),
]

PROMPT = "Сделай пост для инстаграма: осеннее меню кофейни, тыквенный латте"
PATIENT_MS = 40_000  # an album has Telegram's pace to keep


@dataclass(frozen=True, slots=True)
class Shop:
    """The page on Anna's chat with the bot, the playground's other side, and the generator."""

    chat: Chat
    sim: Sim
    generator: Held

    def key(self, name: str) -> Locator:
        """The newest inline button with this label."""
        return self.chat.page.locator(".inline-keyboard").get_by_role("button", name=name).last

    async def tap(self, name: str) -> None:
        await self.key(name).click()


@pytest_asyncio.fixture(loop_scope="session", params=[DESKTOP, PHONE], ids=["desktop", "phone"])
async def shop(
    request: pytest.FixtureRequest,
    browser: Browser,
    base_url: str,
    database_url: str,
    redis_url: str,
    image_dir: Path,
) -> AsyncIterator[Shop]:
    """Everything runs; a script error on the page fails the test."""
    size: ViewportSize = request.param
    backends = Pipeline.from_settings(PipelineSettings(picture_area_px=256 * 256))
    generator = Held(backends.generator)
    pipeline = Pipeline(backends.enhancer, generator, backends.judge)
    database = engine.create(database_url)
    sessions = engine.session_factory(database)
    async with (
        product.running(base_url, sessions, redis_url, image_dir, pipeline),
        aiohttp.ClientSession() as http,
    ):
        context = await browser.new_context(viewport=size, locale="en-US")
        context.set_default_timeout(PATIENT_MS)
        page = await context.new_page()
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        await page.goto(f"{base_url}/#{ANNA}")
        await expect(page.locator("body[data-ready]")).to_be_attached()
        yield Shop(Chat(page), Sim(base_url, http), generator)
        await context.close()
        assert errors == []
    await database.dispose()


async def test_from_start_to_an_album_reopened(shop: Shop) -> None:
    await greet(shop)
    await draw_and_watch_the_bar(shop)
    await look_at_the_album(shop)
    await choose_the_second(shop)
    await ask_why(shop)
    await fetch_the_originals(shop)
    await reopen_from_the_history(shop)
    width = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert await shop.chat.page.evaluate(width) == 0


async def greet(shop: Shop) -> None:
    await expect(shop.chat.page.get_by_text("What can this bot do?")).to_be_visible()
    await shop.chat.button("Start").click()
    await expect(shop.chat.message("Здравствуйте, Анна!")).to_be_visible()
    await expect(shop.key("Осень в кофейне")).to_be_visible()
    await expect(shop.chat.button("🗂 История")).to_be_visible()


async def draw_and_watch_the_bar(shop: Shop) -> None:
    shop.generator.free.clear()
    await shop.chat.say(PROMPT)
    draft = shop.chat.message("Черновик")
    await expect(draft).to_contain_text("Instagram, меню заведения · 1:1")
    await shop.tap("✨ Создать")
    await expect(shop.chat.message("Рисую 1/4")).to_be_visible(timeout=PATIENT_MS)
    early = await bar(shop)
    shop.generator.drawn_until_held = 2
    shop.generator.free.set()
    await expect(shop.chat.message("Рисую 3/4")).to_be_visible(timeout=PATIENT_MS)
    later = await bar(shop)
    assert 0 < early < later < 100
    await expect(shop.chat.message("▰")).to_have_count(1)  # one message, edited
    shop.generator.drawn_until_held = None
    shop.generator.free.set()


async def bar(shop: Shop) -> int:
    """The percentage beside the bar."""
    found = re.search(r"▰+▱+ (\d+) %", await shop.chat.message("▰").inner_text())
    assert found
    return int(found[1])


async def look_at_the_album(shop: Shop) -> None:
    album = shop.chat.page.get_by_role("group", name="Album of 4")
    await expect(album).to_be_visible(timeout=PATIENT_MS)
    await expect(shop.key("📥 Оригиналы PNG")).to_be_visible(timeout=PATIENT_MS)
    await expect(shop.chat.message("Готово")).to_be_visible()
    caption = await shop.chat.message("№1 — лучшая из этих четырёх").first.inner_text()
    ranks = re.findall(r"^№(\d) (\d,\d\d): сюжет (\d,\d\d), эстетика (\d,\d\d)", caption, re.M)
    assert [rank for rank, *_ in ranks] == ["1", "2", "3", "4"]
    scores = [[float(part.replace(",", ".")) for part in parts] for _, *parts in ranks]
    finals = [final for final, _, _ in scores]
    assert finals == sorted(finals, reverse=True)
    for final, match, aesthetics in scores:
        assert final == pytest.approx(0.7 * match + 0.3 * aesthetics, abs=0.011)
    for photo in await album.get_by_role("button").locator("img").all():
        await expect(photo).to_have_js_property("complete", True)
        assert await photo.evaluate("image => image.naturalWidth") == 256


async def choose_the_second(shop: Shop) -> None:
    await shop.key("2").click()
    await expect(shop.key("✓ 2")).to_be_visible()
    await expect(shop.chat.page.get_by_role("status")).to_contain_text("Выбрана №2")
    await expect(shop.chat.message("Выбрана №2. Что дальше?")).to_be_visible()
    await expect(shop.key("Похожие на №2")).to_be_visible()


async def ask_why(shop: Shop) -> None:
    await shop.tap("🤔 Почему?")
    why = shop.chat.message("Почему такой порядок")
    await expect(why).to_contain_text("pumpkin latte")
    for part in ("Оценка = 0,70 × сюжет + 0,30 × эстетика", "Исключено:", "Seed:", "Модель: mock"):
        await expect(why).to_contain_text(part)
    await shop.tap("‹ Назад")
    await expect(shop.key("✓ 2")).to_be_visible()


async def fetch_the_originals(shop: Shop) -> None:
    await shop.tap("📥 Оригиналы PNG")
    links = shop.chat.page.get_by_role("link", name="Download")
    await expect(links).to_have_count(4, timeout=PATIENT_MS)
    address = await links.first.get_attribute("href")
    assert address is not None
    reply = await shop.chat.page.request.get(f"{shop.sim.url}{address}")
    assert Image.open(io.BytesIO(await reply.body())).format == "PNG"


async def reopen_from_the_history(shop: Shop) -> None:
    await shop.chat.button("🗂 История").click()
    await expect(shop.chat.message("История: нажмите на номер")).to_be_visible()
    await shop.key("1").click()
    await shop.tap("🖼 Открыть альбом")
    albums = shop.chat.page.get_by_role("group", name="Album of 4")
    await expect(albums).to_have_count(2, timeout=PATIENT_MS)
    first, _, again = await shop.sim.calls("sendMediaGroup")  # the second are the originals
    assert "attach://" in str(first["arguments"])
    sent = str(again["arguments"])
    assert "attach://" not in sent
    photos = [message for album in await shop.sim.talk(ANNA).albums() for message in album]
    for photo in photos[:4]:
        assert any(size["file_id"] in sent for size in photo["photo"])


async def test_a_brand_of_a_preset_is_chosen_on_the_draft(shop: Shop) -> None:
    await shop.chat.say("/brands")
    await shop.tap("🆕 Новый бренд")
    await expect(shop.chat.message("1 из 3")).to_be_visible()
    await shop.chat.say("Кофейня «Утро»")
    await shop.tap("Фиолетовый минимализм")
    await shop.tap("Оставить цвета стиля")
    made = shop.chat.message("Подставляется в каждый новый черновик")
    await expect(made).to_contain_text("Стиль: Фиолетовый минимализм")
    await shop.tap("☆ Не подставлять")
    await expect(shop.key("⭐ Подставлять")).to_be_visible()

    await shop.chat.say(PROMPT)
    await shop.tap("Бренд: нет")
    await shop.tap("Кофейня «Утро»")
    await expect(shop.chat.message("Черновик")).to_contain_text("бренд «Кофейня «Утро»»")
    await shop.tap("✨ Создать")
    await expect(shop.key("🤔 Почему?")).to_be_visible(timeout=PATIENT_MS)
    await shop.tap("🤔 Почему?")
    await expect(shop.chat.message("Почему такой порядок")).to_contain_text("purple minimalism")
    await expect(shop.chat.page.get_by_role("group", name="Album of 4")).to_be_visible()
