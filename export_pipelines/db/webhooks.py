"""The webhooks of users: where messages are posted, and the secrets that sign them, encrypted."""

from datetime import UTC

from sqlalchemy import select
from sqlalchemy.orm import Session

from export_pipelines.core.deliveries import WebhookEndpoint
from export_pipelines.core.errors import ConflictError, NotFoundError
from export_pipelines.db.database import Database
from export_pipelines.db.tables import User, WebhookEndpointRow


def create(database: Database, endpoint: WebhookEndpoint) -> WebhookEndpoint:
    """Keep a new webhook.

    Raises:
        ConflictError: the user has one of this name.
        ValidationError: the user does not exist, or the name or URL cannot be one.
    """
    with database.transaction() as session:
        # Two webhooks of one name that are made at once are told apart by the unique index.
        if _row(session, endpoint.user_id, endpoint.name) is not None:
            raise ConflictError(
                f"there is a webhook {endpoint.name!r} already; remove it first, or choose another name."
            )
        row = WebhookEndpointRow(
            id=endpoint.id,
            user_id=endpoint.user_id,
            name=endpoint.name,
            url=endpoint.url,
            sealed_secret=endpoint.sealed_secret,
            active=endpoint.active,
            created_at=endpoint.created_at,
        )
        session.add(row)
        session.flush()
        return _endpoint(row)


def get(database: Database, *, user_id: str, name: str) -> WebhookEndpoint:
    """The user's webhook of this name.

    Raises:
        NotFoundError: there is none.
    """
    with database.transaction() as session:
        return _endpoint(_need(session, user_id, name))


def list_for_user(database: Database, user_id: str) -> tuple[WebhookEndpoint, ...]:
    """The user's webhooks by name."""
    query = select(WebhookEndpointRow).where(WebhookEndpointRow.user_id == user_id).order_by(WebhookEndpointRow.name)
    with database.transaction() as session:
        return tuple(_endpoint(row) for row in session.scalars(query))


def set_active(database: Database, *, user_id: str, name: str, active: bool) -> WebhookEndpoint:
    """Pause the webhook, or let it go on.

    Raises:
        NotFoundError: there is none of this name.
    """
    with database.transaction() as session:
        row = _need(session, user_id, name)
        row.active = active
        return _endpoint(row)


def remove(database: Database, *, user_id: str, name: str) -> None:
    """Forget the webhook and its secret.

    Raises:
        NotFoundError: there is none of this name.
    """
    with database.transaction() as session:
        session.delete(_need(session, user_id, name))


def _need(session: Session, user_id: str, name: str) -> WebhookEndpointRow:
    row = _row(session, user_id, name)
    if row is None:
        user = session.get(User, user_id)
        whose = user.email if user else f"user {user_id}"
        raise NotFoundError(f"{whose} has no webhook {name!r}; see `export-pipelines webhooks list`, or add it.")
    return row


def _row(session: Session, user_id: str, name: str) -> WebhookEndpointRow | None:
    query = select(WebhookEndpointRow).where(WebhookEndpointRow.user_id == user_id, WebhookEndpointRow.name == name)
    return session.scalar(query)


def _endpoint(row: WebhookEndpointRow) -> WebhookEndpoint:
    return WebhookEndpoint(
        id=row.id,
        user_id=row.user_id,
        name=row.name,
        url=row.url,
        active=row.active,
        created_at=row.created_at.astimezone(UTC),
        sealed_secret=row.sealed_secret,
    )
