"""Albums, full size, documents, uploads, invoices."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from playwright.async_api import Route, ViewportSize, expect

from tests.browser.conftest import ANNA, DESKTOP, PHONE, Bot, Chat, picture

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def send_album(bot: Bot, count: int = 4) -> list[int]:
    media: list[dict[str, object]] = [
        {"type": "photo", "media": f"attach://p{n}"} for n in range(count)
    ]
    media[0]["caption"] = "Кофе, лето"
    files = {f"p{n}": (f"{n}.png", picture(n)) for n in range(count)}
    sent = await bot.call("sendMediaGroup", chat_id=ANNA, media=media, **files)
    assert isinstance(sent, list)
    return [message["message_id"] for message in sent]


async def test_album_is_one_grid_and_opens_full_size(chat: Chat, bot: Bot) -> None:
    ids = await send_album(bot)
    await expect(chat.page.get_by_role("group", name="Album of 4")).to_have_count(1)
    for message_id in ids:
        await expect(chat.numbered(message_id)).to_have_count(1)
    await expect(chat.message("Кофе, лето")).to_have_count(1)

    await chat.button("Open photo 2 of 4").click()
    lightbox = chat.page.get_by_role("dialog", name="Photo")
    image = lightbox.get_by_role("img", name="Photo 2 of 4")
    await expect(image).to_be_visible()
    await expect(image).to_have_js_property("naturalWidth", 640)
    await chat.page.keyboard.press("ArrowRight")
    await expect(lightbox.get_by_role("img", name="Photo 3 of 4")).to_be_visible()
    await chat.page.keyboard.press("ArrowLeft")
    await lightbox.get_by_role("button", name="Previous").click()
    await expect(lightbox.get_by_role("img", name="Photo 1 of 4")).to_be_visible()
    await chat.page.keyboard.press("Escape")
    await expect(lightbox).to_have_count(0)


async def test_pictures_have_their_place_before_their_bytes_come(chat: Chat, bot: Bot) -> None:
    let_go = asyncio.Event()

    async def held(route: Route) -> None:
        await let_go.wait()
        await route.continue_()

    await chat.page.route("**/sim/file/**", held)
    sent = await bot.call(
        "sendPhoto", chat_id=ANNA, photo=("1.png", picture(1, 900, 500)), caption="подпись"
    )
    assert isinstance(sent, dict)
    message = chat.numbered(sent["message_id"])
    await expect(message).to_be_visible()
    before = await message.bounding_box()
    let_go.set()
    image = message.get_by_role("button", name="Open photo").locator("img")
    await expect(image).to_have_js_property("complete", True)
    after = await message.bounding_box()
    assert before is not None
    assert before["height"] > 200
    assert after == before


async def test_document_downloads_as_it_was_sent(chat: Chat, bot: Bot, tmp_path: Path) -> None:
    content = picture(3)
    await bot.call("sendDocument", chat_id=ANNA, document=("vitrina-1.png", content))
    async with chat.page.expect_download() as downloading:
        await chat.page.get_by_role("link", name="Download vitrina-1.png").click()
    download = await downloading.value
    assert download.suggested_filename == "vitrina-1.png"
    saved = tmp_path / "saved.png"
    await download.save_as(saved)
    assert saved.read_bytes() == content


async def test_photo_goes_up_with_a_caption(chat: Chat, bot: Bot) -> None:
    await chat.page.locator("#picker").set_input_files(
        {"name": "logo.png", "mimeType": "image/png", "buffer": picture(2)}
    )
    dialog = chat.page.get_by_role("dialog", name="Send photo")
    await dialog.get_by_role("textbox", name="Comment").fill("наш логотип")
    await dialog.get_by_role("button", name="Send", exact=True).click()
    heard = await bot.heard()
    assert heard["caption"] == "наш логотип"
    assert heard["photo"][-1]["width"] == 640  # type: ignore[index]
    await expect(
        chat.message("наш логотип").get_by_role("button", name="Open photo")
    ).to_be_visible()


async def test_file_goes_up_as_a_document(chat: Chat, bot: Bot) -> None:
    await chat.page.locator("#picker").set_input_files(
        {"name": "бриф.txt", "mimeType": "text/plain", "buffer": "текст".encode()}
    )
    dialog = chat.page.get_by_role("dialog", name="Send file")
    await dialog.get_by_role("button", name="Send", exact=True).click()
    heard = await bot.heard()
    assert heard["document"]["file_name"] == "бриф.txt"  # type: ignore[index]
    await expect(chat.page.get_by_role("link", name="Download бриф.txt")).to_be_visible()


async def test_invoice_is_paid_on_the_page(chat: Chat, bot: Bot) -> None:
    await bot.call(
        "sendInvoice",
        chat_id=ANNA,
        title="Пополнение",
        description="300 ₽ на кошелёк",
        payload="order-1",
        currency="XTR",
        prices=[{"label": "300 ₽", "amount": 150}],
    )
    await chat.page.get_by_role("article").get_by_role("button", name="Pay").click()
    checkout = chat.page.get_by_role("dialog", name="Checkout")
    await expect(checkout).to_contain_text("300 ₽ на кошелёк")
    await checkout.get_by_role("button", name="Pay ⭐ 150").click()
    query = await bot.heard("pre_checkout_query")
    await bot.call("answerPreCheckoutQuery", pre_checkout_query_id=query["id"], ok=True)
    heard = await bot.heard()
    assert heard["successful_payment"]["total_amount"] == 150  # type: ignore[index]
    await expect(
        chat.page.get_by_role("article").filter(has_text="You paid ⭐ 150")
    ).to_be_visible()


async def test_refused_payment_says_why(chat: Chat, bot: Bot) -> None:
    await bot.call(
        "sendInvoice",
        chat_id=ANNA,
        title="Пополнение",
        description="300 ₽",
        payload="order-2",
        currency="XTR",
        prices=[{"label": "300 ₽", "amount": 150}],
    )
    await chat.page.get_by_role("article").get_by_role("button", name="Pay").click()
    checkout = chat.page.get_by_role("dialog", name="Checkout")
    await checkout.get_by_role("button", name="Pay ⭐ 150").click()
    query = await bot.heard("pre_checkout_query")
    await bot.call(
        "answerPreCheckoutQuery",
        pre_checkout_query_id=query["id"],
        ok=False,
        error_message="Заказ устарел",
    )
    await expect(chat.page.get_by_role("alertdialog")).to_contain_text("Заказ устарел")


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE])
async def test_roubles_ask_for_an_email_and_leave_a_receipt(
    chat: Chat, bot: Bot, viewport: ViewportSize
) -> None:
    await chat.page.set_viewport_size(viewport)
    await bot.call(
        "sendInvoice",
        chat_id=ANNA,
        title="Пополнение",
        description="300 ₽ на кошелёк",
        payload="order-3",
        currency="RUB",
        provider_token="p:1",
        need_email=True,
        prices=[{"label": "300 ₽", "amount": 30000}],
    )
    await chat.page.get_by_role("article").get_by_role("button", name="Pay").click()
    checkout = chat.page.get_by_role("dialog", name="Checkout")
    await checkout.get_by_role("button", name="Pay").click()
    await expect(checkout).to_be_visible()  # without an address it does not go on
    await checkout.get_by_role("textbox", name="Email for the receipt").fill("anna@example.com")
    await checkout.get_by_role("button", name="Pay").dblclick()
    query = await bot.heard("pre_checkout_query")
    await bot.call("answerPreCheckoutQuery", pre_checkout_query_id=query["id"], ok=True)
    heard = await bot.heard()
    assert heard["successful_payment"]["order_info"] == {"email": "anna@example.com"}  # type: ignore[index]
    await chat.page.get_by_role("article").get_by_role("button", name="Receipt").click()
    receipt = chat.page.get_by_role("dialog", name="Receipt")
    await expect(receipt).to_contain_text("anna@example.com")
    await expect(receipt).to_contain_text("300")
    await receipt.get_by_role("button", name="Close").click()
    await expect(receipt).to_be_hidden()
