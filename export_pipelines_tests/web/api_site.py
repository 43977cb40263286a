"""The HTTP API under test: a real server on the demonstration data, people with keys, and jobs in every state."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

import httpx

from export_pipelines.core.jobs import ExportJob, JobStatus
from export_pipelines.db import administrators, jobs, sessions
from export_pipelines.db.evaluation import api_keys
from export_pipelines.db.tables import ExportShareRow
from export_pipelines.orchestration.cron import wall_times
from export_pipelines.steps.export import run_export
from export_pipelines.steps.services import Services
from export_pipelines.steps.submit import Order, submit
from export_pipelines.web.app import create_app
from export_pipelines.web.callers import CSRF_HEADER, SESSION_COOKIE, form_token
from export_pipelines.web.context import Web
from export_pipelines_tests.db.rows import add, add_user
from export_pipelines_tests.web.site import SECRET, running

PEOPLE = ("owner", "viewer", "other", "administrator")
RUN = "Courtyard, many languages, April"


@dataclass(frozen=True, kw_only=True)
class ApiSite:
    """The running service.

    Attributes:
        people: user id by role: owner, viewer, other, administrator.
        keys: API key by role.
        clients: by role, each with its key; ``nobody`` has none.
    """

    url: str
    services: Services
    people: Mapping[str, str]
    keys: Mapping[str, str]
    clients: Mapping[str, httpx.Client]

    @property
    def owner(self) -> httpx.Client:
        return self.clients["owner"]

    def job(self, status: JobStatus = JobStatus.PENDING, *, of: str = "owner") -> ExportJob:
        """A job of theirs in this state; a completed one has a real file."""
        services = self.services
        job = submit(services, Order(type="BULK_CSV", user=self.people[of], run_id=RUN), claimed_by="test")
        if status in (JobStatus.COMPLETED, JobStatus.EXPIRED):
            job = run_export(services, job.id)
        if status is JobStatus.EXPIRED:
            late = job.expires_at
            assert late is not None
            jobs.expire(services.database, job.id, now=late)
        if status is JobStatus.CANCELLED:
            jobs.cancel(services.database, job.id, now=services.clock())
        if status is JobStatus.FAILED:
            jobs.fail(services.database, job_id=job.id, attempt=1, error="a reason", now=services.clock())
        if status is JobStatus.PROCESSING:
            jobs.claim(services.database, job.id, dagster_run_id=None, now=services.clock())
        return jobs.get(services.database, job.id)

    def share(self, job: ExportJob, *, with_: str = "viewer", days: float = 1) -> str:
        """A grant that lets them read the job; its id."""
        now = self.services.clock()
        row = ExportShareRow(
            job_id=job.id,
            created_by=job.user_id,
            user_id=self.people[with_],
            created_at=now - timedelta(days=30),
            expires_at=now + timedelta(days=days),
        )
        return add(self.services.database, row)

    def session(self, of: str = "owner") -> httpx.Client:
        """A client with a session's cookie instead of a key, and its form token."""
        token = sessions.begin(
            self.services.database, user_id=self.people[of], secret=SECRET, now=self.services.clock(), hours=12
        )
        web = Web(services=self.services, secret=SECRET)
        return httpx.Client(
            base_url=self.url, cookies={SESSION_COOKIE: token}, headers={CSRF_HEADER: form_token(web, token)}
        )


@contextmanager
def api_site(services: Services, **settings: object) -> Iterator[ApiSite]:
    """The service on these collaborators, with people who have keys."""
    values = {"link_secret": SECRET.decode(), **settings}
    chosen = replace(services, settings=replace(services.settings, **values))  # type: ignore[arg-type]
    people = {name: add_user(services.database, f"{name}@example.org") for name in PEOPLE}
    administrators.appoint(services.database, people["administrator"], now=services.clock())
    keys = {name: new_key(chosen, user_id) for name, user_id in people.items()}
    with running(create_app(chosen, secret=SECRET, wall_times=wall_times)) as url, ExitStack() as open_clients:

        def client(headers: Mapping[str, str]) -> httpx.Client:
            return open_clients.enter_context(httpx.Client(base_url=url, timeout=30, headers=dict(headers)))

        clients = {name: client({"Authorization": f"Bearer {key}"}) for name, key in keys.items()}
        clients["nobody"] = client({})
        yield ApiSite(url=url, services=chosen, people=people, keys=keys, clients=clients)


def new_key(services: Services, user_id: str, **fields: object) -> str:
    """An API key of the user."""
    made = api_keys.create(
        services.database,
        user_id=user_id,
        name="test",
        secret=SECRET,
        now=services.clock(),
        **fields,  # type: ignore[arg-type]
    )
    return made.key
