"""Signatures are checked by the convention's own library."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from export_pipelines.delivering.signatures import headers, new_secret


def now() -> int:
    """The library refuses what is five minutes old, so a suite's beginning is no good."""
    return int(datetime.now(UTC).timestamp())


@given(st.text(max_size=200), st.from_regex(r"[a-z0-9_]{1,40}", fullmatch=True))
def test_any_body_is_signed_so_that_the_receivers_library_takes_it(body: str, message_id: str) -> None:
    data = body.encode("utf-8", "replace")
    secret = new_secret()
    signed = headers(secret, message_id=message_id, timestamp=now(), body=data)
    Webhook(secret).verify(data, signed, json_parse=False)


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature", "body", "secret"])
def test_whatever_is_changed_breaks_the_signature(name: str) -> None:
    secret, body = new_secret(), b'{"a": 1}'
    signed = headers(secret, message_id="c1", timestamp=now(), body=body)
    changed = {"webhook-id": "c2", "webhook-timestamp": str(now() + 1), "webhook-signature": "v1,AAAA"}
    if name in changed:
        signed[name] = changed[name]
    with pytest.raises(WebhookVerificationError):
        Webhook(new_secret() if name == "secret" else secret).verify(body + b" " * (name == "body"), signed)


def test_secrets_differ_and_have_the_length_that_the_convention_asks_for() -> None:
    assert len({new_secret() for _ in range(50)}) == 50
    assert new_secret().startswith("whsec_")
    assert len(new_secret()) == 6 + 44
