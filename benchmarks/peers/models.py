"""One database, one table for each thing."""

import os
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, create_engine
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, sessionmaker
from sqlalchemy.types import Text

engine = create_engine(os.environ["PEER_DATABASE_URL"], pool_size=40, max_overflow=0)
"""As many as the API has threads, so that none is opened anew for a request; a task process opens one."""
Session = sessionmaker(engine, expire_on_commit=False)


class Base(DeclarativeBase):
    type_annotation_map = {datetime: TIMESTAMP(timezone=True), str: Text, dict[str, Any]: JSONB}  # noqa: RUF012


class Referral(Base):
    __tablename__ = "referral"
    __table_args__ = (UniqueConstraint("clinic", "idempotency_key"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    clinic: Mapped[str]
    idempotency_key: Mapped[str]
    region: Mapped[str]
    state: Mapped[str] = mapped_column(default="received")
    urgency: Mapped[str | None]
    respond_by: Mapped[datetime | None]
    case: Mapped[dict[str, Any]]
    decision: Mapped[dict[str, Any] | None]
    sealed: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]


class Therapist(Base):
    __tablename__ = "therapist"
    __table_args__ = (CheckConstraint("places_taken between 0 and places_total"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    region: Mapped[str] = mapped_column(index=True)
    entry: Mapped[dict[str, Any]]
    places_total: Mapped[int]
    places_taken: Mapped[int] = mapped_column(default=0)


class Offer(Base):
    __tablename__ = "offer"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    referral_id: Mapped[UUID] = mapped_column(ForeignKey("referral.id"), unique=True)
    therapist_id: Mapped[UUID] = mapped_column(ForeignKey("therapist.id"))
    expires_at: Mapped[datetime]
    score: Mapped[float]
    why: Mapped[dict[str, Any]]


class Recipient(Base):
    __tablename__ = "recipient"

    id: Mapped[str] = mapped_column(primary_key=True)
    audience: Mapped[str]
    clinic: Mapped[str | None]
    regions: Mapped[list[str]] = mapped_column(ARRAY(Text))
    url: Mapped[str]
    secret: Mapped[str]


class Notice(Base):
    __tablename__ = "notice"
    __table_args__ = (
        UniqueConstraint("referral_id", "about", "recipient_id"),
        Index("notice_waiting", "id", postgresql_where="sent_at is null"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    referral_id: Mapped[UUID] = mapped_column(ForeignKey("referral.id"))
    about: Mapped[str]
    recipient_id: Mapped[str] = mapped_column(ForeignKey("recipient.id"))
    title: Mapped[str]
    text: Mapped[str]
    urgency: Mapped[str | None]
    respond_by: Mapped[datetime | None]
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
