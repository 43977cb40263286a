"""Command lines, forms and programs get the same order out of the same words."""

import pytest

from export_pipelines.core.deliveries import DeliveryRequest
from export_pipelines.core.errors import ValidationError
from export_pipelines.steps.orders import Of, Terms, Told, build_order
from export_pipelines.steps.submit import Order


def test_what_is_left_out_has_the_orders_own_defaults() -> None:
    assert build_order("BULK_CSV", user="ada@example.org") == Order(type="BULK_CSV", user="ada@example.org")


def test_every_word_has_its_place() -> None:
    built = build_order(
        "BULK_CSV",
        user="u",
        of=Of(run_id="r", definition_id="d", day="2026-03-01", positions="1-2"),
        terms=Terms(options={"profile": "flat"}, expiry_hours=3, title="Mine"),
        told=Told(recipients=["a@example.org", "webhook:w", "a@example.org"], include_download_link=False),
    )
    assert (built.run_id, built.definition_id, built.day, built.positions) == ("r", "d", "2026-03-01", "1-2")
    assert (built.options, built.expiry_hours, built.title) == ({"profile": "flat"}, 3, "Mine")
    assert built.delivery == DeliveryRequest(
        recipients=("a@example.org", "webhook:w"), include_download_link=False, attach_file=False
    )


@pytest.mark.parametrize("told", [Told(attach_file=True), Told(include_download_link=False, named_by="--notify")])
def test_something_to_get_and_nobody_to_get_it_is_refused_in_the_callers_own_word(told: Told) -> None:
    with pytest.raises(ValidationError, match=f"say who with {told.named_by}"):
        build_order("BULK_CSV", user="u", told=told)
