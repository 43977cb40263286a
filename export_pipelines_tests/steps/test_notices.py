"""What recipients are told of real exports, read by whoever reads mail and webhooks."""

import json
from dataclasses import replace

import httpx
from standardwebhooks.webhooks import Webhook

from export_pipelines.db import webhooks
from export_pipelines.steps.services import Services
from export_pipelines.steps.sweep import sweep
from export_pipelines.web.app import create_app
from export_pipelines_tests.mail_server import MailServer
from export_pipelines_tests.receiver import Receiver
from export_pipelines_tests.steps.conftest import Clock
from export_pipelines_tests.steps.telling import ADA, SENT, add_hook, body, exported, failed, row, send, told
from export_pipelines_tests.web.site import running


def test_a_finished_export_is_told_by_mail_with_a_link_that_downloads_it(site: Services, mail: MailServer) -> None:
    job = exported(site, told(attach_file=True))
    assert send(site) == [SENT]
    [message] = mail.taken
    assert message["Message-ID"] == f"<{row(site).id}.export-pipelines@example.org>"
    text = body(message)
    with site.store.open(str(job.output_path)) as source:
        data = source.read()
    for fact in (
        job.id,
        str(job.checksum),
        f"{job.expires_at:%Y-%m-%d %H:%M} UTC",
        str(job.output_path).rpartition("/")[2],
    ):
        assert fact in text
        assert fact in body(message, "html")
    [part] = message.iter_attachments()
    assert part.get_payload(decode=True) == data
    link = next(line for line in text.splitlines() if "/downloads/" in line)
    secret = str(site.settings.link_secret).encode()
    with running(create_app(site, secret=secret)) as url:
        assert httpx.get(link.replace(site.settings.public_url, url)).content == data
    assert send(site) == []
    assert (row(site).state, row(site).tries, row(site).claim) == (SENT, 1, None)


def test_a_finished_export_is_told_to_a_webhook_whose_library_takes_the_message(site: Services, hook: Receiver) -> None:
    secret = add_hook(site, hook.url())
    job = exported(site, told("webhook:hook"))
    assert send(site) == [SENT]
    got = hook.received[-1]
    message = Webhook(secret).verify(got.body, got.headers)
    assert got.headers["webhook-id"] == row(site).id
    assert message["type"] == "export.completed"
    data = message["data"]
    assert (data["job_id"], data["size"], data["rows"]) == (job.id, job.output_size_bytes, job.record_count)
    assert (data["checksum"], data["error"]) == (job.checksum, None)
    assert data["link"] == job.output_url
    assert secret.encode() not in webhooks.get(site.database, user_id=job.user_id, name="hook").sealed_secret


def test_a_failure_is_told_with_its_reason_and_without_link_or_file(
    site: Services, mail: MailServer, hook: Receiver
) -> None:
    add_hook(site, hook.url())
    failed(site, told(ADA, "webhook:hook", attach_file=True))
    assert send(site) == [SENT, SENT]
    assert mail.taken[0]["Subject"].startswith("Export failed: ")
    assert "the disk is full" in body(mail.taken[0])
    assert "/downloads/" not in body(mail.taken[0])
    message = json.loads(hook.received[-1].body)
    assert (message["type"], message["data"]["error"], message["data"]["link"]) == (
        "export.failed",
        "the disk is full",
        None,
    )


def test_whoever_asked_for_no_link_gets_none(site: Services, mail: MailServer, hook: Receiver) -> None:
    add_hook(site, hook.url())
    exported(site, told(ADA, "webhook:hook", include_download_link=False))
    assert send(site) == [SENT, SENT]
    assert "/downloads/" not in body(mail.taken[0]) + body(mail.taken[0], "html") + hook.received[-1].body


def test_a_file_that_is_too_large_or_gone_is_not_attached_and_the_mail_says_why(
    site: Services, mail: MailServer, clock: Clock
) -> None:
    exported(site, told(attach_file=True))
    small = replace(site, settings=replace(site.settings, mail_attachment_bytes=100))
    assert send(small) == [SENT]
    exported(site, told(attach_file=True))
    clock.jump(hours=25)
    sweep(site)
    assert send(site) == [SENT]
    large, gone = mail.taken
    assert "at most 100 B are sent by mail" in body(large)
    assert "its time is over" in body(gone)
    assert ["/downloads/" in body(message) for message in mail.taken] == [True, False]
    assert [list(message.iter_attachments()) for message in mail.taken] == [[], []]
