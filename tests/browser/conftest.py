"""A real browser on a real playground, with a bot that the test plays by hand."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from PIL import Image, ImageDraw
from playwright.async_api import (
    Browser,
    BrowserContext,
    Locator,
    Page,
    ViewportSize,
    async_playwright,
    expect,
)

from playground import server

CHROMIUM = Path("/usr/bin/chromium")
HAVE_CHROMIUM = CHROMIUM.exists()
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DESKTOP: ViewportSize = {"width": 1280, "height": 800}
PHONE: ViewportSize = {"width": 375, "height": 812}
TEAM = -1000000002001
CHANNEL = -1000000003001

ANNA = 1001
BEN = 1002

expect.set_options(timeout=10_000)


def picture(number: int, width_px: int = 640, height_px: int = 640) -> bytes:
    """A PNG that differs by number."""
    image = Image.new("RGB", (width_px, height_px), (40 * number % 255, 120, 200 - 30 * number))
    ImageDraw.Draw(image).ellipse((40, 40, width_px - 40, height_px - 40), fill="white")
    out = BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


@dataclass
class Bot:
    """The bot's side, over the same HTTP that any bot uses."""

    http: aiohttp.ClientSession
    base_url: str
    token: str = "1:abc"
    _offset: int = 0
    _waiting: list[dict[str, object]] = field(default_factory=list)

    async def call(self, method: str, **fields: object) -> object:
        """One Bot API call; bytes go as a file, everything else as Telegram wants it."""
        form = aiohttp.FormData()
        for name, value in fields.items():
            if isinstance(value, tuple):
                file_name, content = value
                form.add_field(name, content, filename=file_name)
            else:
                form.add_field(name, value if isinstance(value, str) else json.dumps(value))
        # A form without fields is sent as JSON nothing.
        data = form if fields else None
        async with self.http.post(f"{self.base_url}/bot{self.token}/{method}", data=data) as reply:
            answer = await reply.json()
        assert answer["ok"], answer
        return answer["result"]

    async def say(self, chat_id: int, text: str, **fields: object) -> int:
        """Sends a message; its id."""
        sent = await self.call("sendMessage", chat_id=chat_id, text=text, **fields)
        assert isinstance(sent, dict)
        return int(sent["message_id"])

    async def heard(self, kind: str = "message") -> dict[str, object]:
        """The next update of this kind; others are passed over."""
        while True:
            while self._waiting:
                update = self._waiting.pop(0)
                if kind in update:
                    found = update[kind]
                    assert isinstance(found, dict)
                    return found
            got = await self.call("getUpdates", offset=self._offset, timeout=20)
            assert isinstance(got, list)
            self._waiting = got
            if got:
                self._offset = got[-1]["update_id"] + 1


@dataclass
class Chat:
    """The page as its user sees it."""

    page: Page

    @property
    def composer(self) -> Locator:
        return self.page.get_by_role("textbox", name="Message", exact=True)

    def message(self, text: str) -> Locator:
        """The message that holds this text."""
        return self.page.get_by_role("article").filter(has_text=text)

    def numbered(self, message_id: int) -> Locator:
        return self.page.locator(f'[role=article][data-message-id="{message_id}"]')

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    async def say(self, text: str) -> None:
        await self.composer.fill(text)
        await self.composer.press("Enter")

    async def open(self, name: str) -> None:
        """Opens a chat from the list by a part of its name."""
        await (
            self.page.get_by_role("navigation", name="Chats")
            .get_by_role("button", name=name)
            .click()
        )
        await expect(self.composer).to_be_visible()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Debian's Chromium, one for all tests."""
    if not HAVE_CHROMIUM:
        message = f"no Chromium at {CHROMIUM} (apt-get install chromium)"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield chromium
        await chromium.close()


@pytest_asyncio.fixture(loop_scope="session")
async def base_url() -> AsyncIterator[str]:
    """A fresh playground in memory."""
    async with server.running() as url:
        yield url


@pytest_asyncio.fixture(loop_scope="session")
async def bot(base_url: str) -> AsyncIterator[Bot]:
    """The first bot of the playground, already connected."""
    async with aiohttp.ClientSession() as http:
        connected = Bot(http, base_url)
        await connected.call("getMe")
        yield connected


@pytest_asyncio.fixture(loop_scope="session")
async def context(browser: Browser) -> AsyncIterator[BrowserContext]:
    """A clean browser profile at desktop width, in English."""
    opened = await browser.new_context(viewport=DESKTOP, locale="en-US")
    opened.set_default_timeout(10_000)
    yield opened
    await opened.close()


@pytest_asyncio.fixture(loop_scope="session")
async def chat(context: BrowserContext, base_url: str, bot: Bot) -> AsyncIterator[Chat]:
    """The page, open on Anna's chat; a script error on it fails the test."""
    errors: list[str] = []
    page = await context.new_page()
    page.on("pageerror", lambda error: errors.append(str(error)))
    await page.goto(f"{base_url}/#{ANNA}")
    await expect(page.locator("body[data-ready]")).to_be_attached()
    yield Chat(page)
    await page.close()
    assert errors == []
