"""Plans: Free by itself, others for money: pro rata at once, or from the next period on."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db import brands, channels, plans, wallet
from db.errors import InsufficientFunds, LimitReached, NotFound, Stale, WalletPaused
from db.money_views import Agreed, Quote, Standing
from tests.db import rows
from tests.db.channels import CHAT, connect
from tests.db.rows import Sessions

NOW = datetime(2027, 1, 10, 12, tzinfo=UTC)
START, PROFI, STUDIO = 49_000, 149_000, 399_000
DAY = timedelta(days=1)


async def _standing(sessions: Sessions, account_id: int, now: datetime = NOW) -> Standing:
    async with sessions.begin() as session:
        return await plans.standing(session, account_id, now=now)


async def _quote(sessions: Sessions, account_id: int, code: str, now: datetime = NOW) -> Quote:
    async with sessions.begin() as session:
        return await plans.quote(session, account_id, code, now=now)


async def _choose(
    sessions: Sessions, account_id: int, code: str, now: datetime = NOW, key: str = "tap"
) -> Standing:
    async with sessions.begin() as session:
        return await rows.choose(session, account_id, code, now=now, key=key)


async def _balance(sessions: Sessions, account_id: int) -> int:
    async with sessions.begin() as session:
        return (await wallet.wallet(session, account_id)).balance


async def _charges(sessions: Sessions) -> list[int]:
    found = await rows.rows(
        sessions,
        "SELECT amount FROM transfers WHERE kind IN ('subscription', 'upgrade') ORDER BY id",
    )
    return [int(str(amount)) for (amount,) in found]


async def test_the_offer_is_what_the_table_says(sessions: Sessions) -> None:
    async with sessions.begin() as session:
        listed = await plans.list_(session)
    assert [(plan.code, plan.price) for plan in listed] == [
        ("free", 0), ("start", START), ("profi", PROFI), ("studio", STUDIO),
    ]  # fmt: skip
    assert (listed[0].terms.auto_enhance, listed[0].terms.auto_best) == (True, False)


async def test_everybody_begins_with_free(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    found = await _standing(sessions, who.account_id)
    assert (found.plan.code, found.next_plan_code, found.grace_until) == ("free", None, None)
    assert (found.period.starts_at, found.period.ends_at) == (NOW, NOW.replace(month=2))
    assert (found.period.left, found.pays_per_picture) == (found.period.terms.images_limit, False)
    assert await _standing(sessions, who.account_id, NOW + DAY) == found
    async with sessions.begin() as session:
        assert await plans.terms(session, who.account_id, now=NOW) == found.plan.terms


async def test_nobody_has_no_plan(sessions: Sessions) -> None:
    with pytest.raises(NotFound):
        await _standing(sessions, 10**9)


async def test_meeting_somebody_ten_times_at_once_makes_one_period(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    found = await asyncio.gather(*(_standing(sessions, who.account_id) for _ in range(10)))
    assert len({standing.period.id for standing in found}) == 1
    rolled = await asyncio.gather(
        *(_standing(sessions, who.account_id, NOW + 40 * DAY) for _ in range(10))
    )
    assert len({standing.period.id for standing in rolled}) == 1
    assert await rows.rows(sessions, "SELECT count(*) FROM periods") == [(2,)]


async def test_free_months_follow_the_anchor_and_leave_out_those_nobody_was_there_for(
    sessions: Sessions,
) -> None:
    who = await rows.person(sessions)
    first = datetime(2027, 1, 31, 23, tzinfo=UTC)
    await _standing(sessions, who.account_id, first)
    second = await _standing(sessions, who.account_id, datetime(2027, 2, 28, 23, tzinfo=UTC))
    assert second.period.starts_at == datetime(2027, 2, 28, 23, tzinfo=UTC)
    assert second.period.ends_at == datetime(2027, 3, 31, 23, tzinfo=UTC)
    later = await _standing(sessions, who.account_id, datetime(2028, 3, 1, tzinfo=UTC))
    assert later.period.starts_at == datetime(2028, 2, 29, 23, tzinfo=UTC)
    assert await rows.rows(sessions, "SELECT count(*) FROM periods") == [(3,)]


async def test_a_new_month_has_a_new_quota_and_todays_terms(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    first = await _standing(sessions, who.account_id)
    await rows.execute(sessions, "UPDATE periods SET used = 40")
    await rows.execute(sessions, "UPDATE plans SET images_limit = 55 WHERE code = 'free'")
    assert (await _standing(sessions, who.account_id)).period.left == 0
    second = await _standing(sessions, who.account_id, first.period.ends_at)
    assert second.period.left == 55


async def test_buying_charges_at_once_and_begins_now(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    await _standing(sessions, who.account_id, NOW - 3 * DAY)
    await rows.credit(sessions, who.account_id, PROFI + 1)
    offer = await _quote(sessions, who.account_id, "profi")
    assert (offer.kind, offer.price, offer.credit, offer.to_pay) == ("buy", PROFI, 0, PROFI)
    found = await _choose(sessions, who.account_id, "profi")
    assert (found.plan.code, found.period.starts_at) == ("profi", NOW)
    assert (found.period.ends_at, found.period.price) == (NOW.replace(month=2), PROFI)
    assert await _balance(sessions, who.account_id) == 1
    assert await rows.rows(
        sessions, "SELECT ends_at FROM periods WHERE plan_code = 'free'"
    ) == [(NOW,)]  # fmt: skip


async def test_buying_at_the_first_moment_works_too(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    await rows.credit(sessions, who.account_id, PROFI)
    assert (await _standing(sessions, who.account_id)).period.starts_at == NOW
    found = await _choose(sessions, who.account_id, "profi")
    assert found.period.starts_at - NOW == timedelta(microseconds=1)
    assert await _standing(sessions, who.account_id) == found


async def test_too_little_money_buys_nothing(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    before = await _standing(sessions, who.account_id)
    await rows.credit(sessions, who.account_id, START - 1)
    with pytest.raises(InsufficientFunds) as caught:
        await _choose(sessions, who.account_id, "start")
    assert caught.value.missing == 1
    assert await _standing(sessions, who.account_id) == before
    assert await _charges(sessions) == []


async def test_a_paused_wallet_buys_nothing(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    await rows.credit(sessions, who.account_id, START)
    async with sessions.begin() as session:
        await wallet.pause(session, who.account_id, now=NOW)
    with pytest.raises(WalletPaused):
        await _choose(sessions, who.account_id, "start")
    assert await _charges(sessions) == []


async def test_what_is_not_offered_cannot_be_bought_but_kept(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    kept = await rows.subscribe(sessions, who.account_id, "start", now=NOW)
    await rows.execute(sessions, "UPDATE plans SET is_offered = false WHERE code <> 'free'")
    for code in ("profi", "nothing"):
        with pytest.raises(NotFound):
            await _choose(sessions, who.account_id, code)
    assert (await _choose(sessions, who.account_id, "start")).period == kept.period


@given(
    length=st.integers(28 * 86_400, 31 * 86_400),
    gone=st.floats(0, 1),
    prices=st.tuples(st.integers(1, 10**9), st.integers(1, 10**9)).filter(lambda p: p[0] < p[1]),
)
def test_the_credit_never_exceeds_what_is_left_and_lacks_less_than_a_kopeck(
    length: int, gone: float, prices: tuple[int, int]
) -> None:
    whole = length * 1_000_000
    left = whole - int(whole * gone)
    credit = plans.credit(prices[0], timedelta(microseconds=left), timedelta(microseconds=whole))
    assert 0 <= prices[0] * left - credit * whole < whole


@pytest.mark.parametrize(
    ("after", "credit"),
    [
        (timedelta(microseconds=1), START - 1),
        (timedelta(seconds=1), START - 1),
        (31 * DAY / 2, START // 2),
        (10 * DAY, START * 21 // 31),
        (31 * DAY - timedelta(seconds=60), START * 60 // (31 * 86_400)),
        (31 * DAY - timedelta(seconds=1), 0),
    ],
)
async def test_an_upgrade_is_pro_rata_to_the_kopeck(
    sessions: Sessions, after: timedelta, credit: int
) -> None:
    who = await rows.person(sessions)
    old = await rows.subscribe(sessions, who.account_id, "start", now=NOW)
    await rows.credit(sessions, who.account_id, PROFI)
    now = old.period.starts_at + after
    offer = await _quote(sessions, who.account_id, "profi", now)
    assert (offer.kind, offer.credit, offer.to_pay) == ("upgrade", credit, PROFI - credit)
    found = await _choose(sessions, who.account_id, "profi", now)
    assert await _balance(sessions, who.account_id) == credit
    assert (found.period.starts_at, found.period.price) == (now, PROFI)
    assert found.period.ends_at == plans.add_months(now, 1, now.day)
    assert await rows.rows(
        sessions, "SELECT ends_at FROM periods WHERE id = :id", id=old.period.id
    ) == [(now,)]
    assert await rows.rows(
        sessions,
        "SELECT t.kind, t.amount, t.memo ->> 'plan' FROM periods p"
        " JOIN transfers t ON t.id = p.transfer_id ORDER BY p.starts_at",
    ) == [("subscription", START, "start"), ("upgrade", PROFI - credit, "profi")]


async def test_the_credit_is_of_what_was_paid_whatever_the_plan_costs_now(
    sessions: Sessions,
) -> None:
    who = await rows.person(sessions)
    old = await rows.subscribe(sessions, who.account_id, "start", now=NOW)
    await rows.execute(sessions, "UPDATE plans SET price = 100000 WHERE code = 'start'")
    half = old.period.starts_at + (old.period.ends_at - old.period.starts_at) / 2
    assert (await _quote(sessions, who.account_id, "profi", half)).credit == START // 2
    await rows.execute(sessions, "UPDATE plans SET price = 200000 WHERE code = 'start'")
    assert (await _quote(sessions, who.account_id, "profi", half)).kind == "upgrade"
    await rows.execute(sessions, "UPDATE plans SET price = 100 WHERE code = 'profi'")
    offer = await _quote(sessions, who.account_id, "profi", half)
    assert (offer.kind, offer.to_pay) == ("downgrade", 0)


async def test_a_downgrade_waits_for_the_periods_end_and_can_be_taken_back(
    sessions: Sessions,
) -> None:
    who = await rows.person(sessions)
    paid = await rows.subscribe(sessions, who.account_id, "profi", now=NOW)
    for code in ("start", "free"):
        offer = await _quote(sessions, who.account_id, code, NOW + DAY)
        assert (offer.kind, offer.to_pay) == ("downgrade", 0)
        assert offer.starts_at == paid.period.ends_at
        found = await _choose(sessions, who.account_id, code, NOW + DAY)
        assert (found.plan.code, found.next_plan_code) == ("profi", code)
        assert found.period == paid.period
    assert (await _quote(sessions, who.account_id, "profi", NOW + DAY)).kind == "keep"
    assert await _choose(sessions, who.account_id, "profi", NOW + DAY) == paid
    assert await _charges(sessions) == [PROFI]


async def test_nothing_is_charged_that_nobody_agreed_to(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    await rows.credit(sessions, who.account_id, 5 * PROFI)
    before = await _standing(sessions, who.account_id, NOW)
    for agreed in (None, Agreed(0, "free"), Agreed(START - 1, "less"), Agreed(PROFI, "more")):
        async with sessions.begin() as session:
            with pytest.raises(Stale):
                await plans.choose(session, who.account_id, "start", now=NOW, agreed=agreed)
    assert await _standing(sessions, who.account_id, NOW) == before
    assert await _charges(sessions) == []


async def test_a_free_change_of_an_account_just_freed_charges_nothing(sessions: Sessions) -> None:
    """By this clock its period is not over yet, by the worker's it is."""
    who = await rows.person(sessions)
    paid = await rows.subscribe(sessions, who.account_id, "profi", now=NOW)
    await _choose(sessions, who.account_id, "free", NOW)
    await rows.credit(sessions, who.account_id, 5 * PROFI)
    moment = paid.period.ends_at - timedelta(milliseconds=50)
    assert (await _quote(sessions, who.account_id, "start", moment)).to_pay == 0
    async with sessions.begin() as session:
        await plans.renew(session, who.account_id, now=paid.period.ends_at)
    async with sessions.begin() as session:
        with pytest.raises(Stale):
            await plans.choose(session, who.account_id, "start", now=moment)
    assert await _charges(sessions) == [PROFI]


async def test_a_free_change_works_however_often_it_is_made(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    await rows.subscribe(sessions, who.account_id, "profi", now=NOW)
    for code in ("free", "profi", "start", "profi", "free"):
        async with sessions.begin() as session:
            found = await plans.choose(session, who.account_id, code, now=NOW + DAY)
        assert found.next_plan_code == (None if code == "profi" else code)


async def test_an_upgrade_forgets_the_downgrade(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    await rows.subscribe(sessions, who.account_id, "profi", now=NOW)
    await _choose(sessions, who.account_id, "start", NOW + DAY)
    found = await rows.subscribe(sessions, who.account_id, "studio", now=NOW + DAY)
    assert found.next_plan_code is None


async def test_a_double_tap_of_two_people_is_charged_once(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    await rows.credit(sessions, who.account_id, 5 * PROFI)
    for now, code in ((NOW, "start"), (NOW + DAY, "profi")):
        found = await asyncio.gather(
            *(_choose(sessions, who.account_id, code, now, key=f"{code}:{n}") for n in range(6)),
            return_exceptions=True,
        )
        refused = [one for one in found if not isinstance(one, Standing)]
        assert [one for one in refused if not isinstance(one, Stale)] == []
        assert len({one.period.id for one in found if isinstance(one, Standing)}) == 1
    assert len(await _charges(sessions)) == 2


async def test_a_tap_handled_again_later_changes_nothing(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    await rows.credit(sessions, who.account_id, 5 * PROFI)
    await _choose(sessions, who.account_id, "start", key="first")
    latest = await _choose(sessions, who.account_id, "profi", NOW + DAY, key="second")
    for key, code in (("first", "start"), ("second", "profi")):
        again = await _choose(sessions, who.account_id, code, NOW + 2 * DAY, key=key)
        assert again == latest
    assert len(await _charges(sessions)) == 2


async def test_paying_per_picture_is_a_switch(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    for on in (True, True, False):
        async with sessions.begin() as session:
            found = await plans.switch_pay_per_picture(session, who.account_id, on, now=NOW)
        assert found.pays_per_picture is on
    assert await _standing(sessions, who.account_id) == found


async def test_brands_over_the_limit_freeze_and_thaw(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    paid = await rows.subscribe(sessions, who.account_id, "profi", now=NOW)
    made = []
    for name in ("Кофе", "Чай", "Какао", "Морс", "Сок"):
        async with sessions.begin() as session:
            made.append(await brands.create(
                session, who.account_id, name=name, style_original="", style_short="",
                palette=[], preset=None,
            ))  # fmt: skip
    async with sessions.begin() as session:
        await brands.set_default(session, who.account_id, made[3].id)
    await _choose(sessions, who.account_id, "start", NOW)
    await rows.credit(sessions, who.account_id, START)
    assert await _frozen(sessions, who.account_id) == []
    async with sessions.begin() as session:
        await plans.renew(session, who.account_id, now=paid.period.ends_at)
    assert await _frozen(sessions, who.account_id) == ["Какао", "Сок"]
    with pytest.raises(LimitReached) as caught:
        async with sessions.begin() as session:
            await brands.set_default(session, who.account_id, made[4].id)
    assert caught.value.limit == 3
    await rows.subscribe(sessions, who.account_id, "profi", now=paid.period.ends_at + DAY)
    assert await _frozen(sessions, who.account_id) == []


async def test_the_end_of_a_plan_tells_of_the_channels_that_it_freezes(sessions: Sessions) -> None:
    who = await rows.person(sessions)
    paid = await rows.subscribe(sessions, who.account_id, "profi", now=NOW)
    for n in range(2):
        await connect(sessions, who, CHAT - n)
    await _choose(sessions, who.account_id, "free", NOW)
    async with sessions.begin() as session:
        await plans.renew(session, who.account_id, now=paid.period.ends_at)
        assert await channels.count_frozen(session, who.account_id) == 2
    told = await rows.rows(sessions, "SELECT kind, data->'frozen_channels' FROM notices")
    assert told == [("freed", 2)]


async def _frozen(sessions: Sessions, account_id: int) -> list[str]:
    async with sessions.begin() as session:
        return [b.name for b in await brands.list_(session, account_id) if b.is_frozen]
