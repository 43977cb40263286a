"""Sealed secrets come back with their key and owner, and in no other way."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from export_pipelines.core.errors import ValidationError
from export_pipelines.delivering.sealing import seal, unseal

KEY = b"k" * 32


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])), st.text(min_size=1, max_size=30))
def test_a_secret_comes_back_and_is_not_to_be_seen_meanwhile(secret: str, owner: str) -> None:
    owner = owner.encode("utf-8", "replace").decode()
    sealed = seal(KEY, secret, owner=owner)
    assert unseal(KEY, sealed, owner=owner) == secret
    assert len(secret) < 4 or secret.encode() not in sealed
    assert sealed != seal(KEY, secret, owner=owner)


@pytest.mark.parametrize("change", ["key", "owner", "first", "last", "cut", "empty"])
def test_anything_else_gets_an_error_that_says_what_to_do_and_no_secret(change: str) -> None:
    sealed = seal(KEY, "whsec_hush", owner="c1")
    changed = {
        "first": bytes([sealed[0] ^ 1]) + sealed[1:],
        "last": sealed[:-1] + bytes([sealed[-1] ^ 1]),
        "cut": sealed[:20],
        "empty": b"",
    }
    with pytest.raises(ValidationError, match="add it again") as caught:
        unseal(
            b"x" * 32 if change == "key" else KEY,
            changed.get(change, sealed),
            owner="c2" if change == "owner" else "c1",
        )
    assert "hush" not in str(caught.value)
