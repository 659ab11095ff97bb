"""The values about money that cross db's border: frozen, and alive without a session.

Amounts are kopecks.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

# Plans.

Choice = Literal["buy", "upgrade", "downgrade", "keep"]
"""What choosing a plan would be: `buy` and `upgrade` cost money and begin at once, `downgrade`
begins with the next period, `keep` is the plan that is there."""

RenewalOutcome = Literal["renewed", "grace", "freed", "not_due"]


@dataclass(frozen=True, slots=True)
class Terms:
    """What a plan gives a month; `picture_price` is for each picture past `images_limit`."""

    images_limit: int
    auto_enhance: bool
    auto_best: bool
    brand_limit: int
    lora_limit: int
    seats: int
    channels: int
    priority: int
    picture_price: int


@dataclass(frozen=True, slots=True)
class PlanView:
    """A plan as it is sold now; `price` is a month's."""

    code: str
    title_ru: str
    title_en: str
    price: int
    terms: Terms
    is_offered: bool


@dataclass(frozen=True, slots=True)
class PeriodView:
    """An account's month, on the terms it began with; `used` and `held` count pictures."""

    id: int
    account_id: int
    plan_code: str
    starts_at: datetime
    ends_at: datetime
    price: int
    terms: Terms
    used: int
    held: int

    @property
    def left(self) -> int:
        """Pictures of the quota that may still be ordered."""
        return self.terms.images_limit - self.used - self.held


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an account stands. `next_plan_code`: what begins when the period ends (None: the same
    again). `grace_until`: the period is over and not paid for, it goes on until then."""

    plan: PlanView
    period: PeriodView
    next_plan_code: str | None
    grace_until: datetime | None
    pays_per_picture: bool


@dataclass(frozen=True, slots=True)
class Quote:
    """What choosing a plan would cost now: `to_pay` = `price` - `credit` for what is left of the
    running period; 0 where nothing is charged at once. `starts_at`: when the plan begins."""

    plan_code: str
    kind: Choice
    price: int
    credit: int
    to_pay: int
    starts_at: datetime


@dataclass(frozen=True, slots=True)
class Renewed:
    """What became of a renewal, and the standing after it."""

    outcome: RenewalOutcome
    standing: Standing
