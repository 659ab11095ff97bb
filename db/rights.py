"""Who may do what in an account: one table, looked up at every tap."""

from __future__ import annotations

import enum

from db.errors import NotAllowed
from db.states import Role


class Action(enum.StrEnum):
    """What can be done in an account. `own`: pass the ownership on, make and unmake admins."""

    LOOK = "look"
    VOTE = "vote"
    APPROVE = "approve"
    CREATE = "create"
    CHOOSE = "choose"
    PROPOSE = "propose"
    PUBLISH = "publish"
    MANAGE_BRANDS = "manage_brands"
    MANAGE_CHANNELS = "manage_channels"
    MANAGE_MONEY = "manage_money"
    MANAGE_TEAM = "manage_team"
    OWN = "own"


_VIEWER = {Action.LOOK, Action.VOTE}
_EDITOR = _VIEWER | {
    Action.CREATE,
    Action.CHOOSE,
    Action.PROPOSE,
    Action.PUBLISH,
    Action.MANAGE_BRANDS,
}

RIGHTS: dict[Role, frozenset[Action]] = {
    Role.OWNER: frozenset(Action),
    Role.ADMIN: frozenset(Action) - {Action.OWN},
    Role.EDITOR: frozenset(_EDITOR),
    Role.APPROVER: frozenset(_VIEWER | {Action.APPROVE}),
    Role.VIEWER: frozenset(_VIEWER),
}
"""An editor publishes what has been approved; see `teams.may_publish`. A vote advises and decides
nothing, so everybody in the group has one."""


def allowed(role: Role | None, action: Action) -> bool:
    """Whether a role includes an action; None is nobody's role."""
    return role is not None and action in RIGHTS[role]


def check(role: Role | None, action: Action) -> None:
    """Raises NotAllowed."""
    if not allowed(role, action):
        raise NotAllowed(action, role)
