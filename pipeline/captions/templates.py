"""Captions without a language model: an opening around what the idea is about, and a call to act.

It says nothing that the idea does not: no prices, dates or promises.
"""

from __future__ import annotations

import asyncio
import re

from pipeline import lettering
from pipeline.brief import GOALS, MAX_PROMPT_CHARS, make_brief
from pipeline.captions import Caption, CaptionBrief, OnText, length
from pipeline.captions.subject import Subject, find
from pipeline.enhance import lexicon
from pipeline.errors import BadBrief

_PHRASES = {
    "ru": (
        "Встречайте {accusative}!",
        "{Nominative} уже {waits} вас.",
        "Знакомьтесь: {nominative}.",
        "Сегодня у нас {nominative}.",
    ),
    "en": ("Say hello to {nominative}!", "Today: {nominative}.", "Here it is: {nominative}."),
}
"""Openings around a noun phrase."""
_PLAIN = {
    "ru": ("{Nominative}.", "Сегодня: {nominative}.", "Вот так: {nominative}."),
    "en": ("{Nominative}.",),
}
"""Openings around words of which nothing is known."""

_CALLS: dict[str, dict[str, tuple[str, ...]]] = {
    "ru": {
        "": (
            "Как вам? Напишите в комментариях.",
            "Сохраните и покажите тем, кому понравится.",
            "Расскажите, о чём вы подумали, увидев это.",
        ),
        "promotion": ("Заглядывайте, будем рады!", "Подробности в сообщениях, пишите."),
        "sale": ("Успейте, пока действует предложение!", "Условия подскажем в сообщениях."),
        "branding": ("Такие мы. А за что нас любите вы?", "Оставайтесь с нами."),
        "product_shot": ("Хотите рассмотреть поближе? Пишите.", "Заказать можно в сообщениях."),
        "announcement": ("Скоро расскажем больше, следите за новостями.", "Ждали? Мы тоже!"),
        "event": ("Приходите сами и зовите друзей!", "Кто с нами? Отметьтесь в комментариях."),
        "holiday": ("С праздником! Тепла вам и близким.", "А как отмечаете вы?"),
        "recruiting": ("Хотите к нам? Напишите, познакомимся.", "Знаете, кому подойдёт? Покажите."),
        "education": ("Сохраните, чтобы вернуться.", "Остались вопросы? Задайте в комментариях."),
        "testimonial": ("А что скажете вы? Ждём ваших отзывов.", "Спасибо, что выбираете нас!"),
        "menu": ("Заходите попробовать!", "Что закажете первым?"),
    },
    "en": {
        "": ("What do you think? Tell us in the comments.", "Save it and show a friend."),
        "promotion": ("Drop in, we will be glad to see you!", "Write to us for details."),
        "sale": ("Don't miss it while it lasts!", "Ask us about the terms."),
        "branding": ("That is us. What do you like us for?", "Stay with us."),
        "product_shot": ("Want a closer look? Write to us.", "Order in a message."),
        "announcement": ("More very soon, stay tuned.", "Have you been waiting? So have we!"),
        "event": ("Come along and bring your friends!", "Who is in? Tell us in the comments."),
        "holiday": ("Happy holidays to you and yours!", "How are you celebrating?"),
        "recruiting": ("Want to join us? Write, let's meet.", "Know the right person? Show them."),
        "education": ("Save it to come back to.", "Any questions? Ask in the comments."),
        "testimonial": (
            "And what do you say? We are all ears.",
            "Thank you for choosing us!",
        ),
        "menu": ("Come and try!", "What will you order first?"),
    },
}
_TEAM = {"ru": "Команда «{brand}»", "en": "The {brand} team"}

_CYRILLIC = re.compile(r"[а-яё]", re.IGNORECASE)
_IDEA_SHOWN = 200


class TemplateWriter:
    """Offline; loads the dictionary with its first caption, off the event loop."""

    name = "templates"

    async def write(self, brief: CaptionBrief, on_text: OnText) -> Caption:
        text = await asyncio.to_thread(compose, brief)
        on_text(text)
        return Caption(text, self.name)


def compose(brief: CaptionBrief) -> str:
    """A caption of at most `brief.room`; seeds that follow each other give different ones."""
    idea, words = lettering.split(brief.idea)
    subject = find(idea) if brief.locale == "ru" else _in_english(idea)
    openings = (_PHRASES if subject else _PLAIN)[brief.locale]
    calls = _CALLS[brief.locale][brief.goal if brief.goal in GOALS else ""]
    opening = _filled(openings[brief.seed % len(openings)], subject or _as_written(idea))
    call = calls[(brief.seed + brief.seed // len(openings)) % len(calls)]
    said = f"{opening} {call}"
    # What can't be written on the picture stands first under it.
    lines = [lettering.caption(brief.idea), said] if words else [said]
    if brief.brand and not brief.is_signed:
        lines.append(_TEAM[brief.locale].format(brand=brief.brand))
    return _fitted(["\n\n".join(lines), said, opening, call], brief.room)


def _in_english(idea: str) -> Subject | None:
    """The idea in English, by the lexicon where it is Russian."""
    if not _CYRILLIC.search(idea):
        return None
    try:
        said = lexicon.enhance(make_brief(idea[:MAX_PROMPT_CHARS], seed=0)).intent
    except BadBrief:
        return None
    said = said.rstrip(".")
    return Subject(said, said, is_plural=False)


def _as_written(idea: str) -> Subject:
    words = idea.strip(" .,;:!?")
    if len(words) > _IDEA_SHOWN:
        words = words[:_IDEA_SHOWN].rpartition(" ")[0].rstrip(" .,;:!?") + "…"
    return Subject(words, words, is_plural=False)


def _filled(template: str, subject: Subject) -> str:
    text = template.format(
        nominative=subject.nominative,
        Nominative=lettering.capitalised(subject.nominative),
        accusative=subject.accusative,
        waits="ждут" if subject.is_plural else "ждёт",
    )
    return text.replace("….", "…")


def _fitted(texts: list[str], room: int) -> str:
    """The first that there is room for; the last one cut, if for none."""
    for text in texts:
        if length(text) <= room:
            return text
    return texts[-1].encode("utf-16-le")[: 2 * room].decode("utf-16-le", "ignore")
