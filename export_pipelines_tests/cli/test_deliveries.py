"""``export --notify``, ``webhooks`` and ``deliveries`` from outside, with a real mail server and a real receiver."""

from pathlib import Path

from standardwebhooks.webhooks import Webhook

from export_pipelines.core.deliveries import DeliveryRequest
from export_pipelines.db import jobs
from export_pipelines.db.seed import SHOWCASE_DEFINITION_ID
from export_pipelines_tests.db.rows import add_job
from export_pipelines_tests.deployments import Deployment
from export_pipelines_tests.mail_server import mail_server
from export_pipelines_tests.receiver import receiver

EXPORT = ("export", "DEFINITION_MD", "--definition-id", SHOWCASE_DEFINITION_ID)
ALLOWED = {"EXPORT_PIPELINES_WEBHOOK_ALLOW_NETWORKS": "127.0.0.0/8"}


def test_from_adding_a_webhook_to_messages_that_arrive(deployment: Deployment, tmp_path: Path) -> None:
    with mail_server() as mail, receiver(tmp_path / "messages") as hook:
        settings = {
            "EXPORT_PIPELINES_SMTP_URL": mail.url,
            "EXPORT_PIPELINES_MAIL_FROM": "exports@example.org",
            **ALLOWED,
        }
        added = deployment.run("webhooks", "add", "hook", hook.url(), "--json", **settings)
        assert added.status == 0
        secret = added.json["secret"]
        tried = deployment.run("webhooks", "test", "hook", **settings)
        assert (tried.status, tried.out) == (0, "hook answered 200\n")
        assert Webhook(secret).verify(hook.received[0].body, hook.received[0].headers)["type"] == "webhook.test"

        done = deployment.run(
            *EXPORT, "--notify", "ada@example.net", "--notify", "webhook:hook", "--attach", **settings
        )
        assert done.status == 0
        assert "messages to ada@example.net, webhook:hook are sent" in done.err
        sent = deployment.run("deliveries", "send", **settings)
        assert (sent.status, sorted(line.split()[0] for line in sent.out.splitlines())) == (0, ["SENT", "SENT"])
        assert deployment.run("deliveries", "send", **settings).out == "nothing is due\n"
        assert len(list(mail.taken[0].iter_attachments())) == 1
        message = Webhook(secret).verify(hook.received[1].body, hook.received[1].headers)
        assert message["type"] == "export.completed"

        listed = deployment.run("deliveries", "list", "--job", message["data"]["job_id"], "--json")
        assert {(row["recipient"], row["state"]) for row in listed.json} == {
            ("ada@example.net", "SENT"),
            ("webhook:hook", "SENT"),
        }
        shown = deployment.run("jobs", "show", message["data"]["job_id"])
        lines = [line for line in shown.out.splitlines() if "export.completed" in line]
        assert sorted(line.split()[1:5] for line in lines) == [
            ["SENT", "1", "export.completed", "ada@example.net"],
            ["SENT", "1", "export.completed", "webhook:hook"],
        ]
        machine = deployment.run("jobs", "show", message["data"]["job_id"], "--json")
        assert machine.json["deliveries"] == listed.json
        said = (listed, sent, shown, machine, deployment.run("webhooks", "list"))
        assert all(secret not in each.out for each in said)


def test_what_was_given_up_is_listed_with_its_reason_and_can_be_retried(deployment: Deployment) -> None:
    assert deployment.run("deliveries", "list").out == "No deliveries.\n"
    now = deployment.services.clock()
    job = add_job(deployment.database, delivery=DeliveryRequest(recipients=("ada@example.net",)), now=now)
    assert "Who is told hears when it ends." in deployment.run("jobs", "show", job.id).out
    jobs.fail(deployment.database, job_id=job.id, attempt=None, error="the disk is full", now=now)
    sent = deployment.run("deliveries", "send")
    assert sent.status == 1
    assert "1 of 1 messages were not taken" in sent.err
    listed = deployment.run("deliveries", "list", "--state", "dead")
    assert "no mail server is set" in listed.out
    delivery_id = listed.out.splitlines()[1].split()[0]
    assert deployment.run("deliveries", "retry", delivery_id[:20]).status == 0
    assert " PENDING " in deployment.run("deliveries", "list").out
    assert deployment.run("deliveries", "send").status == 1
    again = deployment.run("deliveries", "retry", "--all-dead")
    assert (again.status, again.out) == (0, f"delivery {delivery_id} to ada@example.net is due now\n")


def test_wrong_input_is_refused_with_what_would_do(shared: Deployment) -> None:
    for arguments, said in (
        ((*EXPORT, "--notify", "ada"), "'ada' is no e-mail address"),
        ((*EXPORT, "--notify", "webhook:nosuch"), "has no webhook 'nosuch'"),
        ((*EXPORT, "--attach"), "--notify"),
        (("webhooks", "add", "a b", "https://example.org"), "cannot be the name of a webhook"),
        (("webhooks", "add", "hook", "ftp://example.org"), "a webhook's URL begins with"),
        (("webhooks", "add", "hook", "http://127.0.0.1:9/x"), "EXPORT_PIPELINES_WEBHOOK_ALLOW_NETWORKS"),
        (("webhooks", "remove", "nosuch"), "has no webhook 'nosuch'"),
        (("deliveries", "list", "--state", "lost"), "PENDING, SENT, DEAD"),
        (("deliveries", "retry"), "--all-dead"),
        (("deliveries", "retry", "c0nosuch"), "deliveries list"),
    ):
        refused = shared.run(*arguments)
        assert (refused.status, refused.out) == (2, ""), arguments
        assert said in refused.err


def test_a_webhook_is_listed_paused_resumed_and_removed(deployment: Deployment) -> None:
    assert deployment.run("webhooks", "add", "hook", "http://127.0.0.1:9/x", **ALLOWED).status == 0
    for command, state in (("pause", "paused"), ("resume", "active")):
        assert deployment.run("webhooks", command, "hook").out == f"hook is {state}\n"
        assert f"hook  {state}  " in deployment.run("webhooks", "list").out
    away = deployment.run("webhooks", "test", "hook", **ALLOWED)
    assert (away.status, away.out) == (1, "")
    assert deployment.run("webhooks", "remove", "hook").status == 0
    assert "No webhooks yet" in deployment.run("webhooks", "list").out
