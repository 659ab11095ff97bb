"""Brand profiles: how an account's pictures should look."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index, Text, func, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base


class Brand(Base):
    """`name_key` is the name as it counts for uniqueness: case and spaces folded by us, because
    Postgres' lower() leaves Cyrillic alone in the C locale. Deleted brands stay for old albums.
    From `signature` on: what the brand's posts say under their pictures (`db.captions`)."""

    __tablename__ = "brands"
    __table_args__ = (
        CheckConstraint("char_length(name) BETWEEN 1 AND 40", name="name"),
        CheckConstraint("char_length(style_short) <= 200", name="style_short"),
        CheckConstraint(
            "array_position(palette, NULL) IS NULL AND"
            " array_to_string(palette, ',') ~ '^(#[0-9a-f]{6}(,#[0-9a-f]{6})*)?$'",
            name="palette",
        ),
        CheckConstraint(
            "char_length(signature) BETWEEN 1 AND 200 AND strpos(signature, chr(10)) = 0",
            name="signature",
        ),
        CheckConstraint(
            "cardinality(hashtags) <= 10 AND array_position(hashtags, NULL) IS NULL AND"
            " array_to_string(hashtags, ' ') ~ '^(#[^ #,]{1,50}( #[^ #,]{1,50})*)?$'",
            name="hashtags",
        ),
        CheckConstraint(
            "(advertiser IS NULL) = (erid IS NULL)"
            " AND char_length(advertiser) BETWEEN 1 AND 150 AND erid ~ '^[A-Za-z0-9_-]{4,64}$'",
            name="advertising",
        ),
        Index(
            "uq_brands_account_id_name_key",
            "account_id",
            "name_key",
            unique=True,
            postgresql_where=text("deleted_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    name: Mapped[str]
    name_key: Mapped[str]
    style_original: Mapped[str]
    style_short: Mapped[str]
    palette: Mapped[list[str]] = mapped_column(ARRAY(Text))
    preset: Mapped[str | None]
    signature: Mapped[str | None]
    hashtags: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'::text[]"))
    advertiser: Mapped[str | None]
    erid: Mapped[str | None]
    marks_ai: Mapped[bool] = mapped_column(server_default=text("false"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    deleted_at: Mapped[datetime | None]
