"""Deliveries to a real mail server and a real receiver of webhooks, with everything that fails on the way."""

import socket
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from export_pipelines.db import deliveries, webhooks
from export_pipelines.db.evaluation import users
from export_pipelines.db.seed import DEMO_USER_EMAIL
from export_pipelines.steps.deliver import LEASE, wait_before_next
from export_pipelines.steps.services import Services
from export_pipelines_tests.deployments import Deployment
from export_pipelines_tests.dying import Point
from export_pipelines_tests.mail_server import MailServer
from export_pipelines_tests.receiver import Receiver
from export_pipelines_tests.steps.conftest import Clock
from export_pipelines_tests.steps.telling import ADA, DEAD, PENDING, SENT, add_hook, failed, row, send, told


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


def test_a_job_that_is_deleted_while_its_message_is_about_to_be_sent_takes_it_along(
    site: Services, mail: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed(site, told())
    claim = deliveries.claim

    def deleting(*arguments: Any, **keywords: Any) -> Any:
        taken = claim(*arguments, **keywords)
        with site.database.raw_connection(autocommit=True) as connection:
            connection.execute("DELETE FROM exports.export_jobs")
        return taken

    monkeypatch.setattr(deliveries, "claim", deleting)
    assert send(site) == [DEAD]
    assert deliveries.list_deliveries(site.database) == ()
    assert mail.taken == []
