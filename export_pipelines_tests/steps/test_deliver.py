"""Messages about real exports to a real mail server and a real receiver of webhooks, with everything that fails."""

import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_network
from typing import Any

import httpx
import pytest
from standardwebhooks.webhooks import Webhook

from export_pipelines.core.deliveries import Delivery, DeliveryRequest, DeliveryState
from export_pipelines.core.jobs import ExportJob
from export_pipelines.db import deliveries, jobs, webhooks
from export_pipelines.db.evaluation import users
from export_pipelines.db.seed import DEMO_USER_EMAIL
from export_pipelines.steps import webhooks as hooks
from export_pipelines.steps.channels import Channels, open_channels
from export_pipelines.steps.deliver import LEASE, deliver, wait_before_next
from export_pipelines.steps.export import run_export
from export_pipelines.steps.services import Services
from export_pipelines.steps.submit import submit
from export_pipelines.steps.sweep import sweep
from export_pipelines.web.app import create_app
from export_pipelines_tests.deployments import Deployment
from export_pipelines_tests.dying import Point
from export_pipelines_tests.mail_server import MailServer, mail_server
from export_pipelines_tests.receiver import Receiver, receiver
from export_pipelines_tests.steps.conftest import Clock
from export_pipelines_tests.steps.orders import order
from export_pipelines_tests.web.site import running

ADA = "ada@example.net"
PENDING, SENT, DEAD = DeliveryState.PENDING, DeliveryState.SENT, DeliveryState.DEAD


@pytest.fixture
def mail() -> Iterator[MailServer]:
    with mail_server() as server:
        yield server


@pytest.fixture(scope="module")
def hook(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    with receiver(tmp_path_factory.mktemp("receiver") / "messages") as server:
        yield server


@pytest.fixture
def site(services: Services, mail: MailServer) -> Services:
    """A deployment that sends mail, and whose webhooks may reach this machine."""
    settings = replace(
        services.settings,
        smtp_url=mail.url,
        mail_from="Exports <exports@example.org>",
        link_secret="a key of the links for tests",
        webhook_allow_networks=(ip_network("127.0.0.0/8"),),
    )
    return replace(services, settings=settings)


def told(*recipients: str, **fields: Any) -> DeliveryRequest:
    return DeliveryRequest(recipients=recipients or (ADA,), **fields)


def exported(services: Services, delivery: DeliveryRequest) -> ExportJob:
    """A real export with somebody to tell."""
    return run_export(services, submit(services, replace(order("DEFINITION_MD"), delivery=delivery)).id)


def failed(services: Services, delivery: DeliveryRequest, error: str = "the disk is full") -> ExportJob:
    """A job that has failed; quicker to have than a finished one."""
    job = submit(services, replace(order("DEFINITION_MD"), delivery=delivery))
    jobs.fail(services.database, job_id=job.id, attempt=None, error=error, now=services.clock())
    return jobs.get(services.database, job.id)


def add_hook(services: Services, url: str, name: str = "hook") -> str:
    """A webhook of the demonstration user; its secret."""
    user = users.get_by_email(services.database, DEMO_USER_EMAIL)
    poster = open_channels(services.settings).webhooks
    return hooks.add(services, poster, user_id=user.id, name=name, url=url).secret


def send(services: Services, **limits: Any) -> list[DeliveryState]:
    return [sent.state for sent in deliver(services, channels(services), **limits)]


def channels(services: Services) -> Channels:
    return open_channels(services.settings)


def row(services: Services) -> Delivery:
    [delivery] = deliveries.list_deliveries(services.database)
    return delivery


def body(message: Any, kind: str = "plain") -> str:
    return message.get_body([kind]).get_content()


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
    with running(create_app(site.database, site.store, secret=secret, clock=site.clock, redirect=False)) as url:
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


def test_a_mail_server_that_is_down_delays_all_mail_and_nothing_else(
    site: Services, mail: MailServer, hook: Receiver, clock: Clock
) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        down = replace(site, settings=replace(site.settings, smtp_url=f"smtp://127.0.0.1:{closed.getsockname()[1]}"))
        add_hook(site, hook.url())
        failed(site, told(ADA, "bob@example.net", "webhook:hook"))
        # One mail finds out, the other is not tried for nothing; the webhook hears of it all the same.
        assert sorted(send(down)) == [PENDING, SENT]
        assert send(down) == [PENDING]
        assert send(down) == []
    waits = {delivery.tries: delivery for delivery in deliveries.list_deliveries(site.database, state=PENDING)}
    assert "cannot be used" in str(waits[1].last_error)
    clock.jump(seconds=31)
    assert send(site) == [SENT, SENT]
    assert len(mail.taken) == 2


def test_waits_double_until_the_message_is_given_up_and_a_retry_gives_it_all_its_tries_again(
    site: Services, hook: Receiver, clock: Clock
) -> None:
    add_hook(site, hook.url("/status/500"))
    site = replace(site, settings=replace(site.settings, delivery_tries=4))
    failed(site, told("webhook:hook"))
    waits = []
    while send(site) == [PENDING]:
        waits.append(round((row(site).next_try_at - clock.now).total_seconds()))
        assert send(site) == []
        clock.jump(seconds=waits[-1] + 1)
    assert waits == [30, 60, 120]
    assert (row(site).state, row(site).tries) == (DEAD, 4)
    assert str(row(site).last_error).startswith("given up after 4 tries: the webhook at 127.0.0.1")
    assert "it answered 500" in str(row(site).last_error)
    clock.jump(days=1)
    assert send(site) == []
    deliveries.retry(site.database, row(site).id, now=clock())
    assert send(site) == [PENDING]
    assert len({got.headers["webhook-id"] for got in hook.received if got.headers["webhook-id"] == row(site).id}) == 1


def test_waits_are_bounded_and_a_receiver_may_ask_for_longer_ones() -> None:
    assert wait_before_next(1) == timedelta(seconds=30)
    assert wait_before_next(1000) == timedelta(hours=4)
    assert wait_before_next(1, retry_after=300) == timedelta(seconds=300)
    assert wait_before_next(1, retry_after=999_999) == timedelta(hours=4)


def test_a_receiver_that_is_gone_has_its_webhook_paused(site: Services, hook: Receiver) -> None:
    add_hook(site, hook.url("/status/410"))
    failed(site, told("webhook:hook"))
    assert send(site) == [DEAD]
    user = users.get_by_email(site.database, DEMO_USER_EMAIL)
    assert not webhooks.get(site.database, user_id=user.id, name="hook").active
    deliveries.retry(site.database, row(site).id, now=site.clock())
    before = len(hook.received)
    assert send(site) == [DEAD]
    assert "is paused" in str(row(site).last_error)
    assert len(hook.received) == before


def test_a_webhook_that_was_removed_or_leads_to_a_private_place_by_now_is_given_up(
    site: Services, hook: Receiver
) -> None:
    add_hook(site, hook.url())
    job = failed(site, told("webhook:hook"))
    strict = replace(site, settings=replace(site.settings, webhook_allow_networks=()))
    before = len(hook.received)
    assert send(strict) == [DEAD]
    assert "not public" in str(row(site).last_error)
    webhooks.remove(site.database, user_id=job.user_id, name="hook")
    deliveries.retry(site.database, row(site).id, now=site.clock())
    assert send(site) == [DEAD]
    assert "has no webhook 'hook'" in str(row(site).last_error)
    assert hook.received[before:] == []


def test_a_webhook_whose_secret_cannot_be_read_any_more_is_given_up_with_what_to_do(
    site: Services, hook: Receiver
) -> None:
    add_hook(site, hook.url())
    failed(site, told("webhook:hook"))
    (site.settings.home / "webhook.key").write_bytes(b"k" * 32)
    assert send(site) == [DEAD]
    assert "add it again" in str(row(site).last_error)


def test_a_refused_mailbox_is_given_up_at_once(site: Services, mail: MailServer) -> None:
    mail.refused[ADA] = "550 no such user here"
    failed(site, told())
    assert send(site) == [DEAD]
    assert "550 no such user here" in str(row(site).last_error)


def test_without_a_mail_server_mail_is_given_up_and_says_what_to_set(site: Services, mail: MailServer) -> None:
    failed(site, told())
    assert send(replace(site, settings=replace(site.settings, smtp_url=None))) == [DEAD]
    assert "EXPORT_PIPELINES_SMTP_URL" in str(row(site).last_error)
    assert f"deliveries retry {row(site).id}" in str(row(site).last_error)
    deliveries.retry(site.database, row(site).id, now=site.clock())
    assert send(site) == [SENT]
    assert len(mail.taken) == 1


def test_a_mail_that_was_taken_without_a_word_comes_again_under_the_same_name(
    site: Services, mail: MailServer, clock: Clock
) -> None:
    mail.hang_up = True
    failed(site, told())
    assert send(site) == [PENDING]
    clock.jump(seconds=31)
    assert send(site) == [SENT]
    first, second = mail.taken
    assert first["Message-ID"] == second["Message-ID"]


@pytest.mark.parametrize("recipient", [ADA, "webhook:hook"])
def test_a_sender_that_is_killed_before_it_has_noted_the_sending_leaves_it_to_the_next_under_the_same_name(
    site: Services, mail: MailServer, hook: Receiver, clock: Clock, recipient: str
) -> None:
    add_hook(site, hook.url())
    before = len(hook.received)
    failed(site, told(recipient))
    settings = {
        "EXPORT_PIPELINES_SMTP_URL": mail.url,
        "EXPORT_PIPELINES_MAIL_FROM": "exports@example.org",
        "EXPORT_PIPELINES_WEBHOOK_ALLOW_NETWORKS": "127.0.0.0/8",
    }
    point = Point(target="export_pipelines.db.deliveries:mark_sent", when="before")
    died = Deployment(services=site).fork(point, "cli", "deliveries", "send", **settings).wait()
    assert died.status == -9
    assert (row(site).state, row(site).tries, row(site).claim is None) == (PENDING, 1, False)
    assert send(site) == []
    # The other process's clock went on while ours stood.
    clock.jump(seconds=LEASE.total_seconds() + 200)
    assert send(site) == [SENT]
    names = [message["Message-ID"] for message in mail.taken]
    names += [got.headers["webhook-id"] for got in hook.received[before:]]
    assert len(names) == 2
    assert len(set(names)) == 1
    bodies = {got.body for got in hook.received[before:]}
    assert len(bodies) <= 1


def test_a_message_that_kills_every_sender_is_given_up_in_the_end(site: Services, clock: Clock) -> None:
    site = replace(site, settings=replace(site.settings, delivery_tries=2))
    failed(site, told())
    for _ in range(2):
        assert deliveries.claim(site.database, now=clock(), lease=LEASE)
        clock.jump(minutes=6)
    assert send(site) == [DEAD]
    assert "the sender died" in str(row(site).last_error)


def test_several_senders_at_once_send_each_message_once(site: Services, mail: MailServer) -> None:
    recipients = [f"user{number}@example.net" for number in range(20)]
    failed(site, told(*recipients))
    with ThreadPoolExecutor(4) as pool:
        rounds = list(pool.map(lambda _: send(site), range(4)))
    while more := send(site):
        rounds.append(more)
    assert [state for each in rounds for state in each] == [SENT] * 20
    assert sorted(recipient for _, [recipient] in mail.envelopes) == sorted(recipients)


def test_one_round_is_bounded_in_number_and_time(site: Services, mail: MailServer, clock: Clock) -> None:
    failed(site, told(*(f"user{number}@example.net" for number in range(6))))
    assert send(site, most=4) == [SENT] * 4
    assert send(site, seconds=0) == []
    assert send(site) == [SENT] * 2
