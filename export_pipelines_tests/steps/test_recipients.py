"""Recipients are checked while whoever named them is still there."""

from dataclasses import replace
from ipaddress import ip_network

import pytest

from export_pipelines.core.deliveries import DeliveryRequest
from export_pipelines.core.errors import ExportPipelinesError, NotFoundError, ValidationError
from export_pipelines.db import jobs, webhooks
from export_pipelines.db.evaluation import users
from export_pipelines.db.seed import DEMO_USER_EMAIL
from export_pipelines.delivering.webhooks import Poster
from export_pipelines.steps import webhooks as steps
from export_pipelines.steps.services import Services
from export_pipelines.steps.submit import submit
from export_pipelines_tests.db.rows import add_user
from export_pipelines_tests.steps.orders import order

POSTER = Poster(allowed=(ip_network("127.0.0.0/8"),))


def recipients(services: Services, *named: str, **fields: bool) -> tuple[str, ...]:
    """The recipients that the job of such an order has."""
    asked = replace(order("DEFINITION_MD"), delivery=DeliveryRequest(recipients=named, **fields))
    stored = jobs.request_of(submit(services, asked)).delivery
    assert stored is not None
    return stored.recipients


def user_id(services: Services) -> str:
    return users.get_by_email(services.database, DEMO_USER_EMAIL).id


def add(services: Services, name: str, owner: str | None = None) -> None:
    steps.add(services, POSTER, user_id=owner or user_id(services), name=name, url="http://127.0.0.1:9/x")


def test_each_recipient_is_kept_once_in_its_one_spelling(services: Services) -> None:
    add(services, "hook")
    named = (" ada@EXAMPLE.org", "ada@example.org", "webhook:hook", "webhook:hook ")
    assert recipients(services, *named, attach_file=True) == ("ada@example.org", "webhook:hook")


@pytest.mark.parametrize(
    ("named", "kind", "said"),
    [
        ((), ValidationError, "1 to 20"),
        (tuple(f"u{number}@example.org" for number in range(21)), ValidationError, "21 recipients"),
        (("ada",), ValidationError, "'ada' is no e-mail address"),
        (("ada@example.org", ""), ValidationError, "is no e-mail address"),
        (("ada@example.org\nBcc: eve@example.org",), ValidationError, "is no e-mail address"),
        (("webhook:",), ValidationError, "cannot be the name of a webhook"),
        (("webhook:a\x00b",), ValidationError, "cannot be the name of a webhook"),
        (("webhook:nosuch",), NotFoundError, "webhooks list"),
        (("webhook:of-another",), NotFoundError, "has no webhook 'of-another'"),
        (("webhook:paused",), ValidationError, "webhooks resume paused"),
    ],
)
def test_a_recipient_that_cannot_be_told_is_refused_before_there_is_a_job(
    services: Services, named: tuple[str, ...], kind: type[ExportPipelinesError], said: str
) -> None:
    add(services, "of-another", add_user(services.database))
    add(services, "paused")
    webhooks.set_active(services.database, user_id=user_id(services), name="paused", active=False)
    with pytest.raises(kind, match=said):
        recipients(services, *named)
    assert jobs.list_jobs(services.database) == ()


def test_a_file_for_webhooks_only_is_refused(services: Services) -> None:
    add(services, "hook")
    with pytest.raises(ValidationError, match="a webhook gets no file attached"):
        recipients(services, "webhook:hook", attach_file=True)
