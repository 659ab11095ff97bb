"""Makes the README's pictures from a running demo: `make demo`, then `python docs/screenshots.py`.

Talks to the bot as Ben in English and as Anna in Russian, so both chats should be new. Needs the
`dev` extra and Chromium.
"""

from __future__ import annotations

import io
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.request import Request, urlopen

from PIL import Image
from playwright.sync_api import Browser, Locator, Page, ViewportSize, sync_playwright

IMAGES = Path(__file__).parent / "img"
CHROMIUM = "/usr/bin/chromium"
DESKTOP: ViewportSize = {"width": 1100, "height": 1010}
PHONE: ViewportSize = {"width": 375, "height": 740}
COLOURS = 256
_JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True, slots=True)
class Words:
    """What is said and pressed in one language."""

    code: str
    chat_id: int
    locale: str
    prompt: str
    create: str
    why: str
    back: str
    hide_keyboard: str
    team: str
    colleague: str
    for_approval: str
    approve: str


ENGLISH = Words(
    code="en",
    chat_id=1002,
    locale="en-US",
    prompt="Instagram post: autumn menu of a coffee shop, pumpkin latte and cinnamon, cosy light",
    create="✨ Create",
    why="🤔 Why?",
    back="‹ Back",
    hide_keyboard="Hide keyboard",
    team="Pumpkin & Co",
    colleague="Kate",
    for_approval="📨 Ask for approval",
    approve="✅ Approve",
)
RUSSIAN = Words(
    code="ru",
    chat_id=1001,
    locale="ru-RU",
    prompt="Сделай пост для инстаграма: осеннее меню кофейни, тыквенный латте и корица, уютно",
    create="✨ Создать",
    why="🤔 Почему?",
    back="‹ Назад",
    hide_keyboard="Скрыть клавиатуру",
    team="Кофейня «Тыква»",
    colleague="Катя",
    for_approval="📨 На согласование",
    approve="✅ Одобрить",
)


def main(url: str) -> None:
    IMAGES.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for words in (ENGLISH, RUSSIAN):
            phone = opened(browser, url, words, PHONE, "light")
            ask(phone, words)
            save(phone, f"{words.code}-draft")
            tap(phone, words.create)
            key(phone, words.why).wait_for()
            desktop = opened(browser, url, words, DESKTOP, "light")
            key(desktop, words.why).wait_for()
            save(desktop, f"{words.code}-album")
            night = opened(browser, url, words, PHONE, "dark")
            tap(night, words.why)
            key(night, words.back).wait_for()
            save(night, f"{words.code}-why")
            tap(night, words.back)
            show_team(browser, url, words)
        browser.close()


def show_team(browser: Browser, url: str, words: Words) -> None:
    """An album in a group, voted for and sent for approval."""
    with urlopen(Request(f"{url}/sim/chats", json.dumps(team(words)).encode(), _JSON)) as made:
        chat_id = json.load(made)["id"]
    page = opened(browser, url, words, PHONE, "light", chat_id)
    write(page, f"/gen@vitrina_bot {words.prompt}")
    tap(page, "👍 2")
    key(page, "👍 2 · 1").wait_for()
    tap(page, words.for_approval)
    key(page, words.approve).wait_for()
    save(page, f"{words.code}-team")


def team(words: Words) -> dict[str, object]:
    """A group that the one who talks brings the bot to."""
    members = [
        {"id": words.chat_id, "status": "creator"},
        {"id": words.chat_id + 100, "first_name": words.colleague, "language_code": words.code},
    ]
    about = {"type": "supergroup", "title": words.team, "bot_status": "administrator"}
    return about | {"members": members}


def opened(
    browser: Browser,
    url: str,
    words: Words,
    size: ViewportSize,
    scheme: Literal["light", "dark"],
    chat_id: int | None = None,
) -> Page:
    """The chat page, larger on a phone so that its letters are sharp."""
    context = browser.new_context(
        viewport=size,
        locale=words.locale,
        color_scheme=scheme,
        device_scale_factor=1.5 if size is PHONE else 1,
    )
    page = context.new_page()
    page.goto(f"{url}/#{chat_id or words.chat_id}")
    page.locator("body[data-ready]").wait_for()
    hide = page.get_by_role("button", name=words.hide_keyboard)
    if hide.count():
        hide.click()
    return page


def ask(page: Page, words: Words) -> None:
    page.locator("#start").click()
    page.locator(".inline-keyboard").last.wait_for()
    page.get_by_role("button", name=words.hide_keyboard).click()
    write(page, words.prompt)
    key(page, words.create).wait_for()


def write(page: Page, text: str) -> None:
    page.locator("#input").fill(text)
    page.locator("#input").press("Enter")


def key(page: Page, name: str) -> Locator:
    """The newest inline button with this label."""
    return page.locator(".inline-keyboard").get_by_role("button", name=name).last


def tap(page: Page, name: str) -> None:
    key(page, name).click()


def save(page: Page, name: str) -> None:
    """Once everything has come to rest. Chats without pictures do with a palette."""
    page.mouse.move(0, 0)
    page.wait_for_function("[...document.images].every(image => image.complete)")
    page.wait_for_timeout(4_500)  # toasts and the floating date go
    shot = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    small = shot if name.endswith("album") else shot.quantize(COLOURS, kmeans=3)
    small.save(IMAGES / f"{name}.png", optimize=True)
    sys.stdout.write(f"{name}.png\n")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8081")
