"""A wrong subscription is refused as it is made or changed, not when the first run completes."""

from dataclasses import replace

import pytest

from export_pipelines.core.deliveries import DeliveryRequest
from export_pipelines.core.errors import ConflictError, ExportPipelinesError, NotFoundError, ValidationError
from export_pipelines.core.subscriptions import RunsOf
from export_pipelines.db import subscriptions
from export_pipelines.db.evaluation import definitions, tags
from export_pipelines.db.seed import DEMO_USER_EMAIL, SHOWCASE_DEFINITION_ID, SHOWCASE_RUN_ID
from export_pipelines.steps.services import Services
from export_pipelines.steps.submit import Order
from export_pipelines.steps.subscribe import NAME_LENGTH, Wish, change, subscribe, wish_of
from export_pipelines_tests.steps.conftest import Clock

ORDER = Order(type="bulk_csv", user=DEMO_USER_EMAIL, options={"profile": "flat"}, expiry_hours=48)
GOOD = Wish(order=ORDER)


def tag_called(services: Services, name: str) -> str:
    return {tag.name: tag.id for tag in tags.list_all(services.database)}[name]


def to(*recipients: str) -> Wish:
    return Wish(order=replace(ORDER, delivery=DeliveryRequest(recipients=recipients)))


WRONG = pytest.mark.parametrize(
    ("wrong", "kind", "named"),
    [
        (Wish(order=replace(ORDER, type="BULK_XML")), ValidationError, "BULK_PARQUET"),
        (Wish(order=replace(ORDER, type="DEFINITION_MD")), ValidationError, "RUN_BUNDLE, BULK_JSONL"),
        (Wish(order=replace(ORDER, expiry_hours=169)), ValidationError, "1 to 168"),
        (Wish(order=replace(ORDER, options={"profile": "wide"})), ValidationError, "summary, flat"),
        (Wish(order=replace(ORDER, user="nobody@example.org")), NotFoundError, "nobody@example.org"),
        (replace(GOOD, definition="cnosuchdefinition"), NotFoundError, "cnosuchdefinition"),
        (replace(GOOD, definition=SHOWCASE_RUN_ID), ValidationError, "id of a run"),
        (replace(GOOD, tag="no such tag"), NotFoundError, "there are .*multilingual"),
        (replace(GOOD, tag="health", definition=SHOWCASE_DEFINITION_ID), ValidationError, "one of them"),
        (replace(GOOD, name="   "), ValidationError, "printable"),
        (replace(GOOD, name="a\nb"), ValidationError, "printable"),
        (replace(GOOD, name="x" * (NAME_LENGTH + 1)), ValidationError, "100"),
        (to("ada@example.org", "ada"), ValidationError, "'ada'"),
        (to("webhook:"), ValidationError, "name of a webhook"),
        (to("a b@example.org"), ValidationError, "a b@example.org"),
    ],
)


@WRONG
def test_a_wrong_wish_is_refused_and_nothing_is_written(
    services: Services, wrong: Wish, kind: type[ExportPipelinesError], named: str
) -> None:
    with pytest.raises(kind, match=named):
        subscribe(services, wrong)
    assert subscriptions.list_all(services.database) == ()


def test_defaults_are_filled_in_and_a_name_is_made_up(services: Services) -> None:
    made = subscribe(services, GOOD)
    assert (made.type, made.runs_of, made.subject_id, made.name) == (
        "BULK_CSV",
        RunsOf.ALL,
        None,
        "BULK_CSV of all runs",
    )
    assert made.options == {"allow_partial": False, "compression": "none", "profile": "flat", "strict": False}
    assert (made.expiry_hours, made.delivery, made.active) == (48, None, True)
    assert subscriptions.get(services.database, made.id) == made


def test_it_may_be_about_one_definition_or_one_tag(services: Services) -> None:
    of_definition = subscribe(services, replace(GOOD, definition=SHOWCASE_DEFINITION_ID[:8]))
    assert (of_definition.runs_of, of_definition.subject_id) == (RunsOf.DEFINITION, SHOWCASE_DEFINITION_ID)
    of_tag = subscribe(services, replace(GOOD, tag="health"))
    known = {tag.name: tag.id for tag in tags.list_all(services.database)}
    assert (of_tag.runs_of, of_tag.subject_id, of_tag.name) == (RunsOf.TAG, known["health"], "BULK_CSV of tag health")


def test_the_same_name_twice_is_refused_with_what_to_do(services: Services) -> None:
    first = subscribe(services, GOOD)
    with pytest.raises(ConflictError, match=f"{first.id}.*choose another name"):
        subscribe(services, GOOD)


def test_recipients_are_held_against_what_can_be_reached(services: Services) -> None:
    with pytest.raises(NotFoundError, match="no webhook 'team'"):
        subscribe(services, to("ada@example.org", "webhook:team"))
    made = subscribe(services, to("ada@example.org", " ada@example.org"))
    assert made.delivery == DeliveryRequest(recipients=("ada@example.org",))


@WRONG
def test_a_wrong_change_is_refused_and_nothing_is_written(
    services: Services, wrong: Wish, kind: type[ExportPipelinesError], named: str
) -> None:
    made = subscribe(services, GOOD)
    with pytest.raises(kind, match=named):
        change(services, made, wrong)
    assert subscriptions.list_all(services.database) == (made,)


@pytest.mark.parametrize("chosen", [{}, {"tag": "health"}, {"definition": SHOWCASE_DEFINITION_ID}])
def test_a_change_to_what_it_is_changes_nothing(services: Services, clock: Clock, chosen: dict[str, str]) -> None:
    made = subscribe(services, replace(to("ada@example.org"), **chosen))
    clock.jump(hours=1)
    same = change(services, made, wish_of(made))
    assert replace(same, updated_at=made.updated_at) == made


def test_a_tag_is_meant_by_its_id_before_its_name(services: Services) -> None:
    health = tag_called(services, "health")
    trap = tags.create(services.database, name=health, now=services.clock())
    assert subscribe(services, replace(GOOD, tag=health)).subject_id == health
    assert subscribe(services, replace(GOOD, tag=trap.id)).subject_id == trap.id


def test_what_a_subscription_is_about_may_be_gone_when_it_is_to_be_about_something_else(services: Services) -> None:
    definition = definitions.fork(services.database, SHOWCASE_DEFINITION_ID, name="Gone", now=services.clock())
    tag = tags.create(services.database, name="gone", now=services.clock())
    of_definition, of_tag = (
        subscribe(services, replace(GOOD, **chosen)) for chosen in ({"definition": definition.id}, {"tag": tag.id})
    )
    definitions.delete(services.database, definition.id, now=services.clock())
    tags.delete(services.database, tag.id)
    for orphan in (of_definition, of_tag):
        with pytest.raises(NotFoundError):
            change(services, orphan, replace(wish_of(orphan), name=f"{orphan.name}, renamed"))
        found = change(services, orphan, replace(wish_of(orphan), definition=None, tag="health"))
        assert found.subject_id == tag_called(services, "health")
