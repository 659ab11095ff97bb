"""A dialogue's memory in one chat: which question is open, and what was answered so far.

An answer counts only if it is newer than its question: a message that is handled twice has moved
the dialogue on the first time. The last answer's id outlives the dialogue for the same reason.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TypedDict, cast

from aiogram.fsm.context import FSMContext
from aiogram.fsm.state import State
from aiogram.types import CallbackQuery, Message

from bot.errors import NotYours
from bot.who import Who, card_of
from db.errors import Stale


class Answers(TypedDict, total=False):
    """The brand that is changed (`brand_id`; none: a new one) and the answers so far; or the post
    whose caption is written; or the photo that is to be described."""

    brand_id: int
    post_id: int
    photo_key: str
    name: str
    style_original: str
    style_short: str
    unknown: list[str]
    preset: str | None
    palette: list[str]
    advertiser: str


async def opened(state: FSMContext, step: State, question_id: int, answers: Answers) -> None:
    """The question of a step is on the screen."""
    await state.set_state(step)
    await state.set_data({"question": question_id, "answers": answers})
    await _of_question(state, question_id).set_data({"asked": state.key.user_id})


async def asked(state: FSMContext, message_id: int) -> int | None:
    """Whom a message of this chat asks, by anybody's `state` there; None: it is no question."""
    return cast(int | None, (await _of_question(state, message_id).get_data()).get("asked"))


def _of_question(state: FSMContext, question_id: int) -> FSMContext:
    """What everybody in the chat may know of a question."""
    key = replace(state.key, user_id=0, thread_id=None, destiny=f"question-{question_id}")
    return FSMContext(state.storage, key)


async def question(state: FSMContext) -> int | None:
    """The message with the open question."""
    return cast(int | None, (await state.get_data()).get("question"))


async def answered(message: Message, state: FSMContext) -> Answers | None:
    """What was answered so far; None for a message that was taken before."""
    data = await state.get_data()
    if message.message_id <= int(data.get("question", 0)):
        return None
    return cast(Answers, data.get("answers", {}))


async def tapped(
    query: CallbackQuery, who: Who, state: FSMContext, step: State | None = None
) -> Answers:
    """What was answered so far, for a tap under the open question; `step` None: whichever it is.

    Raises NotYours for somebody else's question, Stale for one that is over.
    """
    data = await state.get_data()
    is_open = step is None or await state.get_state() == step.state
    if not is_open or data.get("question") != card_of(query).message_id:
        raise NotYours if who.is_group else Stale("dialogue")
    return cast(Answers, data.get("answers", {}))


async def closed(state: FSMContext, message_id: int) -> None:
    """The dialogue is over; `message_id` and what came before it has been dealt with.

    If that is the question itself, which a tap has ended, it asks nobody any more.
    """
    await state.set_state(None)
    await state.set_data({"closed": message_id})
    await _of_question(state, message_id).set_data({})


async def was_left(state: FSMContext) -> bool:
    """Whether there is no dialogue any more although none was brought to its end."""
    return await state.get_state() is None and not await state.get_data()


async def was_answer(message: Message, state: FSMContext) -> bool:
    """Whether a message outside any dialogue was the last answer of one."""
    data = await state.get_data()
    return message.message_id <= int(data.get("closed", 0))
