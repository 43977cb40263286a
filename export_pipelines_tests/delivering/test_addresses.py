"""What is an e-mail address, and what only looks like one."""

import pytest

from export_pipelines.core.errors import ValidationError
from export_pipelines.delivering.addresses import read_address, read_sender


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("ada@example.org", "ada@example.org"),
        (" Ada.Lovelace+exports@EXAMPLE.org ", "Ada.Lovelace+exports@example.org"),
        ("ada@bücher.example", "ada@xn--bcher-kva.example"),
        ("adé@bücher.example", "adé@xn--bcher-kva.example"),
        ("ada@intranet", "ada@intranet"),
    ],
)
def test_an_address_gets_its_one_spelling(typed: str, address: str) -> None:
    assert read_address(typed).address == address


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "ada",
        "ada@",
        "@example.org",
        "ada@example..org",
        "a b@example.org",
        "ada@example.org, eve@example.org",
        "ada@example.org\nBcc: eve@example.org",
        "ada@example.org\r\nDATA",
        "Ada <ada@example.org>",
        "ada@[127.0.0.1]",
        "ada\x00@example.org",
    ],
)
def test_what_is_no_address_is_refused(typed: str) -> None:
    with pytest.raises(ValidationError, match="is no e-mail address"):
        read_address(typed)


@pytest.mark.parametrize(
    ("setting", "name", "address"),
    [
        ("exports@example.org", "", "exports@example.org"),
        ("Exports <exports@example.org>", "Exports", "exports@example.org"),
        ('"Exports, nightly" <exports@example.org>', "Exports, nightly", "exports@example.org"),
        ("Exporte für alle <exports@example.org>", "Exporte für alle", "exports@example.org"),
    ],
)
def test_whom_mail_is_from_may_have_a_name(setting: str, name: str, address: str) -> None:
    sender = read_sender(setting)
    assert (sender.name, sender.address) == (name, address)


def test_a_sender_without_address_is_refused_by_the_settings_name() -> None:
    with pytest.raises(ValidationError, match="EXPORT_PIPELINES_MAIL_FROM"):
        read_sender("Exports")
