"""Webhooks belong to a user, and have names of which each user has one."""

from dataclasses import replace

import pytest

from export_pipelines.core.deliveries import WebhookEndpoint
from export_pipelines.core.errors import ConflictError, NotFoundError, ValidationError
from export_pipelines.core.ids import new_id
from export_pipelines.db import webhooks
from export_pipelines.db.database import Database
from export_pipelines_tests.db.rows import NOW, add_user


def endpoint(user_id: str, name: str = "hook") -> WebhookEndpoint:
    return WebhookEndpoint(
        id=new_id(),
        user_id=user_id,
        name=name,
        url="https://hooks.example.org/x",
        active=True,
        created_at=NOW,
        sealed_secret=b"sealed",
    )


def test_a_webhook_is_kept_as_it_is_and_belongs_to_its_user(database: Database) -> None:
    ada, bob = add_user(database, "ada@example.org"), add_user(database, "bob@example.org")
    kept = webhooks.create(database, endpoint(ada))
    assert webhooks.get(database, user_id=ada, name="hook") == kept
    assert "sealed" not in repr(kept)
    with pytest.raises(NotFoundError, match=r"bob@example\.org has no webhook 'hook'"):
        webhooks.get(database, user_id=bob, name="hook")
    with pytest.raises(ConflictError, match="remove it first"):
        webhooks.create(database, endpoint(ada))
    webhooks.create(database, endpoint(bob))
    other = webhooks.create(database, endpoint(ada, "a-first"))
    assert webhooks.list_for_user(database, ada) == (other, kept)


def test_a_webhook_can_be_paused_resumed_and_removed(database: Database) -> None:
    ada = add_user(database)
    kept = webhooks.create(database, endpoint(ada))
    paused = webhooks.set_active(database, user_id=ada, name="hook", active=False)
    assert paused == replace(kept, active=False)
    assert webhooks.set_active(database, user_id=ada, name="hook", active=True) == kept
    webhooks.remove(database, user_id=ada, name="hook")
    assert webhooks.list_for_user(database, ada) == ()
    for change in (webhooks.remove, webhooks.get):
        with pytest.raises(NotFoundError):
            change(database, user_id=ada, name="hook")


def test_a_name_or_url_of_another_shape_is_refused_by_the_database_too(database: Database) -> None:
    ada = add_user(database)
    for wrong in (replace(endpoint(ada), name="a b"), replace(endpoint(ada), url="ftp://x")):
        with pytest.raises(ValidationError, match="shape"):
            webhooks.create(database, wrong)
