"""Users, their settings, and the accounts that own everything."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index, SmallInteger, func, text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, checked
from db.states import AccountKind, LatePosts, Presence, Role


class User(Base):
    """A person; `id` is Telegram's."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    first_name: Mapped[str]
    username: Mapped[str | None]
    language_code: Mapped[str | None]
    blocked_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    seen_at: Mapped[datetime] = mapped_column(server_default=func.now())


class UserSettings(Base):
    """What a person's next draft starts with. `locale` null: Telegram's language decides;
    `aspect` null: the platform decides. `team_id`: for which team they work in the private chat."""

    __tablename__ = "user_settings"
    __table_args__ = (
        CheckConstraint("locale IN ('ru', 'en')", name="locale"),
        CheckConstraint("count BETWEEN 1 AND 4", name="count"),
        CheckConstraint("aspect ~ '^[0-9]+:[0-9]+$'", name="aspect"),
    )

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True)
    locale: Mapped[str | None]
    count: Mapped[int] = mapped_column(SmallInteger, server_default=text("4"))
    aspect: Mapped[str | None]
    enhance: Mapped[bool] = mapped_column(server_default=text("true"))
    team_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id", ondelete="SET NULL"))


class Account(Base):
    """A person's own account, or a team's (a group chat). `served_at`: when a worker last took
    one of its tasks, for fair turns. `time_zone` (an IANA name) is that of its posts; `late_posts`:
    what becomes of posts whose time passed while nobody could send them. `presence`: what the bot
    is in the team's group; `approvals_needed`: how many must say yes to an album; `remind_after_h`:
    after how many hours approvers are reminded of one that waits for them, 0: never."""

    __tablename__ = "accounts"
    __table_args__ = (
        CheckConstraint(
            "(kind = 'personal' AND owner_user_id IS NOT NULL AND chat_id IS NULL)"
            " OR (kind = 'team' AND chat_id IS NOT NULL)",
            name="owner_or_chat",
        ),
        CheckConstraint("approvals_needed BETWEEN 1 AND 9", name="approvals_needed"),
        CheckConstraint("remind_after_h IN (0, 4, 24)", name="remind_after_h"),
        Index(
            "uq_accounts_personal_owner",
            "owner_user_id",
            unique=True,
            postgresql_where=text("kind = 'personal'"),
        ),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    kind: Mapped[AccountKind] = mapped_column(checked(AccountKind, "kind"))
    owner_user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    chat_id: Mapped[int | None] = mapped_column(unique=True)
    title: Mapped[str | None]
    default_brand_id: Mapped[int | None] = mapped_column(
        ForeignKey("brands.id", use_alter=True, ondelete="SET NULL")
    )
    served_at: Mapped[datetime | None]
    time_zone: Mapped[str] = mapped_column(server_default=text("'Europe/Moscow'"))
    late_posts: Mapped[LatePosts] = mapped_column(
        checked(LatePosts, "late_posts"), server_default=text("'ask'")
    )
    presence: Mapped[Presence | None] = mapped_column(checked(Presence, "presence"))
    approvals_needed: Mapped[int] = mapped_column(SmallInteger, server_default=text("1"))
    remind_after_h: Mapped[int] = mapped_column(SmallInteger, server_default=text("24"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Member(Base):
    """What a person may do in an account. `left_at`: since when no more; `removed_by`: who sent
    them away, so that they don't come back by themselves. `looks_on`: a viewer by nobody's
    decision, whom the first request for pictures makes an editor."""

    __tablename__ = "members"
    __table_args__ = (
        CheckConstraint("removed_by IS NULL OR left_at IS NOT NULL", name="removed"),
        CheckConstraint("left_at IS NULL OR role <> 'owner'", name="owner_is_there"),
        CheckConstraint("NOT looks_on OR role = 'viewer'", name="looks_on"),
        Index(None, "user_id"),
        Index(
            "uq_members_owner",
            "account_id",
            unique=True,
            postgresql_where=text("role = 'owner'"),
        ),
    )

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True)
    role: Mapped[Role] = mapped_column(checked(Role, "role"))
    joined_at: Mapped[datetime] = mapped_column(server_default=func.now())
    left_at: Mapped[datetime | None]
    removed_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    looks_on: Mapped[bool] = mapped_column(server_default=text("false"))
