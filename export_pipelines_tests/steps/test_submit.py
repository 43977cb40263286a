"""A wrong order is refused before anything is created, with what to do about it."""

from dataclasses import replace

import pytest

from export_pipelines.core.errors import ExportPipelinesError, NotFoundError, StoreUnavailableError, ValidationError
from export_pipelines.db import jobs
from export_pipelines.db.seed import SHOWCASE_DEFINITION_ID, SHOWCASE_RUN_ID
from export_pipelines.steps.services import Services
from export_pipelines.steps.submit import Order, submit
from export_pipelines.storage.local import LocalStore
from export_pipelines_tests.steps.orders import order

GOOD = order("BULK_CSV")


@pytest.mark.parametrize(
    ("wrong", "kind", "named"),
    [
        (replace(GOOD, type="BULK_XML"), ValidationError, "BULK_CSV"),
        (replace(GOOD, expiry_hours=0), ValidationError, "1 to 168"),
        (replace(GOOD, expiry_hours=169), ValidationError, "1 to 168"),
        (replace(GOOD, run_id=None), ValidationError, "--run-id"),
        (replace(GOOD, definition_id=SHOWCASE_DEFINITION_ID), ValidationError, "--run-id and nothing else"),
        (replace(GOOD, run_id="cnosuchrun"), NotFoundError, "cnosuchrun"),
        (replace(GOOD, run_id=SHOWCASE_DEFINITION_ID), ValidationError, "definition"),
        (replace(order("DEFINITION_MD"), definition_id=SHOWCASE_RUN_ID), ValidationError, "run"),
        (replace(GOOD, run_id="no\x00id"), ValidationError, "id"),
        (replace(GOOD, user="nobody@example.org"), NotFoundError, "nobody@example.org"),
        (replace(GOOD, options={"colour": "red"}), ValidationError, "colour"),
        (replace(GOOD, options={"profile": "wide"}), ValidationError, "summary, flat"),
    ],
)
def test_a_wrong_order_is_refused_and_creates_nothing(
    services: Services, wrong: Order, kind: type[ExportPipelinesError], named: str
) -> None:
    with pytest.raises(kind, match=named):
        submit(services, wrong)
    assert jobs.list_jobs(services.database) == ()


def test_an_unfinished_run_is_refused_unless_partial_is_allowed(services: Services) -> None:
    with services.database.raw_connection() as connection:
        running = connection.execute("SELECT id FROM evaluation.runs WHERE status = 'RUNNING'").fetchone()
    assert running is not None
    with pytest.raises(ValidationError, match="allow_partial=true"):
        submit(services, replace(GOOD, run_id=running[0]))
    assert submit(services, replace(GOOD, run_id=running[0], options={"allow_partial": "true"}))


def test_a_definition_without_scenarios_asks_for_them_to_be_generated(services: Services) -> None:
    with services.database.raw_connection() as connection:
        connection.execute("UPDATE evaluation.scenarios SET deleted_at = now()")
        connection.commit()
    with pytest.raises(ValidationError, match="generate them first"):
        submit(services, order("SCENARIOS_YAML"))


def test_a_store_that_cannot_be_written_is_found_before_a_row_is_made(services: Services) -> None:
    blocked = services.settings.home / "file"
    blocked.write_text("in the way")
    with pytest.raises((StoreUnavailableError, ValidationError), match="file"):
        submit(replace(services, store=LocalStore(blocked / "store")), GOOD)
    assert jobs.list_jobs(services.database) == ()
