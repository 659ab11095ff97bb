"""What can go wrong with stored things. Errors carry data; the bot words them.

DbError
├── NotFound(what, id)          no such thing, or it belongs to another account
├── BrandNameTaken(name)        the account has a brand of this name
├── LimitReached(what, limit)   no more of these
├── CaptionTooLong(over, added) a post's caption is so many UTF-16 units over Telegram's limit
├── Stale(what)                 it has moved on: a draft already submitted, a result not there yet
├── NotAllowed(action, role)    the person's role in the account does not include this
├── InvalidKey(key)             not a name under which files may be stored
├── FileMissing(key)            the store has no such file
├── KeyReused(key)              the idempotency key stands for another transfer
├── InsufficientFunds(missing)  so many kopecks are lacking in the wallet
├── QuotaOut(left, wanted, missing)  the month's pictures don't suffice, nor does the wallet
├── WalletPaused()              Telegram took money back that is spent: no paid actions
└── PaymentRefused(reason)      an order that must not be paid now
"""

from __future__ import annotations


class DbError(Exception):
    """Any of them."""


class NotFound(DbError):
    def __init__(self, what: str, id: int | None = None) -> None:
        super().__init__(f"{what} {id} not found")
        self.what = what
        self.id = id


class BrandNameTaken(DbError):
    def __init__(self, name: str) -> None:
        super().__init__(f"brand name taken: {name}")
        self.name = name


class LimitReached(DbError):
    def __init__(self, what: str, limit: int) -> None:
        super().__init__(f"at most {limit} of {what}")
        self.what = what
        self.limit = limit


class CaptionTooLong(DbError):
    """`over` the limit by so many UTF-16 units; `added`: what stands there beside the person's
    words takes so many."""

    def __init__(self, over: int, added: int) -> None:
        super().__init__(f"caption too long by {over}")
        self.over = over
        self.added = added


class Stale(DbError):
    def __init__(self, what: str) -> None:
        super().__init__(f"{what} has moved on")
        self.what = what


class NotAllowed(DbError):
    """`action` is one of `db.rights`; `role` None: they are no member."""

    def __init__(self, action: str, role: str | None) -> None:
        super().__init__(f"{role or 'nobody'} may not {action}")
        self.action = action
        self.role = role


class InvalidKey(DbError):
    def __init__(self, key: str) -> None:
        super().__init__(f"invalid key: {key!r}")
        self.key = key


class FileMissing(DbError):
    def __init__(self, key: str) -> None:
        super().__init__(f"no file: {key}")
        self.key = key


class KeyReused(DbError):
    def __init__(self, key: str) -> None:
        super().__init__(f"another transfer has the key {key!r}")
        self.key = key


class InsufficientFunds(DbError):
    """`missing` is in kopecks."""

    def __init__(self, missing: int) -> None:
        super().__init__(f"{missing} kopecks are lacking")
        self.missing = missing


class QuotaOut(DbError):
    """`missing`: kopecks lacking to pay for the rest; None when that is not switched on."""

    def __init__(self, left: int, wanted: int, missing: int | None) -> None:
        super().__init__(f"{wanted} pictures wanted, {left} left")
        self.left = left
        self.wanted = wanted
        self.missing = missing


class WalletPaused(DbError):
    def __init__(self) -> None:
        super().__init__("paid actions are paused")


class PaymentRefused(DbError):
    """`reason`: unknown, user, amount, currency, expired, cancelled, paid or paused."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"not to be paid: {reason}")
        self.reason = reason
