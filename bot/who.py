"""Who acts, where, and for which account: made once for each update, before its handler."""

from __future__ import annotations

from dataclasses import dataclass

from aiogram.types import CallbackQuery, InaccessibleMessage, Message

from bot import texts, views
from bot.errors import NotYours
from bot.texts import Texts
from bot.views import Card
from db.accounts import ANONYMOUS_ADMIN
from db.rights import Action, check
from db.states import Role
from db.views import AlbumView, Locale, UserSettings


@dataclass(frozen=True, slots=True)
class Who:
    """The person behind an update. `role` is theirs in `account_id`: the team's in a group.
    None: they are nobody there, have left or were removed (`is_removed`, in a group). They only
    look on where all `full_seats` of the plan are taken. `team` names the team that this private
    chat works for; None in groups, which are their team, and for one's own account.

    At present a request can have `max_count` pictures, 1..4, and a photo to start from if it
    `can_start_from_photos`.
    """

    user_id: int
    name: str
    account_id: int
    role: Role | None
    team: str | None
    locale: Locale
    is_group: bool
    settings: UserSettings
    max_count: int
    can_start_from_photos: bool
    is_removed: bool = False
    full_seats: int | None = None

    @property
    def tr(self) -> Texts:
        return texts.of(self.locale)

    @property
    def is_admin(self) -> bool:
        return self.role in (Role.OWNER, Role.ADMIN)

    def headed(self, card: Card) -> Card:
        """A card of the account; where a private chat works for a team, its name comes first."""
        return card if self.team is None else views.of_team(self.tr, self.team, card)

    def may(self, action: Action) -> None:
        """What one's role includes. Raises NotAllowed."""
        check(self.role, action)

    def must_be(self, user_id: int) -> None:
        """Only the person a menu was made for may use it; an anonymous admin's, any admin.

        Raises NotYours.
        """
        if self.user_id != user_id and not (user_id == ANONYMOUS_ADMIN and self.is_admin):
            raise NotYours

    def may_steer(self, user_id: int) -> None:
        """What `user_id` asked for is theirs to steer, and the team's owner and admins'.

        Raises NotYours.
        """
        if not self.is_admin:
            self.must_be(user_id)

    def may_delete(self, album: AlbumView) -> None:
        """An album is deleted by who may steer what asked for it. Raises NotYours."""
        try:
            self.may_steer(album.user_id)
        except NotYours as error:
            raise NotYours("album") from error


def thread_of(message: Message | InaccessibleMessage | None) -> int | None:
    """The forum topic of a message: replies outside forums have a thread id too, but no topic."""
    if isinstance(message, Message) and message.is_topic_message:
        return message.message_thread_id
    return None


def card_of(query: CallbackQuery) -> Message | InaccessibleMessage:
    """The message whose button was pressed. All our buttons are on messages of ours."""
    if query.message is None:
        raise NotYours
    return query.message
