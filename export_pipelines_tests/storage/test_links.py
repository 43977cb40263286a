"""Download tokens: whoever changes one holds nothing."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from export_pipelines.core.errors import ExpiredLinkError, ForgedLinkError, ValidationError
from export_pipelines.storage.links import NONCE_BYTES, DownloadGrant, mint, read

SECRET = b"k" * 32
NOW = datetime(2025, 3, 1, 12, tzinfo=UTC)
SOON = NOW + timedelta(hours=1)
TOKEN = mint(SECRET, job_id="c123", expires_at=SOON, person="u1")
OLD = "AQAAAABnwwTQBGMxMjN1MXQ0AJStt010zwijTEZrHjOLD7fch5FhT-BhNKEFTAZA"
"""As the first version wrote it."""

short_texts = st.text(alphabet=st.characters(codec="utf-8"), max_size=60)


optional_texts = st.none() | short_texts.filter(bool)


nonces = st.just(b"") | st.binary(min_size=NONCE_BYTES, max_size=NONCE_BYTES)


@given(
    job_id=short_texts.filter(bool),
    person=optional_texts,
    share=optional_texts,
    seconds=st.integers(1, 10**9),
    nonce=nonces,
)
def test_a_token_says_what_was_put_in(
    job_id: str, person: str | None, share: str | None, seconds: int, nonce: bytes
) -> None:
    expires_at = NOW + timedelta(seconds=seconds)
    token = mint(SECRET, job_id=job_id, expires_at=expires_at, person=person, share_id=share, nonce=nonce)
    assert token.isascii()
    assert not set(token) - set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")
    said = DownloadGrant(job_id=job_id, expires_at=expires_at, person=person, share_id=share)
    assert read(SECRET, token, now=NOW) == said


def test_a_token_that_was_made_before_there_were_shares_still_opens_its_file() -> None:
    assert read(SECRET, OLD, now=NOW) == DownloadGrant(job_id="c123", expires_at=SOON, person="u1", share_id=None)


def test_another_nonce_makes_another_token_and_half_a_nonce_none() -> None:
    tokens = {mint(SECRET, job_id="c123", expires_at=SOON, nonce=bytes([n] * NONCE_BYTES)) for n in range(5)}
    assert len(tokens) == 5
    assert {read(SECRET, token, now=NOW).job_id for token in tokens} == {"c123"}
    with pytest.raises(ValidationError, match="8 random bytes or none, not 4"):
        mint(SECRET, job_id="c123", expires_at=SOON, nonce=b"1234")


def test_equal_inputs_give_equal_tokens_in_any_time_zone() -> None:
    elsewhere = SOON.astimezone(timezone(timedelta(hours=9)))
    assert mint(SECRET, job_id="c123", expires_at=elsewhere, person="u1") == TOKEN


def test_a_token_for_an_ordinary_job_is_short() -> None:
    assert len(mint(SECRET, job_id="c" * 25, expires_at=SOON)) == 90


@pytest.mark.parametrize("now", [SOON, SOON + timedelta(days=400)])
def test_a_genuine_token_ends_with_its_last_second(now: datetime) -> None:
    assert read(SECRET, TOKEN, now=SOON - timedelta(microseconds=1)).job_id == "c123"
    with pytest.raises(ExpiredLinkError, match="2025-03-01 13:00:00 UTC"):
        read(SECRET, TOKEN, now=now)


def test_another_key_makes_another_token() -> None:
    with pytest.raises(ForgedLinkError):
        read(b"other" * 8, TOKEN, now=NOW)


@pytest.mark.parametrize("position", range(len(TOKEN)))
def test_a_change_anywhere_is_noticed(position: int) -> None:
    for character in "A_9z":
        changed = TOKEN[:position] + character + TOKEN[position + 1 :]
        if changed != TOKEN:
            with pytest.raises(ForgedLinkError):
                read(SECRET, changed, now=NOW)


@pytest.mark.parametrize("changed", [TOKEN + "=", TOKEN + "A", TOKEN[:-1], TOKEN + " ", "\n" + TOKEN, TOKEN * 2, ""])
def test_only_our_own_spelling_counts(changed: str) -> None:
    with pytest.raises(ForgedLinkError):
        read(SECRET, changed, now=NOW)


@given(st.text(alphabet=st.characters(codec=None)) | st.binary().map(lambda data: data.decode("latin-1")))
@example("A" * 5000)
@example("\ud800")
@example("====")
def test_hostile_tokens_are_forged_and_nothing_else(token: str) -> None:
    with pytest.raises(ForgedLinkError):
        read(SECRET, token, now=NOW)


def test_the_message_of_a_refusal_does_not_repeat_the_token() -> None:
    with pytest.raises(ForgedLinkError) as caught:
        read(SECRET, TOKEN[:-2], now=NOW)
    assert TOKEN[:20] not in str(caught.value)


@pytest.mark.parametrize(
    "wrong",
    [
        {"job_id": ""},
        {"job_id": "x" * 256},
        {"person": "x" * 256},
        {"share_id": "x" * 256},
        {"expires_at": datetime(2025, 1, 1)},  # noqa: DTZ001
    ],
)
def test_what_no_token_can_hold_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        mint(SECRET, **({"job_id": "c1", "expires_at": SOON} | wrong))  # type: ignore[arg-type]


def test_an_empty_key_signs_nothing() -> None:
    with pytest.raises(ValidationError):
        mint(b"", job_id="c1", expires_at=SOON)
