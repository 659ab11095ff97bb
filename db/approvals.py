"""Approvals of a team's albums, in rounds: asked for, said yes to by N, sent back, rejected.

open -> approved                 enough of those who may approve have said yes
open -> changes | rejected       one of them wrote what should change, or why not

`changes` leads to a new request; an album of it is the next round. Every step is one line of the
audit. What a button can reach takes the account's id; whoever acts has been checked for the right.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from sqlalchemy import func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from db import albums, audit, deliveries, locks, reminders, teams, votes
from db.audit import Deed
from db.errors import NotFound, Stale
from db.models import Account, Approval, Approver, Delivery, Member, Question, Task, User
from db.rights import Action
from db.states import Answer, ApprovalState, DeliveryKind, DeliveryState
from db.team_views import ApprovalView, PastRound, QuestionView, RoundDetails
from db.views import Locale

REASON_MAX = 500


@dataclass(frozen=True, slots=True)
class Place:
    """Where a round's card stands."""

    chat_id: int
    thread_id: int | None


async def ask(
    session: AsyncSession, account_id: int, task_id: int, user_id: int, place: Place
) -> ApprovalView:
    """The album's open round, or its approval; else a new round, in the team's group wherever it
    is asked for: there its approvers are, and replies about it are looked for. An album that was
    drawn elsewhere is shown there.

    Raises NotFound, Stale while there is no album.
    """
    account = (
        await session.execute(
            select(Account.approvals_needed, Account.chat_id)
            .where(Account.id == account_id)
            .with_for_update(key_share=True)
        )
    ).one_or_none()
    if account is None:
        raise NotFound("account", account_id)
    album = await albums.album(session, account_id, task_id)
    last = await session.scalar(
        select(Approval).where(Approval.task_id == task_id).order_by(Approval.id.desc()).limit(1)
    )
    if last is not None and last.state in (ApprovalState.OPEN, ApprovalState.APPROVED):
        return await get(session, account_id, last.id)
    before = last or await session.scalar(
        select(Approval).where(Approval.next_request_id == album.request_id)
    )
    if account.chat_id not in (None, place.chat_id):
        place = await _in_group(session, task_id, account.chat_id)
    row = Approval(
        account_id=account_id,
        task_id=task_id,
        parent_id=before.id if before else None,
        round=before.round + 1 if before else 1,
        needed=account.approvals_needed,
        asked_by=user_id,
        chat_id=place.chat_id,
        thread_id=place.thread_id,
    )
    session.add(row)
    await session.flush()
    if not await _is_shown_in(session, task_id, place.chat_id):
        # Nobody can say yes to what they have not seen.
        await deliveries.request(
            session,
            account_id,
            task_id,
            DeliveryKind.ALBUM,
            f"round:{row.id}",
            chat_id=place.chat_id,
            thread_id=place.thread_id,
        )
    await audit.note(session, account_id, user_id, Deed.ASK, f"task {task_id}", approval=row.id)
    return await get(session, account_id, row.id)


async def get(session: AsyncSession, account_id: int, approval_id: int) -> ApprovalView:
    """Raises NotFound."""
    asker, decider = aliased(User), aliased(User)
    found = (
        await session.execute(
            select(Approval, Task.locale, asker.first_name, decider.first_name)
            .join(Task, Task.id == Approval.task_id)
            .join(asker, asker.id == Approval.asked_by)
            .outerjoin(decider, decider.id == Approval.decided_by)
            .where(Approval.id == approval_id, Approval.account_id == account_id)
            .execution_options(populate_existing=True)
        )
    ).one_or_none()
    if found is None:
        raise NotFound("approval", approval_id)
    row, locale, asked_by, decided_by = found
    album = await albums.album(session, account_id, row.task_id)
    able = await teams.able_to(session, account_id, Action.APPROVE)
    return ApprovalView(
        id=row.id,
        account_id=account_id,
        task_id=row.task_id,
        round=row.round,
        state=row.state,
        needed=min(row.needed, max(1, len(able))),
        able=len(able),
        cleaned_prompt=album.cleaned_prompt,
        chosen_rank=album.chosen_rank,
        pictures=len(album.images),
        asked_by=asked_by,
        approved_by=await _said_yes(session, row, able),
        decided_by=decided_by,
        reason=row.reason,
        past=await _past(session, row) if row.parent_id else (),
        votes=album.team.votes if album.team else {},
        chat_id=row.chat_id,
        thread_id=row.thread_id,
        card_message_id=row.card_message_id,
        album_message_id=await _shown(session, row, DeliveryKind.ALBUM),
        actions_message_id=await _shown(session, row, DeliveryKind.ACTIONS),
        locale=cast(Locale, locale),
    )


async def of_task(session: AsyncSession, account_id: int, task_id: int) -> ApprovalView:
    """The last round of an album. Raises NotFound."""
    last_id = await session.scalar(
        select(func.max(Approval.id)).where(
            Approval.task_id == task_id, Approval.account_id == account_id
        )
    )
    return await get(session, account_id, last_id or 0)


async def cardless(session: AsyncSession, chat_id: int) -> tuple[ApprovalView, ...]:
    """The open rounds of a chat whose cards were left behind in another one."""
    rows = await session.execute(
        select(Approval.account_id, Approval.id)
        .join(Task, Task.id == Approval.task_id)
        .where(
            Approval.chat_id == chat_id,
            Approval.state == ApprovalState.OPEN,
            Approval.card_message_id.is_(None),
            Task.hidden_at.is_(None),
        )
        .order_by(Approval.id)
    )
    return tuple([await get(session, account_id, id_) for account_id, id_ in rows.all()])


async def details(session: AsyncSession, account_id: int, approval_id: int) -> RoundDetails:
    """All there is to know about a round. Raises NotFound."""
    round_ = await get(session, account_id, approval_id)
    silent: Sequence[tuple[int, str]] = ()
    if round_.state is ApprovalState.OPEN:
        silent = await reminders.silent(session, account_id, approval_id)
    return RoundDetails(
        round=round_,
        silent=tuple(name for _, name in silent),
        voters=await votes.voters(session, round_.task_id),
    )


async def set_card(session: AsyncSession, approval_id: int, message_id: int) -> None:
    """Remembers which message is the round's card."""
    await session.execute(
        update(Approval).where(Approval.id == approval_id).values(card_message_id=message_id)
    )


async def approve(
    session: AsyncSession, account_id: int, approval_id: int, user_id: int
) -> tuple[ApprovalView, bool]:
    """One more yes, and whether it is new; the last one needed approves the album.

    Who says it may approve at this moment, by their role or as an administrator of the group.
    Raises NotFound, Stale for a round that is over.
    """
    row = await _open(session, account_id, approval_id)
    able = await teams.able_to(session, account_id, Action.APPROVE)
    by_role = user_id in able
    new = await session.scalar(
        insert(Approver)
        .values(approval_id=approval_id, user_id=user_id, by_role=by_role)
        .on_conflict_do_nothing()
        .returning(Approver.user_id)
    )
    if new is not None:
        what = f"task {row.task_id}"
        await audit.note(session, account_id, user_id, Deed.APPROVE, what, approval=approval_id)
    else:
        await session.execute(
            update(Approver)
            .where(Approver.approval_id == approval_id, Approver.user_id == user_id)
            .values(by_role=by_role)
        )
    said = await _said_yes(session, row, able)
    if len(said) >= min(row.needed, max(1, len(able))):
        await _decide(session, approval_id, ApprovalState.APPROVED, user_id, None)
    return await get(session, account_id, approval_id), new is not None


async def asked(
    session: AsyncSession,
    account_id: int,
    approval_id: int,
    answer: Answer,
    *,
    chat_id: int,
    message_id: int,
) -> None:
    """Remembers the message whose reply says what to change, or why not. Raises as `approve`."""
    await _open(session, account_id, approval_id)
    await session.execute(
        insert(Question)
        .values(chat_id=chat_id, message_id=message_id, approval_id=approval_id, answer=answer)
        .on_conflict_do_nothing()
    )


async def question(session: AsyncSession, chat_id: int, message_id: int) -> QuestionView | None:
    """What a message asks, if it is a question about a round."""
    row = (
        await session.execute(
            select(Question.answer, Approval.id, Approval.account_id)
            .join(Approval, Approval.id == Question.approval_id)
            .where(Question.chat_id == chat_id, Question.message_id == message_id)
        )
    ).one_or_none()
    if row is None:
        return None
    return QuestionView(chat_id, message_id, row.account_id, row.id, row.answer)


async def answer(
    session: AsyncSession, asked: QuestionView, user_id: int, reply_id: int, words: str
) -> ApprovalView:
    """Ends the round with what a person wrote; the same reply again changes nothing.

    Raises NotFound, Stale for a round that something else has ended.
    """
    answered = await session.scalar(
        select(Question.answered_by).where(
            Question.chat_id == asked.chat_id, Question.message_id == asked.message_id
        )
    )
    if answered == reply_id:
        return await get(session, asked.account_id, asked.approval_id)
    row = await _open(session, asked.account_id, asked.approval_id)
    await session.execute(
        update(Question)
        .where(Question.chat_id == asked.chat_id, Question.message_id == asked.message_id)
        .values(answered_by=reply_id)
    )
    state = ApprovalState(asked.answer)
    await _decide(session, row.id, state, user_id, words[:REASON_MAX])
    what = f"task {row.task_id}"
    await audit.note(
        session, asked.account_id, user_id, Deed(state), what, approval=row.id, reason=words
    )
    return await get(session, asked.account_id, row.id)


async def leads_to(session: AsyncSession, approval_id: int, request_id: int) -> None:
    """The request that is drawn from a round's changes."""
    await session.execute(
        update(Approval).where(Approval.id == approval_id).values(next_request_id=request_id)
    )


async def _is_shown_in(session: AsyncSession, task_id: int, chat_id: int) -> bool:
    there = select(Delivery.id).where(
        Delivery.task_id == task_id,
        Delivery.chat_id == chat_id,
        Delivery.kind == DeliveryKind.ALBUM,
        Delivery.state.not_in(deliveries.ENDED_BADLY),
    )
    return bool(await session.scalar(select(there.exists())))


async def _in_group(session: AsyncSession, task_id: int, group_id: int) -> Place:
    """The topic of the group that the album was asked for in; else the group itself."""
    thread_id = await session.scalar(
        select(Task.thread_id).where(Task.id == task_id, Task.chat_id == group_id)
    )
    return Place(group_id, thread_id)


async def _open(session: AsyncSession, account_id: int, approval_id: int) -> Approval:
    """The round, locked after its account, as a move of the group locks them. Raises NotFound,
    Stale for one that is over."""
    await locks.account(session, account_id)
    row = await session.scalar(
        select(Approval)
        .where(Approval.id == approval_id, Approval.account_id == account_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if row is None:
        raise NotFound("approval", approval_id)
    if row.state is not ApprovalState.OPEN:
        raise Stale("round")
    return row


async def _decide(
    session: AsyncSession,
    approval_id: int,
    state: ApprovalState,
    user_id: int,
    reason: str | None,
) -> None:
    await session.execute(
        update(Approval)
        .where(Approval.id == approval_id)
        .values(state=state, decided_by=user_id, decided_at=func.now(), reason=reason)
    )


_CHAIN = text("""
WITH RECURSIVE chain AS (
    SELECT a.* FROM approvals a WHERE a.id = :parent_id
    UNION ALL
    SELECT a.* FROM approvals a JOIN chain c ON a.id = c.parent_id
)
SELECT c.round, c.state, u.first_name, c.reason
FROM chain c JOIN users u ON u.id = c.decided_by
ORDER BY c.id
""")


async def _past(session: AsyncSession, row: Approval) -> tuple[PastRound, ...]:
    rows = await session.execute(_CHAIN, {"parent_id": row.parent_id})
    return tuple(
        PastRound(number, ApprovalState(state), name, reason or "")
        for number, state, name, reason in rows
    )


async def _said_yes(session: AsyncSession, row: Approval, able: frozenset[int]) -> tuple[str, ...]:
    """Names of who has said yes; while the round is open, of those whose yes counts.

    That is theirs who may approve still, and theirs whom Telegram called an administrator of the
    group when they said it, for as long as they are in the team.
    """
    said = (
        select(User.first_name)
        .join(Approver, Approver.user_id == User.id)
        .where(Approver.approval_id == row.id)
        .order_by(Approver.said_at, User.id)
    )
    if row.state is ApprovalState.OPEN:
        present = select(Member.user_id).where(
            Member.account_id == row.account_id, Member.left_at.is_(None)
        )
        is_promoted = ~Approver.by_role & Approver.user_id.in_(present)
        said = said.where(Approver.user_id.in_(able) | is_promoted)
    return tuple(await session.scalars(said))


async def _shown(session: AsyncSession, row: Approval, kind: DeliveryKind) -> int | None:
    """The first message of the album, or its action card, as last shown in the round's chat."""
    ids = await session.scalar(
        select(Delivery.message_ids)
        .where(
            Delivery.task_id == row.task_id,
            Delivery.chat_id == row.chat_id,
            Delivery.kind == kind,
            Delivery.state == DeliveryState.SENT,
        )
        .order_by(Delivery.id.desc())
        .limit(1)
    )
    return ids[0] if ids else None
