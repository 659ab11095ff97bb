"""What buttons carry: at most 64 bytes, and never to be trusted.

Ids here are looked up together with the presser's account, so a forged one finds nothing.
"""

from __future__ import annotations

from typing import Annotated

from aiogram.filters.callback_data import CallbackData
from pydantic import Field

Id = Annotated[int, Field(ge=0, lt=2**63)]
"""Postgres' bigint: anything else is no id of ours."""

Rank = Annotated[int, Field(ge=0, le=4)]
"""A picture's place in its album, from 1; 0: none."""


class ExampleTap(CallbackData, prefix="x"):
    """Try one of the examples."""

    index: int


class DraftTap(CallbackData, prefix="d"):
    """A button of a draft card. `do`: go, open, back, set."""

    request_id: Id
    do: str
    field: str = ""
    value: str = ""


class CancelTap(CallbackData, prefix="c"):
    """Stop a task from its status card."""

    task_id: Id


class RetryTap(CallbackData, prefix="r"):
    """Run a failed or cancelled task's request again."""

    task_id: Id


class ResendTap(CallbackData, prefix="s"):
    """Show again an album that may not have arrived."""

    task_id: Id


class AlbumTap(CallbackData, prefix="a"):
    """A button of an action card. `do`: choose, more, similar, png, why, back."""

    task_id: Id
    do: str
    rank: Rank = 0


class BrandTap(CallbackData, prefix="b"):
    """A button of the brand pages. `do`: list, new, open, edit, delete, sure, default, ...

    Of what its posts say: posts (the page), say, unsay, mark, same.
    """

    do: str
    brand_id: Id = 0
    value: str = ""


class HistoryTap(CallbackData, prefix="h"):
    """A button of the history. `do`: page, item, open, repeat, change, delete, sure."""

    do: str
    task_id: Id = 0
    before: Id = 0


class SettingsTap(CallbackData, prefix="o"):
    """A button of the settings of one person. `field`: locale, count, aspect, enhance."""

    user_id: Id
    field: str
    value: str = ""


class WalletTap(CallbackData, prefix="w"):
    """A button of the wallet of `account_id`; 0: of whichever one works for, to look or to stop.
    `do`: show, page, csv, top_up, any, stop, sum, pay, cancel.

    `value` is a sum in kopecks, an order's id or the movement to go on before; `method` is how to
    pay; `plan` is what the money is for.
    """

    do: str
    account_id: Id
    value: Id = 0
    method: str = ""
    plan: str = ""


class PlanTap(CallbackData, prefix="p"):
    """A button of the plans of `account_id`; 0: of whichever one works for, to look at them.
    `do`: show, ask, change, buy, pay (each picture past the quota).

    What is charged (`sum`, in kopecks) was worked out for the moment `at` (Unix time, s) of the
    period `period_id`.
    """

    do: str
    account_id: Id
    value: str = ""
    period_id: Id = 0
    at: Id = 0
    sum: Id = 0


class CureTap(CallbackData, prefix="q"):
    """A way out when the quota of `account_id` is out. `do`: pay (for each picture), `sum` kopecks
    as it says."""

    do: str
    account_id: Id
    sum: Id = 0


class TeamTap(CallbackData, prefix="t"):
    """A button of the pages of team `team_id`. `do`: page, member, role, remove, sure, transfer,
    needed, remind, claim."""

    do: str
    team_id: Id
    user_id: Id = 0
    value: str = ""


class JournalTap(CallbackData, prefix="j"):
    """A page of a team's journal: the lines older than `before`; 0: the newest."""

    team_id: Id
    before: Id = 0


class VoteTap(CallbackData, prefix="v"):
    """A vote for a picture of a team's album."""

    task_id: Id
    rank: Rank


class ApprovalTap(CallbackData, prefix="y"):
    """`do`: ask (about the album of task `id`); approve, changes, reject, more (round `id`)."""

    do: str
    id: Id


class WorkplaceTap(CallbackData, prefix="u"):
    """For whom to work in the private chat; 0: for oneself."""

    team_id: Id = 0


class ChannelTap(CallbackData, prefix="k"):
    """A button of the channels' pages. `do`: list, open, remove, sure, zones, zone, late."""

    do: str
    channel_id: Id = 0
    value: str = ""


class PostTo(CallbackData, prefix="zt"):
    """The channel that an album's post is for."""

    task_id: Id
    channel_id: Id


class PostTap(CallbackData, prefix="z"):
    """A button of a post. `do`: show, ranks, caption, write, part, suggest, take, unsuggest,
    preview, times, now, quick, at, month, day, hour, cancel, sure, arrived, again, nothing.

    `value` says which pictures (`13`), which caption, which part of it (`ad1`: to be there), which
    proposed one (its number), which time (`202611231800`, in the account's time zone, or its
    beginning) or which attempt.
    """

    do: str
    post_id: Id
    value: str = ""


class WeekTap(CallbackData, prefix="zw"):
    """A page of the content plan: the week that begins on `monday` (`20261123`; none: this one)."""

    monday: str = ""
    offset: Annotated[int, Field(ge=0, lt=10**6)] = 0


class StatsTap(CallbackData, prefix="zs"):
    """A button of the statistics. `do`: show, channels (ask which).

    Counted are the posts of the last `days` (0: of all time) in one channel (0: in all) `by` brand,
    format or hour, or the best of them; `offset` is where the page begins.
    """

    do: str = "show"
    by: str = "best"
    days: Annotated[int, Field(ge=0, lt=10**4)] = 30
    channel_id: Id = 0
    offset: Annotated[int, Field(ge=0, lt=10**4)] = 0
