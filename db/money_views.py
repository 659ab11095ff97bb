"""The values about money that cross db's border: frozen, and alive without a session.

Amounts are kopecks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from db.states import OrderState, PaymentMethod, PaymentState, TransferKind
from db.views import Locale

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
class Agreed:
    """A person's yes to being charged `to_pay` kopecks. The same `key` charges once, so it belongs
    to what they were shown, never to a kind of button."""

    to_pay: int
    key: str


@dataclass(frozen=True, slots=True)
class Renewed:
    """What became of a renewal, and the standing after it."""

    outcome: RenewalOutcome
    standing: Standing


# The ledger. Amounts are kopecks.


@dataclass(frozen=True, slots=True)
class Transferred:
    """`created` False: it had been made before, under the same key."""

    id: int
    created: bool


@dataclass(frozen=True, slots=True)
class WalletView:
    """`reserved` of the balance is held for tasks at work. `paused`: no paid actions now."""

    account_id: int
    balance: int
    reserved: int
    paused: bool

    @property
    def free(self) -> int:
        return self.balance - self.reserved


@dataclass(frozen=True, slots=True)
class Movement:
    """A transfer as its account sees it: `amount` is negative when money went away."""

    id: int
    amount: int
    kind: TransferKind
    memo: Mapping[str, object]
    created_at: datetime
    balance_after: int


@dataclass(frozen=True, slots=True)
class MovementPage:
    """`next_before_id` None: there is no older movement."""

    items: tuple[Movement, ...]
    next_before_id: int | None


@dataclass(frozen=True, slots=True)
class Audit:
    """`total`: of all wallets, 0 when nothing was made or lost. `wrong`: accounts whose figures
    differ from what their transfers and open holds add up to."""

    total: int
    wrong: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Held:
    """What a task may cost: `quota` pictures of the month, `paid` ones at `picture_price` each."""

    quota: int
    paid: int
    picture_price: int


# Top-ups.


@dataclass(frozen=True, slots=True)
class OrderView:
    """An invoice. `amount` is in the currency's smallest unit (Stars, kopecks), `credit` in
    kopecks; `rate` is kopecks for a Star, None for roubles."""

    id: int
    account_id: int
    user_id: int
    method: PaymentMethod
    currency: str
    amount: int
    credit: int
    rate: int | None
    payload: str
    state: OrderState
    expires_at: datetime
    chat_id: int
    thread_id: int | None
    message_id: int | None


@dataclass(frozen=True, slots=True)
class Paid:
    """What Telegram says of money it has taken; `amount` in the currency's smallest unit."""

    payload: str
    user_id: int
    currency: str
    amount: int
    charge_id: str
    provider_charge_id: str
    paid_at: datetime


@dataclass(frozen=True, slots=True)
class Credited:
    """`order` and `wallet` are None for money that answers to no order of ours. `created` False:
    this charge had been dealt with before."""

    order: OrderView | None
    created: bool
    wallet: WalletView | None


@dataclass(frozen=True, slots=True)
class PaymentView:
    """Money taken by Telegram. `account_id` None and `credit` 0: it answered to no order."""

    charge_id: str
    provider_charge_id: str
    account_id: int | None
    user_id: int
    method: PaymentMethod
    currency: str
    amount: int
    credit: int
    state: PaymentState


@dataclass(frozen=True, slots=True)
class Refunded:
    """What a refund that Telegram reports did; all of it in kopecks. `created` False: it was
    known. `taken` came from the wallet, `shortfall` had been spent already."""

    payment: PaymentView
    created: bool
    taken: int
    shortfall: int


# Notices.


@dataclass(frozen=True, slots=True)
class NoticeClaim:
    """A notice that is ours to send, once, while the lease lasts: to the account's own chat, in
    its owner's language."""

    id: int
    token: UUID
    account_id: int
    kind: str
    data: Mapping[str, object]
    chat_id: int
    locale: Locale
    attempt: int
