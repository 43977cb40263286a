"""Mail handed to a real server, and what becomes of every way in which it can refuse or fail."""

import smtplib
import socket
import ssl
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from export_pipelines.core.errors import (
    DeliveryRefusedError,
    MailServerUnavailableError,
    ReceiverUnavailableError,
    ValidationError,
)
from export_pipelines.delivering.addresses import read_address
from export_pipelines.delivering.mail import compose
from export_pipelines.delivering.smtp import MailServer, read_server
from export_pipelines_tests import mail_server as servers
from export_pipelines_tests.certificates import write_certificate
from export_pipelines_tests.delivering.samples import NOW, RECIPIENT, SENDER, notice


def send(server: MailServer, to: str = RECIPIENT.address) -> None:
    message = compose(notice(title="Läufe, 字"), sender=SENDER, recipient=read_address(to), now=NOW)
    server.send(message, sender=SENDER.address, recipient=read_address(to).address)


@pytest.fixture(scope="module")
def running():
    with servers.mail_server() as server:
        yield server


def test_a_mail_arrives_as_it_was_written(running: servers.MailServer) -> None:
    send(read_server(running.url))
    [message] = running.taken
    assert running.envelopes == [("exports@example.org", ["ada@example.net"])]
    assert message["Subject"] == "Export ready: Läufe, 字"
    assert message["Message-ID"] == "<c0delivery.export-pipelines@example.org>"
    assert message.get_body(["html"]) is not None


def test_a_recipient_that_is_not_known_is_refused_for_good_and_one_that_is_greylisted_for_now(
    running: servers.MailServer,
) -> None:
    running.refused = {"nobody@example.net": "550 no such user", "grey@example.net": "451 come back later"}
    with pytest.raises(DeliveryRefusedError, match=r"nobody@example\.net: 550 no such user"):
        send(read_server(running.url), "nobody@example.net")
    with pytest.raises(ReceiverUnavailableError, match="451 come back later") as caught:
        send(read_server(running.url), "grey@example.net")
    assert not isinstance(caught.value, MailServerUnavailableError)


def test_a_mail_that_is_too_large_is_refused_for_good() -> None:
    with servers.mail_server(data_size_limit=500) as small, pytest.raises(DeliveryRefusedError, match="552"):
        send(read_server(small.url))


@pytest.mark.parametrize(
    ("answer", "kind"), [("554 looks like spam", DeliveryRefusedError), ("451 disk full", ReceiverUnavailableError)]
)
def test_what_the_server_says_after_the_content_decides(
    running: servers.MailServer, answer: str, kind: type[Exception]
) -> None:
    running.answers = [answer]
    with pytest.raises(kind, match=answer):
        send(read_server(running.url))


def test_a_server_that_takes_the_mail_and_hangs_up_before_it_says_so_is_asked_again(
    running: servers.MailServer,
) -> None:
    before = len(running.taken)
    running.hang_up = True
    with pytest.raises(MailServerUnavailableError, match="did not say whether it took the mail"):
        send(read_server(running.url))
    send(read_server(running.url))
    assert len({message["Message-ID"] for message in running.taken[before:]}) == 1
    assert len(running.taken) == before + 2


def test_a_server_that_is_down_silent_or_no_mail_server_is_away() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        with pytest.raises(MailServerUnavailableError, match="refused"):
            send(read_server(f"smtp://127.0.0.1:{closed.getsockname()[1]}"))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        server = replace(read_server(f"smtp://127.0.0.1:{silent.getsockname()[1]}"), seconds=0.2)
        began = time.monotonic()
        with pytest.raises(MailServerUnavailableError, match="timed out"):
            send(server)
        assert time.monotonic() - began < 5
    with socket.create_server(("127.0.0.1", 0)) as other:
        threading.Thread(target=_say, args=(other, b"SSH-2.0-OpenSSH_9.2\r\n"), daemon=True).start()
        with pytest.raises(MailServerUnavailableError):
            send(replace(read_server(f"smtp://127.0.0.1:{other.getsockname()[1]}"), seconds=2))


def _say(listener: socket.socket, text: bytes) -> None:
    connection, _ = listener.accept()
    with connection:
        connection.sendall(text)
        connection.recv(1000)


def test_an_address_beyond_ascii_needs_a_server_that_knows_such() -> None:
    with (
        servers.mail_server(enable_SMTPUTF8=False) as old,
        pytest.raises(DeliveryRefusedError, match="knows no addresses beyond ASCII"),
    ):
        send(read_server(old.url), "adé@example.net")
    with servers.mail_server(enable_SMTPUTF8=True) as modern:
        send(read_server(modern.url), "adé@example.net")
        assert modern.envelopes == [("exports@example.org", ["adé@example.net"])]
        assert modern.taken[0]["Subject"] == "Export ready: Läufe, 字"


def test_with_a_password_the_connection_is_secured_and_its_certificate_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = write_certificate(tmp_path / "localhost.pem", "localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    quoted = "a%20password%2Fwith%3Asigns%40in%20it"
    with servers.mail_server(tls=context) as server:
        url = f"smtp://{servers.USER}:{{}}@{{}}:{server.port}"
        with pytest.raises(MailServerUnavailableError, match="certificate verify failed"):
            send(read_server(url.format(quoted, "localhost")))
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        send(read_server(url.format(quoted, "localhost")))
        assert server.secured == [True]
        with pytest.raises(MailServerUnavailableError, match="certificate verify failed"):
            send(read_server(url.format(quoted, "127.0.0.1")))
        with pytest.raises(MailServerUnavailableError, match="does not accept our user and password") as caught:
            send(read_server(url.format("wrong%20one", "localhost")))
        assert "wrong one" not in str(caught.value)
        assert len(server.taken) == 1


def test_a_server_without_tls_gets_no_password(running: servers.MailServer) -> None:
    with pytest.raises(MailServerUnavailableError, match="STARTTLS"):
        send(read_server(f"smtp://ada:secret@127.0.0.1:{running.port}"))


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://mail.example", ("mail.example", 25, "none", None, None)),
        ("smtp://mail.example?tls=starttls", ("mail.example", 587, "starttls", None, None)),
        ("smtp://a%40b:p%2F@mail.example", ("mail.example", 587, "starttls", "a@b", "p/")),
        ("smtps://u:p@mail.example", ("mail.example", 465, "implicit", "u", "p")),
        ("smtps://mail.example:2465/", ("mail.example", 2465, "implicit", None, None)),
        ("smtp://[::1]:2525?tls=none", ("::1", 2525, "none", None, None)),
    ],
)
def test_the_setting_is_read(url: str, expected: tuple[object, ...]) -> None:
    server = read_server(url)
    assert (server.host, server.port, server.tls, server.user, server.password) == expected
    assert server.password is None or repr(server.password) not in repr(server)


@pytest.mark.parametrize(
    "url",
    [
        "mail.example",
        "http://mail.example",
        "smtp://",
        "smtp://hush@mail.example:many",
        "smtp://u:hush@mail.example?tls=none",
        "smtp://u:hush@mail.example?tls=maybe",
        "smtp://u:hush@mail.example?starttls=1",
        "smtps://u:hush@mail.example?tls=none",
        "smtp://u:hush@mail.example/path",
    ],
)
def test_a_setting_of_another_shape_is_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(ValidationError, match="EXPORT_PIPELINES_SMTP_URL takes") as caught:
        read_server(url)
    assert "hush" not in str(caught.value)


def test_what_goes_wrong_after_the_mail_was_taken_does_not_have_it_sent_again(
    running: servers.MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hang_up(session: smtplib.SMTP) -> None:
        session.close()
        raise smtplib.SMTPServerDisconnected("gone")

    monkeypatch.setattr(smtplib.SMTP, "quit", hang_up)
    before = len(running.taken)
    send(read_server(running.url))
    assert len(running.taken) == before + 1
