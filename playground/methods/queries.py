"""Answers to what people ask the bot: button presses."""

from aiogram.methods import AnswerCallbackQuery

from playground.errors import BadRequest
from playground.methods.registry import Call, method
from playground.state import without_none

ANSWER_CHARACTERS_AT_MOST = 200


@method(AnswerCallbackQuery)
def answer_callback_query(call: Call, args: AnswerCallbackQuery) -> bool:
    """answerCallbackQuery: once, and in time."""
    if len(args.text or "") > ANSWER_CHARACTERS_AT_MOST:
        raise BadRequest("MESSAGE_TOO_LONG")
    if call.world.take_query(args.callback_query_id, "callback") is None:
        raise BadRequest("query is too old and response timeout expired or query ID is invalid")
    answer = call.world.answers.pop(args.callback_query_id, None)
    if answer is not None:
        shown = {"text": args.text, "show_alert": bool(args.show_alert), "url": args.url}
        answer(without_none(shown))
    return True
