"""Messages posted to a real receiver in a process of its own: where they may go, and when they count as taken."""

import logging
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path

import pytest
from standardwebhooks.webhooks import Webhook

from export_pipelines.core.errors import (
    DeliveryRefusedError,
    ReceiverGoneError,
    ReceiverUnavailableError,
    ValidationError,
)
from export_pipelines.delivering.payloads import payload
from export_pipelines.delivering.posting import read_url
from export_pipelines.delivering.signatures import new_secret
from export_pipelines.delivering.webhooks import Poster
from export_pipelines_tests.certificates import write_certificate
from export_pipelines_tests.receiver import Receiver, receiver

HERE = (ip_network("127.0.0.0/8"),)
SECRET = new_secret()
POSTER = Poster(allowed=HERE, seconds=5)
NAME = "hooks.example.org"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory):
    with receiver(tmp_path_factory.mktemp("receiver") / "messages") as server:
        yield server


def post(url: str, poster: Poster = POSTER, body: bytes = b"{}") -> int:
    return poster.post(url, body, secret=SECRET, message_id="c0delivery", now=datetime.now(UTC))


class Names:
    """A resolver that answers each time with the next of its answers, and counts how often it was asked."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, int]] = []

    def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append((host, port))
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def test_a_message_arrives_signed_and_the_receivers_library_takes_it(running: Receiver) -> None:
    body = payload("export.completed", at=datetime(2026, 3, 1, 12, tzinfo=UTC), data={"title": "Läufe, 字"})
    assert post(running.url("/status/204"), body=body) == 204
    got = running.received[-1]
    assert Webhook(SECRET).verify(got.body, got.headers) == {
        "type": "export.completed",
        "timestamp": "2026-03-01T12:00:00.000Z",
        "data": {"title": "Läufe, 字"},
    }
    assert got.headers["webhook-id"] == "c0delivery"
    assert got.headers["content-type"] == "application/json"


@pytest.mark.parametrize("status", [400, 401, 404, 500, 502])
def test_any_other_answer_than_success_is_tried_again(running: Receiver, status: int) -> None:
    with pytest.raises(ReceiverUnavailableError, match=f"it answered {status}") as caught:
        post(running.url(f"/status/{status}"))
    assert caught.value.retry_after is None


@pytest.mark.parametrize(("said", "seconds"), [("120", 120), ("soon", None), ("-1", None)])
def test_a_receiver_that_says_when_to_come_back_is_heard(running: Receiver, said: str, seconds: float | None) -> None:
    with pytest.raises(ReceiverUnavailableError) as caught:
        post(running.url(f"/status/503/{said}"))
    assert caught.value.retry_after == seconds


def test_a_receiver_that_is_gone_is_told_apart(running: Receiver) -> None:
    with pytest.raises(ReceiverGoneError, match="wants no more messages"):
        post(running.url("/status/410"))


def test_redirects_are_not_followed(running: Receiver) -> None:
    before = len(running.received)
    with pytest.raises(ReceiverUnavailableError, match="redirects are not followed"):
        post(running.url("/redirect"))
    assert [got.path for got in running.received[before:]] == ["/redirect"]


@pytest.mark.parametrize("mood", ["/drip", "/silent"])
def test_a_receiver_that_takes_its_time_is_left_after_a_while(running: Receiver, mood: str) -> None:
    began = time.monotonic()
    with pytest.raises(ReceiverUnavailableError, match="no answer within 1 seconds"):
        post(running.url(mood), replace(POSTER, seconds=1.0))
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("mood", ["/endless", "/early"])
def test_what_follows_the_head_of_an_answer_does_not_matter(running: Receiver, mood: str) -> None:
    assert post(running.url(mood)) == 200


def test_a_receiver_that_is_down_is_away() -> None:
    with pytest.raises(ReceiverUnavailableError, match=r"the webhook at 127\.0\.0\.1 did not take the message"):
        post("http://127.0.0.1:9/hook")


def test_without_the_setting_nothing_here_is_reached(running: Receiver) -> None:
    before = len(running.received)
    for host in ("127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "[::1]", "2130706433", "127.1"):
        with pytest.raises(DeliveryRefusedError, match="not public"):
            post(running.url(host=host), Poster())
    assert running.received[before:] == []


def test_a_name_is_resolved_once_and_the_address_that_was_checked_is_the_one_that_is_reached(
    running: Receiver,
) -> None:
    # Whoever rebinds the name answers with a harmless address first, and with the target's from then on.
    rebinding = Names(["127.0.0.1"], ["169.254.169.254"])
    assert post(running.url(host=NAME), replace(POSTER, resolver=rebinding)) == 200
    assert rebinding.asked == [(NAME, running.port)]
    assert running.received[-1].headers["host"] == f"{NAME}:{running.port}"

    before = len(running.received)
    turned = Names(["8.8.8.8", "127.0.0.1"], ["127.0.0.1"])
    with pytest.raises(DeliveryRefusedError, match=r"has the address 127\.0\.0\.1"):
        post(running.url(host=NAME), Poster(resolver=turned))
    assert len(turned.asked) == 1
    assert running.received[before:] == []


def test_of_several_addresses_the_next_is_tried_when_one_does_not_answer(running: Receiver) -> None:
    assert post(running.url(host=NAME), replace(POSTER, resolver=Names(["127.9.9.9", "127.0.0.1"]))) == 200


def test_a_secure_receiver_is_known_by_its_name_although_an_address_is_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = write_certificate(tmp_path / "hooks.pem", NAME)
    poster = replace(POSTER, resolver=Names(["127.0.0.1"]))
    with receiver(tmp_path / "messages", certificate=certificate) as secure:
        with pytest.raises(ReceiverUnavailableError, match="certificate verify failed"):
            post(secure.url(host=NAME, scheme="https"), poster)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert post(secure.url(host=NAME, scheme="https"), poster) == 200
        with pytest.raises(ReceiverUnavailableError, match="certificate verify failed"):
            post(secure.url(host="other.example.org", scheme="https"), poster)
        assert len(secure.received) == 1


def test_the_environments_proxy_is_not_asked(running: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert post(running.url()) == 200


def test_addresses_and_secrets_are_not_logged(running: Receiver, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        post(running.url("/status/200?token=hush"))
        with pytest.raises(ReceiverUnavailableError) as caught:
            post(running.url("/status/500?token=hush"))
    assert "hush" not in caplog.text + str(caught.value)
    assert SECRET not in caplog.text


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hooks.example.org",
        "ftp://example.org",
        "file:///etc/passwd",
        "http://",
        "https:///path",
        "https://user:hush@example.org/",
        "https://example.org/#hush",
        "https://example.org:0/",
        "https://example.org:99999/",
        "https://exa mple.org/",
        "https://example.org/" + "x" * 2000,
        "https://example.org/\r\nhush: 1",
        "https://[::1/",
    ],
)
def test_what_can_be_no_webhook_is_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(ValidationError, match="a webhook's URL begins with") as caught:
        read_url(url)
    assert "hush" not in str(caught.value)
