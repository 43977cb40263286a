"""Settings come from the environment once, and a wrong value is named with what would do."""

from datetime import date
from ipaddress import ip_network
from pathlib import Path

import pytest

from export_pipelines.core.errors import ValidationError
from export_pipelines.core.settings import PREFIX, read_settings


def test_with_nothing_set_everything_has_a_default() -> None:
    settings = read_settings({})
    assert settings.home == Path(".local").absolute()
    assert settings.effective_store_url == (settings.home / "store").as_uri()
    assert settings.schemas == {"evaluation": "evaluation", "exports": "exports"}
    assert settings.redirect_downloads is True


def test_what_is_set_is_read() -> None:
    settings = read_settings(
        {
            f"{PREFIX}HOME": "/srv/exports",
            f"{PREFIX}SCHEMAS": "evaluation=public",
            f"{PREFIX}PUBLIC_URL": "https://exports.example.org/",
            f"{PREFIX}SHARD_BYTES": "1000",
            f"{PREFIX}PARALLEL_SHARDS": "2",
            f"{PREFIX}FIRST_DAY": "2024-02-29",
            f"{PREFIX}REDIRECT_DOWNLOADS": "false",
            f"{PREFIX}WEBHOOK_ALLOW_NETWORKS": "10.0.0.0/8, fd00::/8",
            f"{PREFIX}MAIL_ATTACHMENT_BYTES": "0",
        }
    )
    assert settings.schemas["evaluation"] == "public"
    assert settings.public_url == "https://exports.example.org"
    assert (settings.shard_bytes, settings.parallel_shards, settings.redirect_downloads) == (1000, 2, False)
    assert settings.webhook_allow_networks == (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))
    assert settings.mail_attachment_bytes == 0
    assert (settings.first_day, settings.user) == (date(2024, 2, 29), None)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SHARD_BYTES", "0"),
        ("FIRST_DAY", "yesterday"),
        ("SHARD_BYTES", "many"),
        ("PARALLEL_SHARDS", "0"),
        ("STALE_AFTER_SECONDS", "-1"),
        ("SCHEMAS", "evaluation"),
        ("SCHEMAS", "evaluation=a;drop"),
        ("SCHEMAS", "operations=public"),
        ("REDIRECT_DOWNLOADS", "maybe"),
        ("DELIVERY_TRIES", "0"),
        ("WEBHOOK_ALLOW_NETWORKS", "10.0.0.1/8"),
        ("WEBHOOK_ALLOW_NETWORKS", "everything"),
    ],
)
def test_a_wrong_value_is_refused_by_the_name_of_its_variable(name: str, value: str) -> None:
    with pytest.raises(ValidationError, match=f"{PREFIX}{name}"):
        read_settings({f"{PREFIX}{name}": value})


def test_secrets_do_not_show_when_settings_are_printed() -> None:
    settings = read_settings(
        {
            f"{PREFIX}LINK_SECRET": "hush-hush-hush-hush",
            f"{PREFIX}DATABASE_URL": "postgresql://u:pw@h/d",
            f"{PREFIX}SMTP_URL": "smtp://u:pw@h",
            f"{PREFIX}WEBHOOK_KEY": "hush-hush-hush-hush",
        }
    )
    assert "hush" not in repr(settings)
    assert "pw" not in repr(settings)
