"""What can go wrong in the face.

BotError
├── SendError                 a call to Telegram that did not do its work, or may not have
│   ├── RateLimited           not done: too much at once; again after `retry_after_s`
│   ├── Refused               not done: Telegram was not reached; safe to try again
│   │   └── Unauthorized      not done: Telegram does not know our token
│   ├── ChatMigrated          not done: the group is a supergroup now, see `new_chat_id`
│   ├── ThreadClosed          not done: the topic is closed or gone; the chat itself may still do
│   ├── FileRefused           not done: a stored file_id is no longer good; upload again
│   ├── MessageGone           not done: the message to edit is deleted or too old
│   ├── Undeliverable         not done, and trying again will not help: see `reason`
│   └── Uncertain             may have been done: time-out, reset, 5xx, an album cut short
├── RefundRefused             Telegram won't give a payment back; the wallet has its money again
├── CannotStart               the process can't run as it is set up; the message is for a person
├── NotYours                  a tap on somebody else's menu
├── OtherAccount              a tap on a card about money of an account one does not work for now
└── BadUpload                 a file a person sent can't be used: see `reason`
"""


class BotError(Exception):
    """Base of everything the face raises on purpose."""


class SendError(BotError):
    """A call to Telegram failed. `detail` is Telegram's own text, for the log."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class RateLimited(SendError):
    """Nothing was sent; nothing more may be for `retry_after_s` seconds."""

    def __init__(self, retry_after_s: float, detail: str = "") -> None:
        super().__init__(detail or f"retry after {retry_after_s:.1f} s")
        self.retry_after_s = retry_after_s


class Refused(SendError):
    """Nothing was sent: the connection was never made."""


class Unauthorized(Refused):
    """Nothing was sent: the token is wrong or was replaced. Safe once an operator has set it."""


class ChatMigrated(SendError):
    """Nothing was sent: the group became the supergroup `new_chat_id`."""

    def __init__(self, new_chat_id: int, detail: str) -> None:
        super().__init__(detail)
        self.new_chat_id = new_chat_id


class ThreadClosed(SendError):
    """Nothing was sent: the forum topic is closed or deleted."""


class FileRefused(SendError):
    """Nothing was sent: Telegram does not know a file_id (any more)."""


class MessageGone(SendError):
    """Nothing was changed: the message is deleted or can't be edited."""


class Undeliverable(SendError):
    """Nothing was sent and never will be.

    `reason` is a code: `blocked` (by the person, or the bot was removed), `no_chat`, `no_rights`,
    `too_large`, `file_broken` (a stored picture that can't be read), `rejected` (any other 4xx).
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason


class Uncertain(SendError):
    """Nobody knows whether it was sent. Never repeat it without asking a person."""


class CannotStart(BotError):
    """An operator must change a setting first; the message says which."""


class RefundRefused(BotError):
    """Telegram refused to give a payment back, so the refund was undone. `detail`: its words."""

    def __init__(self, detail: str) -> None:
        super().__init__(f"Telegram refuses the refund: {detail}")
        self.detail = detail


class NotYours(BotError):
    """A button was pressed by somebody it was not made for. `what`: menu, album (to delete it)."""

    def __init__(self, what: str = "menu") -> None:
        super().__init__(what)
        self.what = what


class OtherAccount(BotError):
    """A card about money is of another account than its presser works for now."""


class BadUpload(BotError):
    """A sent file can't be used. `reason`: `not_an_image`, `too_large`, `broken`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
