"""Users, administrators among them, their API keys and sessions; of secrets only hashes."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from export_pipelines.db.tables.base import EVALUATION, EXPORTS, Base, CreatedAt, Id, UpdatedAt, references


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


class Administrator(Base):
    """A user who may see and end everybody's exports; a table of ours, for the users may be the application's."""

    __tablename__ = "administrators"
    __table_args__ = ({"schema": EXPORTS},)

    user_id: Mapped[str] = mapped_column(references(f"{EVALUATION}.users.id", on_delete="CASCADE"), primary_key=True)
    since: Mapped[CreatedAt]


class WebSession(Base):
    """A login on the exports page: the hash of what the browser's cookie holds, and until when it counts."""

    __tablename__ = "web_sessions"
    __table_args__ = (
        CheckConstraint("expires_at > created_at", name="expires_after_creation"),
        {"schema": EXPORTS},
    )

    token_hash: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[str] = mapped_column(references(f"{EVALUATION}.users.id", on_delete="CASCADE"), index=True)
    created_at: Mapped[CreatedAt]
    expires_at: Mapped[datetime] = mapped_column(index=True)
