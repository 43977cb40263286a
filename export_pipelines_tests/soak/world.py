"""The deployment that is soaked, and the servers around it: each a process of its own that can be taken away."""

import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from export_pipelines.core.settings import read_settings
from export_pipelines.steps import webhooks
from export_pipelines.steps.channels import open_poster
from export_pipelines.steps.services import Services
from export_pipelines.storage.open import open_store
from export_pipelines_tests.chaos.servers import own_server
from export_pipelines_tests.dagster_parts import Parts, answers, started
from export_pipelines_tests.dagster_ui import free_ports, soon
from export_pipelines_tests.receiver import Receiver, receiver
from export_pipelines_tests.s3_refusals import Gate, gate_before
from export_pipelines_tests.s3_servers import BUCKET, aws_variables, client_with, moto_server
from export_pipelines_tests.soak.mailbox import Mailbox

USERS = ("c0soak0", "c0soak1", "c0soak2", "c0soak3")
WEBHOOK = "ours"
TOTAL, PER_USER = 4, 2
STORE = f"s3://{BUCKET}/soak"
_SETTINGS = {
    "EXPORT_PIPELINES_STORE_URL": STORE,
    "EXPORT_PIPELINES_MAX_RUNNING": str(TOTAL),
    "EXPORT_PIPELINES_MAX_RUNNING_PER_USER": str(PER_USER),
    "EXPORT_PIPELINES_RESUME_DELAY_SECONDS": "2",
    "EXPORT_PIPELINES_LAUNCH_GRACE_SECONDS": "20",
    "EXPORT_PIPELINES_STAGING_GRACE_SECONDS": "60",
    # A worker is killed more than once, and by chance twice over the same export.
    "EXPORT_PIPELINES_MAX_RESUMES": "5",
    "EXPORT_PIPELINES_MAIL_FROM": "Exports <exports@example.org>",
    "EXPORT_PIPELINES_WEBHOOK_ALLOW_NETWORKS": "127.0.0.0/8",
    # About sixteen shards of the demonstration run, so that workers are met in the middle.
    "EXPORT_PIPELINES_SHARD_BYTES": "14000",
    # A process for each of them is more than two cores have time for.
    "EXPORT_PIPELINES_PARALLEL_SHARDS": "1000",
}
_USER = "INSERT INTO evaluation.users (id, email, password_hash) VALUES (%s, %s, 'none')"


@dataclass(frozen=True, kw_only=True)
class World:
    """What traffic goes through and faults break.

    Attributes:
        services: the deployment as its processes have it: the store behind the gate.
        past_gate: the same, with a store that always answers, to look at afterwards.
        site: where downloads are.
    """

    parts: Parts
    services: Services
    past_gate: Services
    gate: Gate
    mailbox: Mailbox
    receiver: Receiver
    site: str


@contextmanager
def world(folder: Path) -> Iterator[World]:
    """A deployment with the demonstration data and users who have a webhook each; removed afterwards."""
    (folder / "mail").mkdir(parents=True)
    mailbox = Mailbox(folder=folder / "mail", port=_free_port())
    with (
        own_server() as server,
        moto_server() as s3,
        gate_before(s3.url) as gate,
        receiver(folder / "webhooks") as received,
        started(
            server.address,
            server.template,
            folder / "home",
            EXPORT_PIPELINES_SMTP_URL=f"smtp://127.0.0.1:{mailbox.port}?tls=none",
            **aws_variables(gate.url),
            **_SETTINGS,
        ) as parts,
        closing(mailbox),
    ):
        mailbox.start()
        services = _services(parts, gate.url)
        for user in USERS:
            parts.rows(_USER, user, address_of(user))
            webhooks.add(services, open_poster(services.settings), user_id=user, name=WEBHOOK, url=received.url())
        yield World(
            parts=parts,
            services=services,
            past_gate=replace(services, store=_services(parts, s3.url).store),
            gate=gate,
            mailbox=mailbox,
            receiver=received,
            site=_serve(parts),
        )


def address_of(user: str) -> str:
    """A user's e-mail address."""
    return f"{user}@example.org"


def keep_logs(world: World, folder: Path) -> None:
    """Copy what the deployment's processes said to where it outlives the deployment."""
    folder.mkdir(parents=True, exist_ok=True)
    for log in world.parts.home.glob("*.log"):
        shutil.copy(log, folder)


def _services(parts: Parts, s3_url: str) -> Services:
    return Services(
        database=parts.database,
        store=open_store(STORE, s3_client=client_with(aws_variables(s3_url))),
        settings=read_settings(parts.environ),
        clock=lambda: datetime.now(UTC),
    )


def _serve(parts: Parts) -> str:
    """Start the download service; where it answers."""
    [port] = [int(word.partition("=")[2]) for word in parts.commands["serve"] if word.startswith("--port=")]
    parts.start("serve")
    soon(lambda: answers(port), seconds=120)
    return f"http://127.0.0.1:{port}"


def _free_port() -> int:
    with free_ports(1) as [port]:
        return port
