"""The values that cross db's border: frozen, and alive without a session."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NotRequired, TypedDict
from uuid import UUID

from db.states import ApprovalState, DeliveryKind, DeliveryState, RequestState, Shown, TaskState

Locale = Literal["ru", "en"]


@dataclass(frozen=True, slots=True)
class TelegramUser:
    """A person as an update names them."""

    id: int
    first_name: str
    username: str | None = None
    language_code: str | None = None


@dataclass(frozen=True, slots=True)
class UserSettings:
    """`locale` None: Telegram's language decides; `aspect` None: the platform decides."""

    locale: Locale | None
    count: int
    aspect: str | None
    enhance: bool


@dataclass(frozen=True, slots=True)
class UserView:
    """A person, the language to speak to them in, and their personal account.

    `team_id`: the team for which they work in the private chat.
    """

    id: int
    first_name: str
    locale: Locale
    account_id: int
    settings: UserSettings
    team_id: int | None = None


@dataclass(frozen=True, slots=True)
class Brand:
    """`style_short` is English, for prompts; `palette` holds `#rrggbb`, the main colour first.

    `is_frozen`: over the plan's limit, so it can only be looked at and deleted. From `signature`
    on: what its posts say; `advertiser` and `erid` come together.
    """

    id: int
    account_id: int
    name: str
    style_original: str
    style_short: str
    palette: tuple[str, ...]
    preset: str | None
    is_default: bool
    is_frozen: bool
    signature: str | None = None
    hashtags: tuple[str, ...] = ()
    advertiser: str | None = None
    erid: str | None = None
    marks_ai: bool = False


@dataclass(frozen=True, slots=True)
class NewDraft:
    """A person's message, understood. `count` 1..4, `seed` 0..2**31-1.

    `photo_key` is where the photo to start from is stored, if one was sent.
    """

    account_id: int
    user_id: int
    chat_id: int
    source_message_id: int
    raw_prompt: str
    cleaned_prompt: str
    seed: int
    locale: Locale
    count: int
    thread_id: int | None = None
    platform: str | None = None
    goal: str | None = None
    aspect: str | None = None
    enhance: bool = True
    brand_id: int | None = None
    photo_key: str | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """A request as its card shows it. `brand` None: neutral, or deleted since (`brand_gone`);
    `photo_key`: what it starts from."""

    id: int
    account_id: int
    user_id: int
    chat_id: int
    thread_id: int | None
    source_message_id: int
    raw_prompt: str
    cleaned_prompt: str
    platform: str | None
    goal: str | None
    aspect: str | None
    count: int
    enhance: bool
    brand: Brand | None
    seed: int
    locale: Locale
    card_message_id: int | None
    state: RequestState
    photo_key: str | None = None
    brand_gone: bool = False


@dataclass(frozen=True, slots=True)
class Variation:
    """Draw close to the picture of `seed` in an album; `strength` 0 = the same, 1 = free."""

    seed: int
    strength: float


class BriefBrand(TypedDict):
    name: str
    style_short: str
    palette: list[str]


class BriefVariation(TypedDict):
    """`of` is what that picture was itself a variation of; older tasks don't tell."""

    seed: int
    strength: float
    of: NotRequired[BriefVariation | None]


class Brief(TypedDict):
    """Everything the pipeline needs, frozen when queued. `aspect` None: by platform.

    `photo` is the key of the photo to start from; older tasks have none.
    """

    raw_prompt: str
    cleaned_prompt: str
    platform: str | None
    goal: str | None
    aspect: str | None
    count: int
    seed: int
    enhance: bool
    brand: BriefBrand | None
    variation: BriefVariation | None
    photo: NotRequired[str | None]


@dataclass(frozen=True, slots=True)
class Submitted:
    """`created` False: this origin had its task already, nothing happened."""

    task_id: int
    created: bool


@dataclass(frozen=True, slots=True)
class Claim:
    """A task that is ours while the lease lasts. `attempt` counts from 1; `queued_s` is the time
    from queueing to this claim."""

    task_id: int
    token: UUID
    brief: Brief
    attempt: int
    request_id: int
    account_id: int
    chat_id: int
    thread_id: int | None
    queued_s: float


@dataclass(frozen=True, slots=True)
class PromptRecord:
    """What was drawn and judged; `unknown` lists words that were only transliterated.

    `fallback` is a code of why `backend` stood in for the enhancer that was chosen, else None.
    """

    render: str
    negative: str
    intent: str
    backend: str
    unknown: tuple[str, ...] = ()
    fallback: str | None = None


@dataclass(frozen=True, slots=True)
class NewPrediction:
    """A picture whose file is already stored. Scores `_n` and `final_score` are 0..1."""

    rank: int
    seed: int
    storage_key: str
    sha256: str
    width: int
    height: int
    size_bytes: int
    clip_raw: float
    clip_n: float
    aes_raw: float
    aes_n: float
    final_score: float
    gen_meta: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class FinishedAlbum:
    """What a worker hands in; at least one image."""

    prompt: PromptRecord
    images: tuple[NewPrediction, ...]
    judge: str
    generator: str
    timings_ms: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class SweepCounts:
    """Tasks whose worker died: back in the queue, or given up."""

    requeued: int
    failed: int


@dataclass(frozen=True, slots=True)
class QueuePlace:
    """`place` 1 is next; `wait_s` None: nothing finished lately to estimate from."""

    place: int
    wait_s: float | None


@dataclass(frozen=True, slots=True)
class TaskStatus:
    """A status card: what it shows (`shown` None: nothing yet) and what it should show.

    `age_s` counts from queueing: a bot may still be about to send the first card.
    """

    task_id: int
    request_id: int
    chat_id: int
    thread_id: int | None
    locale: Locale
    status_message_id: int | None
    shown: Shown | None
    wanted: Shown
    state: TaskState
    place: QueuePlace | None
    error_code: str | None
    cleaned_prompt: str
    age_s: float


@dataclass(frozen=True, slots=True)
class TaskView:
    """Where a task stands. `user_id` asked for it, and reads it in `locale`."""

    id: int
    user_id: int
    locale: Locale
    cleaned_prompt: str
    state: TaskState
    wanted: Shown
    error_code: str | None
    status_message_id: int | None


@dataclass(frozen=True, slots=True)
class PredictionView(NewPrediction):
    """A stored picture; the file ids are Telegram's, once it has been sent."""

    id: int
    photo_file_id: str | None
    document_file_id: str | None


@dataclass(frozen=True, slots=True)
class TeamSay:
    """What a team says of an album of its: votes by rank, and its last approval, if any."""

    votes: Mapping[int, int]
    approval: ApprovalState | None


@dataclass(frozen=True, slots=True)
class AlbumView:
    """A finished task, whole; `images` in rank order. `user_id` asked for it, in `locale`.

    `team` None: it was not drawn for a team's group. `origin`: what asked for it, as for `submit`.
    """

    task_id: int
    request_id: int
    user_id: int
    locale: Locale
    cleaned_prompt: str
    brief: Brief
    prompt: PromptRecord
    images: tuple[PredictionView, ...]
    chosen_rank: int | None
    judge: str
    generator: str
    timings_ms: Mapping[str, float]
    finished_at: datetime
    team: TeamSay | None = None
    origin: str = ""


@dataclass(frozen=True, slots=True)
class HistoryItem:
    """An album as a line of the history."""

    task_id: int
    cleaned_prompt: str
    count: int
    finished_at: datetime
    origin: str = ""


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """Newest first; `next_before_id` None: this is the last page."""

    items: tuple[HistoryItem, ...]
    next_before_id: int | None


@dataclass(frozen=True, slots=True)
class DeliveryClaim:
    """A delivery that is ours to send, once, while the lease lasts. `reply_to`: the album's first
    picture, where that is in the same place."""

    id: int
    token: UUID
    task_id: int
    account_id: int
    kind: DeliveryKind
    origin: str
    chat_id: int
    thread_id: int | None
    reply_to: int | None
    attempt: int


@dataclass(frozen=True, slots=True)
class Requested:
    """`created` False: it was asked for already, and `state` is what became of it since."""

    created: bool
    state: DeliveryState
