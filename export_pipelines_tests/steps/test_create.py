"""The fingerprint of a request: equal for the same request however it is put, and for no other."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from export_pipelines.core.deliveries import DeliveryRequest
from export_pipelines.steps.create import fingerprint
from export_pipelines.steps.submit import Order

# Also halves of surrogate pairs, which JSON may hold.
TEXTS = st.text(max_size=20)
OPTIONS = st.dictionaries(TEXTS, st.booleans() | TEXTS, max_size=5)
ORDERS = st.builds(
    Order,
    type=st.sampled_from(["BULK_CSV", "bulk_csv", "RUN_BUNDLE"]),
    user=st.just("u"),
    run_id=st.none() | TEXTS,
    definition_id=st.none() | TEXTS,
    expiry_hours=st.integers(1, 168),
    options=OPTIONS,
    title=TEXTS,
    delivery=st.none() | st.builds(DeliveryRequest, recipients=st.lists(TEXTS, min_size=1, max_size=2).map(tuple)),
)


@given(ORDERS)
def test_the_order_of_options_and_the_case_of_the_type_say_nothing(order: Order) -> None:
    turned = replace(order, options=dict(reversed(order.options.items())), type=order.type.swapcase())
    assert fingerprint("create", turned) == fingerprint("create", order)


@given(ORDERS, ORDERS)
def test_other_orders_and_other_calls_have_other_fingerprints(order: Order, other: Order) -> None:
    same = replace(order, type=order.type.upper()) == replace(other, type=other.type.upper())
    assert (fingerprint("create", order) == fingerprint("create", other)) is same
    assert fingerprint("create", order) != fingerprint("retry c1", order)
    assert fingerprint("retry c1") != fingerprint("retry c2")
