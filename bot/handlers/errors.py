"""What a person is told when something can't be done: one wording for each of our errors.

Everything else (a database away, Telegram unsure) is raised again, so that the update is offered
once more.
"""

from __future__ import annotations

import structlog
from aiogram import Bot, F, Router
from aiogram.filters import ExceptionTypeFilter
from aiogram.filters.callback_data import CallbackData
from aiogram.types import CallbackQuery, ErrorEvent, Message
from redis.asyncio import Redis

from bot import caption_views, channel_views, team_views, texts
from bot.callbacks import (
    AlbumTap,
    BrandTap,
    CancelTap,
    ChannelTap,
    DraftTap,
    HistoryTap,
    PostTap,
    PostTo,
    ResendTap,
    RetryTap,
)
from bot.clock import Clock
from bot.errors import (
    BadUpload,
    ChatMigrated,
    MessageGone,
    NotYours,
    OtherAccount,
    ThreadClosed,
    Undeliverable,
)
from bot.filters import is_payment
from bot.handlers import quota
from bot.intake import Sessions
from bot.settings import PaymentTerms
from bot.team_keyboards import ROLES
from bot.texts import Html, Texts
from bot.who import Who
from db import workplaces
from db.errors import (
    BrandNameTaken,
    CaptionTooLong,
    InsufficientFunds,
    KeyReused,
    LimitReached,
    NotAllowed,
    NotFound,
    PaymentRefused,
    QuotaOut,
    Stale,
    WalletPaused,
)
from db.states import Role
from pipeline.brief import MAX_PROMPT_CHARS
from pipeline.errors import BadBrief, BadImage
from pipeline.images import MIN_PHOTO_SIDE_PX

log = structlog.get_logger(__name__)
router = Router(name="errors")


@router.error(ExceptionTypeFilter(QuotaOut), F.update.callback_query.as_("query"))
async def out_of_quota(
    event: ErrorEvent,
    query: CallbackQuery,
    who: Who,
    bot: Bot,
    sessions: Sessions,
    redis: Redis,
    terms: PaymentTerms,
    clock: Clock,
) -> None:
    """Whatever button it was: not a word alone, but the ways on."""
    assert isinstance(event.exception, QuotaOut)
    log.info("quota out", update=event.update.update_id, error=repr(event.exception))
    wanted = event.exception.wanted
    await quota.offer(query, wanted, who, bot, sessions, redis, terms, clock)


_OF_THINGS: dict[str, type[CallbackData]] = {
    one.__prefix__: one
    for one in (
        DraftTap,
        CancelTap,
        RetryTap,
        ResendTap,
        AlbumTap,
        HistoryTap,
        BrandTap,
        PostTo,
        PostTap,
        ChannelTap,
    )
}
_THINGS = ("request", "task", "brand", "post", "channel")


@router.error(ExceptionTypeFilter(NotFound), F.update.callback_query.as_("query"))
async def not_here(
    event: ErrorEvent, query: CallbackQuery, sessions: Sessions, who: Who | None = None
) -> None:
    """In a private chat: gone, or of another account of the person's?"""
    thing = _tapped(query)
    if who is None or who.is_group or thing is None:
        await on_error(event, who)
        return
    async with sessions.begin() as session:
        owner = await workplaces.owner(session, who.user_id, *thing, but=who.account_id)
    if owner is None:
        await on_error(event, who)
    else:
        words = team_views.belongs_to(who.tr, owner.team)
        await query.answer(texts.without_markup(words), show_alert=True)


def _tapped(query: CallbackQuery) -> tuple[str, int] | None:
    """What a button is about, and its id."""
    tap = _OF_THINGS.get((query.data or "").partition(":")[0])
    if tap is None:
        return None
    fields = tap.unpack(query.data or "").model_dump()
    return next((name, fields[f"{name}_id"]) for name in _THINGS if f"{name}_id" in fields)


@router.error()
async def on_error(event: ErrorEvent, who: Who | None = None) -> None:
    error = event.exception
    if is_payment(event.update):
        raise error  # Nothing about money is settled with a word: it must come again.
    if isinstance(error, Undeliverable | MessageGone | ThreadClosed | ChatMigrated):
        # Nobody is there to be told, and trying again would change nothing.
        if isinstance(error, Undeliverable) and error.reason == "rejected":
            # Telegram found our call wrong.
            log.error("call rejected", update=event.update.update_id, exc_info=error)
        else:
            log.warning("not told", update=event.update.update_id, error=str(error))
        if isinstance(error, ChatMigrated) and event.update.callback_query is not None:
            tr = who.tr if who else texts.of(texts.DEFAULT_LOCALE)
            await _tell(event, tr("The group has moved to a new chat. Go on there."), alert=True)
        return
    tr = who.tr if who else texts.of(texts.DEFAULT_LOCALE)
    words = _not_allowed(tr, error, who) if isinstance(error, NotAllowed) else worded(tr, error)
    if words is None:
        raise error
    log.info("refused", update=event.update.update_id, error=repr(error))
    await _tell(event, words, alert=not isinstance(error, NotYours | NotAllowed))


async def _tell(event: ErrorEvent, words: Html, *, alert: bool) -> None:
    query: CallbackQuery | None = event.update.callback_query
    message: Message | None = event.update.message or event.update.edited_message
    if query is not None:
        await query.answer(texts.without_markup(words), show_alert=alert)
    elif message is not None:
        await message.reply(words)


def _not_allowed(tr: Texts, error: NotAllowed, who: Who | None) -> Html:
    """What stands in a person's way, and who can help."""
    if who is not None and who.full_seats is not None:
        return tr(
            "All seats of the team's plan are taken ({n}), so you look on and vote for now. The "
            "owner or an admin can free one in /team, or take a larger plan: /plans",
            n=who.full_seats,
        )
    if error.role is not None:
        return tr(
            "Your role here is {role}, and this takes another one. Who may do what: /team",
            role=tr.plain(ROLES[Role(error.role)]),
        )
    if who is not None and who.is_removed:
        return tr(
            "You were removed from this team. Its owner or an admin can let you back in: they give "
            "you a role in /team."
        )
    return tr("You are not in this team. If you are in its group, write /team there.")


def worded(tr: Texts, error: Exception) -> Html | None:
    """An error in a person's words; None for one that is no person's business."""
    match error:
        case NotYours(what="album"):
            return tr("Only who asked for the album, the team's owner and admins may delete it.")
        case NotYours():
            return tr("This menu is not yours")
        case OtherAccount():
            return tr(
                "This card is of another wallet than the one you work for now, so nothing was "
                "done. Open the page anew, or switch back: /account"
            )
        case BadBrief():
            return _bad_brief(tr, error.reason)
        case CaptionTooLong():
            return caption_views.too_long(tr, error)
        case BadUpload() | BadImage():
            return _bad_upload(tr, error.reason)
        case BrandNameTaken():
            return tr(
                "There is a brand called “{name}” already. Choose another name, please.",
                name=error.name,
            )
        case LimitReached():
            return _limit(tr, error)
        case Stale():
            return _stale(tr, error.what)
        case NotFound():
            return tr("This is gone already: it was deleted, or it was never here.")
    return _about_money(tr, error)


def _limit(tr: Texts, error: LimitReached) -> Html:
    match error.what:
        case "seats":
            return tr(
                "All {limit} seats of the plan are taken. Make somebody a viewer, or take a "
                "larger plan.",
                limit=error.limit,
            )
        case "waiting tasks":
            return tr(
                "⏳ {limit} albums are waiting already, that is the most. Wait for one of them, "
                "or cancel one on its card, and try again.",
                limit=error.limit,
            )
        case "channels" if error.limit == 0:
            return channel_views.none_in_plan(tr).text
        case "channels":
            return tr.n(
                "📣 Your plan has {n} channel. More come with a larger one: /plans, or disconnect "
                "another.",
                "📣 Your plan has {n} channels. More come with a larger one: /plans, or disconnect "
                "another.",
                error.limit,
            )
    return tr.n(
        "Your plan keeps up to {n} brand. More come with a larger one: /plans",
        "Your plan keeps up to {n} brands. More come with a larger one: /plans",
        error.limit,
    )


def _about_money(tr: Texts, error: Exception) -> Html | None:
    match error:
        case QuotaOut():
            return tr(
                "🎟 {left} pictures of this month are left, {wanted} are needed: /plans",
                left=max(0, error.left),
                wanted=error.wanted,
            )
        case InsufficientFunds():
            return tr("💰 The wallet lacks {missing}: /wallet", missing=tr.roubles(error.missing))
        case WalletPaused():
            return tr(
                "⏸ Paid actions are paused: Telegram took back a payment that was spent already. "
                "Write to the bot's owner, please."
            )
        case PaymentRefused():
            return tr("This invoice can't be paid any more. Ask for a new one: /wallet")
        case KeyReused():
            return tr("This was done already, with another sum. Open the page again, please.")
    return None


def _bad_brief(tr: Texts, reason: str) -> Html:
    if reason == "too_long":
        return tr(
            "📏 Too long: I read up to {n} characters at once. "
            "Leave what should be seen in the picture, and send it again.",
            n=MAX_PROMPT_CHARS,
        )
    if reason == "empty":
        return tr(
            "🤷 I see no words to draw from. Say what should be in the picture, for example: "
            "“autumn menu of a coffee shop for Instagram”."
        )
    return tr("I can't draw from this text. Write it in other words, please.")


def _bad_upload(tr: Texts, reason: str) -> Html:
    if reason == "too_large":
        return tr("This file is too large. Up to 20 MB and 50 megapixels, please.")
    if reason == "too_small":
        return tr("This photo is too small: from {n} pixels a side, please.", n=MIN_PHOTO_SIDE_PX)
    return tr("I can't open this as a picture. Send a PNG or JPEG, please.")


def _stale(tr: Texts, what: str) -> Html:
    if what == "order":
        return tr("This invoice is paid already.")
    if what == "approval":
        return tr("This album must be approved before it is published.")
    if what == "post":
        return tr("It is too late for that: the post has moved on. Its card shows where it stands.")
    if what == "time":
        return tr("That time is past already, or too far ahead. Choose another one.")
    if what == "day":
        return tr("This card is of another day. Choose the time once more.")
    if what == "draft":
        return tr("This draft is at work already. Send a new message for a new one.")
    if what == "dialogue":
        return tr("This question is over already, it needs no answer.")
    if what == "round":
        return tr("This round is over already.")
    return tr("This is not ready yet, or it has moved on.")
