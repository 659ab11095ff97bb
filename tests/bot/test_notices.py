"""Notices in words: each kind in both languages, with the button that helps."""

from __future__ import annotations

from uuid import uuid4

import pytest

from bot import notices
from bot.callbacks import WalletTap
from bot.views import Card
from db import renewals
from db.money_views import NoticeClaim
from db.views import Locale

DATA: dict[str, object] = {
    "plan": "profi",
    "title_ru": "Профи & Ко",
    "title_en": "Pro & Co",
    "price": 149_000,
    "missing": 19_050,
    "paused": False,
    "days": 3,
    "at": "2027-02-28T22:30:00+00:00",
    "until": "2027-03-03T22:30:00+00:00",
    "changed": False,
    "chosen": False,
    "frozen": 0,
    "frozen_channels": 0,
}
KINDS = (renewals.RENEWAL_SOON, renewals.GRACE_BEGAN, renewals.RENEWED, renewals.FREED)


def _card(kind: str, locale: Locale = "ru", **data: object) -> Card:
    claim = NoticeClaim(1, uuid4(), 5, kind, DATA | data, chat_id=1, locale=locale, attempt=1)
    return notices.card(claim)


def _taps(card: Card) -> list[str]:
    assert card.keyboard is not None
    return [str(one.callback_data) for row in card.keyboard.inline_keyboard for one in row]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_names_the_plan_in_its_readers_language(kind: str) -> None:
    assert "«Профи &amp; Ко»" in _card(kind).text
    assert "“Pro &amp; Co”" in _card(kind, "en").text


@pytest.mark.parametrize("kind", [renewals.RENEWAL_SOON, renewals.GRACE_BEGAN])
def test_what_lacks_is_one_tap_away(kind: str) -> None:
    card = _card(kind)
    assert "1\u00a0490\u00a0₽" in card.text
    assert "190,50\u00a0₽" in card.text
    tap = WalletTap.unpack(_taps(card)[0])
    assert (tap.do, tap.account_id, tap.value, tap.plan) == ("sum", 5, 19_050, "profi")


def test_a_paused_wallet_is_not_asked_to_top_up() -> None:
    card = _card(renewals.GRACE_BEGAN, missing=0, paused=True)
    assert "приостановлены" in card.text
    assert len(_taps(card)) == 1


def test_times_are_moscows() -> None:
    assert "1 марта, 01:30" in _card(renewals.RENEWAL_SOON).text
    assert "4 марта 2027" in _card(renewals.RENEWED).text


def test_a_changed_plan_and_a_chosen_end_are_said_as_such() -> None:
    assert "Теперь ваш тариф" in _card(renewals.RENEWED, changed=True).text
    assert "как вы и хотели" in _card(renewals.FREED, chosen=True).text
    assert "деньги за него не пришли" in _card(renewals.FREED).text


@pytest.mark.parametrize(("n", "words"), [(1, "1 бренд "), (3, "3 бренда "), (5, "5 брендов ")])
def test_frozen_brands_are_counted(n: int, words: str) -> None:
    assert words in _card(renewals.FREED, frozen=n).text
    assert "канал" not in _card(renewals.FREED, frozen=n).text
    assert "❄️" not in _card(renewals.FREED).text


@pytest.mark.parametrize("kind", [renewals.RENEWED, renewals.FREED])
def test_frozen_channels_are_counted_too(kind: str) -> None:
    assert "2 канала сверх лимита" in _card(kind, frozen_channels=2).text


def test_both_answers_to_a_doubt_are_about_the_attempt_that_was_lost() -> None:
    post = {"post_id": 5, "channel": "Кофе", "publish_at": DATA["at"], "time_zone": "Europe/Moscow"}
    card = _card("post_unknown", **post, attempt=2)
    assert _taps(card) == ["z:arrived:5:2", "z:again:5:2"]
