"""The states and kinds that rows can have; the tables' CHECK constraints are made from these."""

from __future__ import annotations

import enum


class AccountKind(enum.StrEnum):
    PERSONAL = "personal"
    TEAM = "team"


class Role(enum.StrEnum):
    """What a member of an account is, from most to least rights."""

    OWNER = "owner"
    ADMIN = "admin"
    EDITOR = "editor"
    APPROVER = "approver"
    VIEWER = "viewer"


class RequestState(enum.StrEnum):
    """`draft` can still be changed; `submitted` has been at work."""

    DRAFT = "draft"
    SUBMITTED = "submitted"


class TaskState(enum.StrEnum):
    """queued -> running -> done | failed | cancelled; running -> queued on a transient error."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class DeliveryKind(enum.StrEnum):
    """`album`: the pictures; `actions`: the card with buttons after it; `originals`: PNG files."""

    ALBUM = "album"
    ACTIONS = "actions"
    ORIGINALS = "originals"


class DeliveryState(enum.StrEnum):
    """pending -> sending -> sent | unknown | undeliverable; sending -> pending when refused.

    `unknown`: it may have arrived, so it is never repeated without a person asking.
    """

    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    UNKNOWN = "unknown"
    UNDELIVERABLE = "undeliverable"


class Shown(enum.StrEnum):
    """What a status card shows, or should show: the task's fate and that of its delivery."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"
    UNDELIVERABLE = "undeliverable"


class SystemWallet(enum.StrEnum):
    """Where money comes from and goes to, seen from the accounts."""

    REVENUE = "revenue"
    STARS = "stars"
    PROVIDER = "provider"
    OPERATOR = "operator"
    RECEIVABLES = "receivables"


class TransferKind(enum.StrEnum):
    """Why money moved; `chargeback`: Telegram gave it back without asking us."""

    TOP_UP = "top_up"
    CREDIT = "credit"
    SUBSCRIPTION = "subscription"
    UPGRADE = "upgrade"
    PICTURES = "pictures"
    REFUND = "refund"
    REFUND_UNDONE = "refund_undone"
    CHARGEBACK = "chargeback"


class HoldState(enum.StrEnum):
    OPEN = "open"
    CAPTURED = "captured"
    VOIDED = "voided"


class PaymentMethod(enum.StrEnum):
    """`provider`: roubles through Telegram Payments."""

    STARS = "stars"
    PROVIDER = "provider"


class OrderState(enum.StrEnum):
    OPEN = "open"
    PAID = "paid"
    CANCELLED = "cancelled"


class PaymentState(enum.StrEnum):
    """credited -> refunding -> refunded; refunding -> credited when Telegram refused.

    `unmatched`: it answers to no order of ours; `credited` once it does.
    """

    CREDITED = "credited"
    REFUNDING = "refunding"
    REFUNDED = "refunded"
    UNMATCHED = "unmatched"


class Part(enum.StrEnum):
    """What a post's caption can have beside a person's words, each with a switch."""

    AD = "ad"
    SIGNATURE = "signature"
    AI = "ai"


class SuggestionState(enum.StrEnum):
    """open -> ready | dropped; ready -> open | dropped; dropped -> open."""

    OPEN = "open"
    READY = "ready"
    DROPPED = "dropped"


class PostState(enum.StrEnum):
    """draft -> scheduled -> sending -> sent | unknown | undeliverable; sending -> scheduled when
    refused; scheduled -> overdue when its time is long past; all but sending and sent -> cancelled.

    What `unknown` and `overdue` become is for a person to say.
    """

    DRAFT = "draft"
    SCHEDULED = "scheduled"
    OVERDUE = "overdue"
    SENDING = "sending"
    SENT = "sent"
    UNKNOWN = "unknown"
    UNDELIVERABLE = "undeliverable"
    CANCELLED = "cancelled"


POST_WAITS = (PostState.DRAFT, PostState.SCHEDULED, PostState.OVERDUE, PostState.UNDELIVERABLE)
"""Nothing of the post has gone out, for certain."""


class LatePosts(enum.StrEnum):
    """`ask`: a person decides about posts that are hours late; `send`: they go out all the same."""

    SEND = "send"
    ASK = "ask"


class ApprovalState(enum.StrEnum):
    """open -> approved | changes | rejected. `changes`: sent back, a new round is drawn."""

    OPEN = "open"
    APPROVED = "approved"
    CHANGES = "changes"
    REJECTED = "rejected"


class Answer(enum.StrEnum):
    """What a person can be asked to write about an album: what to change, or why not."""

    CHANGES = "changes"
    REJECTED = "rejected"


class Presence(enum.StrEnum):
    """What the bot is in a team's group, in Telegram's words."""

    MEMBER = "member"
    ADMINISTRATOR = "administrator"
    RESTRICTED = "restricted"
    LEFT = "left"
    KICKED = "kicked"
