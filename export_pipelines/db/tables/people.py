"""Users and their API keys; of secrets only hashes."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from export_pipelines.db.tables.base import EVALUATION, Base, CreatedAt, Id, UpdatedAt, references


class User(Base):
    """Somebody who may ask for exports; e-mail addresses are unique whatever their case."""

    __tablename__ = "users"
    __table_args__ = (
        CheckConstraint("email ~ '^[^@[:space:]]+@[^@[:space:]]+$'", name="email_shape"),
        Index("uq_users_email", text("lower(email)"), unique=True),
        {"schema": EVALUATION},
    )

    id: Mapped[Id]
    email: Mapped[str]
    name: Mapped[str] = mapped_column(server_default="")
    password_hash: Mapped[str]
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[UpdatedAt]


class ApiKey(Base):
    """A key of a user: its hash and the few characters people recognise it by, never the key."""

    __tablename__ = "api_keys"
    __table_args__ = (UniqueConstraint("key_hash"), {"schema": EVALUATION})

    id: Mapped[Id]
    user_id: Mapped[str] = mapped_column(references(f"{EVALUATION}.users.id", on_delete="CASCADE"), index=True)
    name: Mapped[str]
    key_hash: Mapped[str]
    prefix: Mapped[str]
    created_at: Mapped[CreatedAt]
    last_used_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
