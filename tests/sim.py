"""The playground from a person's side: what tests say, press, see, and break."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import aiohttp

ANNA = 1001
BEN = 1002
TEAM = -1000000002001
TOKEN = "4242:playground"

Message = dict[str, Any]


@dataclass
class Sim:
    """A playground's /sim calls."""

    url: str
    http: aiohttp.ClientSession

    async def get(self, path: str, **params: Any) -> Any:
        async with self.http.get(f"{self.url}/sim/{path}", params=params) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def post(self, path: str, **body: Any) -> Any:
        async with self.http.post(f"{self.url}/sim/{path}", json=body) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def fault(self, method: str, mode: str, times: int = 1, **more: Any) -> None:
        await self.post("faults", method=method, mode=mode, times=times, **more)

    async def calls(self, *methods: str) -> list[Any]:
        """The log's rows of these methods, or of all."""
        rows = (await self.get("log"))["calls"]
        return [row for row in rows if not methods or row["method"] in methods]

    async def group(self, title: str = "Команда", topics: tuple[str, ...] = ()) -> Any:
        """A new supergroup with Anna, Ben and the bot; with topics, a forum."""
        members = [
            {"id": ANNA, "status": "creator"},
            {"id": BEN, "status": "member"},
        ]
        return await self.post(
            "chats",
            type="supergroup",
            title=title,
            members=members,
            bot_status="administrator",
            topics=list(topics),
        )

    def talk(self, chat_id: int, user_id: int | None = None, thread_id: int | None = None) -> Talk:
        return Talk(self, chat_id, user_id or chat_id, thread_id)


@dataclass
class Talk:
    """One person in one chat (or one topic of it)."""

    sim: Sim
    chat_id: int
    user_id: int
    thread_id: int | None = None
    patience_s: float = 30.0

    async def send(self, text: str, **more: Any) -> int:
        """Writes; the message id."""
        if self.thread_id is not None:
            more["message_thread_id"] = self.thread_id
        sent = await self.sim.post(
            f"chats/{self.chat_id}/send", user_id=self.user_id, text=text, **more
        )
        return int(sent["message_id"])

    async def upload(self, kind: str, data: bytes, name: str, caption: str = "") -> int:
        """Sends a photo or a document; the message id."""
        form = aiohttp.FormData()
        form.add_field("user_id", str(self.user_id))
        if caption:
            form.add_field("caption", caption)
        form.add_field(kind, data, filename=name)
        url = f"{self.sim.url}/sim/chats/{self.chat_id}/send"
        async with self.sim.http.post(url, data=form) as answer:
            assert answer.status == 200, await answer.text()
            return int((await answer.json())["message_id"])

    async def messages(self) -> list[Message]:
        """What stands in this chat or topic for this person to see, oldest first."""
        found = (await self.sim.get(f"chats/{self.chat_id}/messages"))["messages"]
        mine = [
            one
            for one in found
            if one.get("receiver_user", {"id": self.user_id})["id"] == self.user_id
        ]
        return [one for one in mine if self.thread_id in (None, one.get("message_thread_id"))]

    async def wait_for(self, fits: Callable[[Message], bool], what: str = "") -> Message:
        """The newest message that fits, as soon as there is one."""
        deadline = time.monotonic() + self.patience_s
        while True:
            state = await self.sim.get(f"chats/{self.chat_id}/messages")
            for message in reversed(await self.messages()):
                if fits(message):
                    return message
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                shown = "\n".join(outline(message) for message in await self.messages())
                raise AssertionError(f"no such message: {what}\nThe chat:\n{shown}")
            await self.sim.get(
                f"chats/{self.chat_id}/messages", since=state["seq"], wait=min(left_s, 10.0)
            )

    async def text(self, part: str) -> Message:
        """Waits for a message of the bot with this text (or caption) in it."""
        return await self.wait_for(lambda one: from_bot(one) and part in said(one), part)

    async def button(self, part: str) -> Message:
        """Waits for a message with a button whose label has `part` in it."""
        return await self.wait_for(lambda one: label(one, part) is not None, f"button {part}")

    async def press(self, part: str, on: Message | None = None) -> Any:
        """Taps the button on that message, or on the newest that has it; the bot's answer."""
        message = on or await self.button(part)
        text = label(message, part)
        assert text is not None, f"no button {part} on: {outline(message)}"
        pressed = await self.sim.post(
            f"chats/{self.chat_id}/press",
            user_id=self.user_id,
            message_id=message["message_id"],
            text=text,
        )
        return pressed["answer"]

    async def albums(self) -> list[list[Message]]:
        """The albums of pictures, oldest first."""
        groups: dict[str, list[Message]] = {}
        for message in await self.messages():
            if "photo" in message and "media_group_id" in message:
                groups.setdefault(message["media_group_id"], []).append(message)
        return list(groups.values())


def from_bot(message: Message) -> bool:
    return bool(message.get("from", {}).get("is_bot"))


def said(message: Message) -> str:
    return str(message.get("text") or message.get("caption") or "")


def label(message: Message, part: str) -> str | None:
    """The label of the message's first inline button that contains `part`."""
    rows = message.get("reply_markup", {}).get("inline_keyboard", [])
    labels = [str(button["text"]) for row in rows for button in row]
    return next((one for one in labels if part in one), None)


def outline(message: Message) -> str:
    """One line for a failed test's report."""
    rows = message.get("reply_markup", {}).get("inline_keyboard", [])
    labels = [button["text"] for row in rows for button in row]
    what = next((kind for kind in ("photo", "document") if kind in message), "")
    who = "bot" if from_bot(message) else "person"
    return f"#{message['message_id']} {who} {what} {said(message)!r} {labels or ''}"
