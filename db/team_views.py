"""What the functions of `db` give and take of channels, posts and teams: plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from db.states import (
    Answer,
    ApprovalState,
    LatePosts,
    Part,
    PostState,
    Presence,
    Role,
    SuggestionState,
)
from db.views import Locale, PredictionView

# --- channels and posts ---


@dataclass(frozen=True, slots=True)
class ChannelView:
    """A channel that an account posts to; `broken_reason` is a code, None: all is well.

    `is_frozen`: over the plan's limit, so nothing is sent there.
    """

    id: int
    account_id: int
    chat_id: int
    title: str
    username: str | None
    broken_reason: str | None
    is_frozen: bool


@dataclass(frozen=True, slots=True)
class PostRules:
    """How an account's posts are scheduled; `time_zone` is an IANA name."""

    time_zone: str
    late_posts: LatePosts


@dataclass(frozen=True, slots=True)
class CaptionParts:
    """What a caption is put together from. `body` is a person's HTML, the rest plain text, "" where
    there is none; `on`: what is switched on, whether there is any of it or not."""

    body: str = ""
    signature: str = ""
    hashtags: str = ""
    advertiser: str = ""
    erid: str = ""
    locale: Locale = "ru"
    on: frozenset[Part] = frozenset()


@dataclass(frozen=True, slots=True)
class PostView:
    """A post with its channel. `caption` is HTML, put together from `parts`; `shown_caption`: what
    the channel shows. `offers`: what can be switched on.

    `album_ranks`: all pictures of the album it is made from.
    """

    id: int
    account_id: int
    channel: ChannelView
    task_id: int
    created_by: int
    ranks: tuple[int, ...]
    album_ranks: tuple[int, ...]
    caption: str
    shown_caption: str | None
    parts: CaptionParts
    offers: frozenset[Part]
    state: PostState
    publish_at: datetime | None
    sent_at: datetime | None
    attempt: int
    message_ids: tuple[int, ...]
    reactions: dict[str, int]
    reason: str | None
    time_zone: str


@dataclass(frozen=True, slots=True)
class PostClaim:
    """A post that is ours to publish, once, while the lease lasts."""

    id: int
    token: UUID
    account_id: int
    channel_id: int
    chat_id: int
    task_id: int
    caption: str
    images: tuple[PredictionView, ...]
    attempt: int
    publish_at: datetime


@dataclass(frozen=True, slots=True)
class CaptionEdit:
    """A caption, and what it is put together from, to bring to the post's first message."""

    post_id: int
    account_id: int
    chat_id: int
    message_id: int
    caption: str
    parts: CaptionParts


@dataclass(frozen=True, slots=True)
class SuggestionView:
    """A caption proposed for a post, the `number`-th; `caption` None: not written yet. `writer` is
    a code of `pipeline.captions`."""

    post_id: int
    number: int
    state: SuggestionState
    caption: str | None
    writer: str | None
    locale: Locale


@dataclass(frozen=True, slots=True)
class SuggestionClaim:
    """A caption that is ours to write while the lease lasts, or to show if it is written.

    `room`: UTF-16 units there are for it; `chat_id` and `message_id` are the post's card.
    """

    post: PostView
    number: int
    token: UUID
    attempt: int
    caption: str | None
    writer: str | None
    locale: Locale
    chat_id: int
    message_id: int
    idea: str
    goal: str | None
    platform: str | None
    brand: str | None
    room: int


@dataclass(frozen=True, slots=True)
class PostCard:
    """The message in the chat that says how a post goes, and in which language."""

    post: PostView
    chat_id: int
    message_id: int
    locale: Locale


# --- teams ---


@dataclass(frozen=True, slots=True)
class Membership:
    """An account, and what somebody is in it; `role` None: nobody there.

    `team`: the name of the team that a private chat works for; `looks_on`: a viewer by nobody's
    decision; `is_removed`: sent away from here, though still in the group; `full_seats`: one only
    because so many seats, all there are, were taken.
    """

    account_id: int
    role: Role | None
    team: str | None = None
    looks_on: bool = False
    is_removed: bool = False
    full_seats: int | None = None


@dataclass(frozen=True, slots=True)
class MemberView:
    """Somebody in a team. `is_removed`: sent away, and not to come back by themselves."""

    account_id: int
    user_id: int
    name: str
    role: Role
    is_removed: bool


@dataclass(frozen=True, slots=True)
class TeamView:
    """A team with its people, by role. `approvers`: how many may approve; `remind_after_h`: when
    they are reminded of an album that waits for them, 0: never."""

    account_id: int
    title: str | None
    members: tuple[MemberView, ...]
    seats: int
    seats_taken: int
    approvers: int
    approvals_needed: int
    remind_after_h: int
    presence: Presence | None
    has_owner: bool


@dataclass(frozen=True, slots=True)
class TeamChoice:
    """A team that somebody can work for in the private chat."""

    account_id: int
    title: str | None
    role: Role


@dataclass(frozen=True, slots=True)
class PastRound:
    """A round that came before: who ended it, how and why."""

    round: int
    state: ApprovalState
    decided_by: str
    reason: str


@dataclass(frozen=True, slots=True)
class ApprovalView:
    """A round of an album's approval.

    `approved_by` and `decided_by` are names; `needed` of `able` must say yes, and of an open round
    only those are named whose yes counts. `past` are the rounds
    before it, oldest first; `votes` the album's, by rank.
    """

    id: int
    account_id: int
    task_id: int
    round: int
    state: ApprovalState
    needed: int
    able: int
    cleaned_prompt: str
    chosen_rank: int | None
    pictures: int
    asked_by: str
    approved_by: tuple[str, ...]
    decided_by: str | None
    reason: str | None
    past: tuple[PastRound, ...]
    votes: Mapping[int, int]
    chat_id: int
    thread_id: int | None
    card_message_id: int | None
    album_message_id: int | None
    actions_message_id: int | None
    locale: Locale


@dataclass(frozen=True, slots=True)
class RoundDetails:
    """What a round's card has no room for. `silent`: who could still approve; `voters`: names by
    rank."""

    round: ApprovalView
    silent: tuple[str, ...]
    voters: Mapping[int, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class QuestionView:
    """A message of ours that a person has replied to."""

    chat_id: int
    message_id: int
    account_id: int
    approval_id: int
    answer: Answer


@dataclass(frozen=True, slots=True)
class EventView:
    """A line of the audit. `by` None: nobody in person; `name` is whom or what it tells of, in
    words: a person's name, an album's prompt."""

    id: int
    by: str | None
    deed: str
    what: str
    name: str | None
    data: Mapping[str, object]
    at: datetime


@dataclass(frozen=True, slots=True)
class JournalPage:
    """Lines of the audit, newest first; `next_before_id`: where the older ones begin, if any."""

    account_id: int
    lines: tuple[EventView, ...]
    next_before_id: int | None
