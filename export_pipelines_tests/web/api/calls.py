"""Every call of the API, and a thing of the owner's to make it on, so that the owner succeeds."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from export_pipelines.core.jobs import ExportJob, JobStatus
from export_pipelines_tests.web.api.test_deliveries import given_up
from export_pipelines_tests.web.api.test_schedules import NIGHTLY
from export_pipelines_tests.web.api.test_subscriptions import ALL
from export_pipelines_tests.web.api_site import RUN, ApiSite

ORDER = {"type": "BULK_CSV", "runId": RUN}
_numbers = count()


@dataclass(frozen=True, kw_only=True)
class Call:
    """One request; its path without what stands in braces."""

    path: str
    body: Mapping[str, Any] | None = None
    query: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Ground:
    """What calls are made on: the service, a receiver of webhooks, and an export that is finished and shared."""

    api: ApiSite
    hook: str
    finished: ExportJob

    def export(self, status: JobStatus = JobStatus.PENDING) -> str:
        """A new export of the owner's, shared with the viewer; its path."""
        job = self.api.job(status)
        self.api.share(job)
        return f"/api/exports/{job.id}"

    def made(self, path: str, body: Mapping[str, Any]) -> str:
        """Something new of the owner's; its path."""
        answer = self.api.owner.post(path, json={**body, "name": f"n{next(_numbers)}"})
        assert answer.status_code == 201, answer.text
        return f"{path}/{answer.json().get('id', answer.json()['name'])}"

    @property
    def shared(self) -> str:
        return f"/api/exports/{self.finished.id}"

    def schedule(self) -> str:
        return self.made("/api/schedules", NIGHTLY)

    def subscription(self) -> str:
        return self.made("/api/subscriptions", ALL)

    def webhook(self) -> str:
        return self.made("/api/webhooks", {"url": self.hook})

    def delivery(self) -> str:
        """A message that was given up."""
        job_id = given_up(self.api)
        [one] = self.api.owner.get("/api/deliveries", params={"job": job_id}).json()["items"]
        return f"/api/deliveries/{one['id']}"


def named(body: Mapping[str, Any]) -> dict[str, Any]:
    return {**body, "name": f"n{next(_numbers)}"}


def to_somebody() -> dict[str, Any]:
    return {"to": f"reader{next(_numbers)}@example.org", "expiresInDays": 1}


CALLS: Mapping[str, Callable[[Ground], Call]] = {
    "GET /api/me": lambda _: Call(path="/api/me"),
    "GET /api/types": lambda _: Call(path="/api/types"),
    "GET /api/runs": lambda _: Call(path="/api/runs"),
    "GET /api/definitions": lambda _: Call(path="/api/definitions"),
    "POST /api/exports/preview": lambda _: Call(path="/api/exports/preview", body=ORDER),
    "POST /api/exports": lambda _: Call(path="/api/exports", body=ORDER),
    "GET /api/exports": lambda _: Call(path="/api/exports"),
    "GET /api/exports/{export_id}": lambda on: Call(path=on.shared),
    "DELETE /api/exports/{export_id}": lambda on: Call(path=on.export()),
    "POST /api/exports/{export_id}/retry": lambda on: Call(path=on.export(JobStatus.CANCELLED) + "/retry"),
    "GET /api/exports/{export_id}/status": lambda on: Call(path=on.shared + "/status"),
    "GET /api/exports/{export_id}/events": lambda on: Call(path=on.shared + "/events"),
    "GET /api/exports/{export_id}/download": lambda on: Call(path=on.shared + "/download"),
    "POST /api/exports/{export_id}/share": lambda on: Call(path=on.shared + "/share", body=to_somebody()),
    "GET /api/exports/{export_id}/share": lambda on: Call(path=on.shared + "/share"),
    "DELETE /api/exports/{export_id}/share/{grant}": lambda on: Call(
        path=f"{on.shared}/share/{on.api.share(on.finished, with_='administrator')}"
    ),
    "GET /api/schedules": lambda _: Call(path="/api/schedules"),
    "POST /api/schedules": lambda _: Call(path="/api/schedules", body=named(NIGHTLY)),
    "GET /api/schedules/preview": lambda _: Call(path="/api/schedules/preview", query={"pattern": "@daily"}),
    "GET /api/schedules/{schedule_id}": lambda on: Call(path=on.schedule()),
    "PATCH /api/schedules/{schedule_id}": lambda on: Call(path=on.schedule(), body={"timezone": "Asia/Tokyo"}),
    "DELETE /api/schedules/{schedule_id}": lambda on: Call(path=on.schedule()),
    "POST /api/schedules/{schedule_id}/pause": lambda on: Call(path=on.schedule() + "/pause"),
    "POST /api/schedules/{schedule_id}/resume": lambda on: Call(path=on.schedule() + "/resume"),
    "POST /api/schedules/{schedule_id}/run-now": lambda on: Call(path=on.schedule() + "/run-now"),
    "GET /api/subscriptions": lambda _: Call(path="/api/subscriptions"),
    "POST /api/subscriptions": lambda _: Call(path="/api/subscriptions", body=named(ALL)),
    "GET /api/subscriptions/{subscription_id}": lambda on: Call(path=on.subscription()),
    "PATCH /api/subscriptions/{subscription_id}": lambda on: Call(path=on.subscription(), body={"tag": "health"}),
    "DELETE /api/subscriptions/{subscription_id}": lambda on: Call(path=on.subscription()),
    "POST /api/subscriptions/{subscription_id}/pause": lambda on: Call(path=on.subscription() + "/pause"),
    "POST /api/subscriptions/{subscription_id}/resume": lambda on: Call(path=on.subscription() + "/resume"),
    "GET /api/deliveries": lambda _: Call(path="/api/deliveries"),
    "GET /api/deliveries/{delivery_id}": lambda on: Call(path=on.delivery()),
    "POST /api/deliveries/{delivery_id}/retry": lambda on: Call(path=on.delivery() + "/retry"),
    "POST /api/deliveries/retry-dead": lambda _: Call(path="/api/deliveries/retry-dead"),
    "GET /api/webhooks": lambda _: Call(path="/api/webhooks"),
    "POST /api/webhooks": lambda on: Call(path="/api/webhooks", body=named({"url": on.hook})),
    "DELETE /api/webhooks/{name}": lambda on: Call(path=on.webhook()),
    "POST /api/webhooks/{name}/test": lambda on: Call(path=on.webhook() + "/test"),
    "POST /api/webhooks/{name}/pause": lambda on: Call(path=on.webhook() + "/pause"),
    "POST /api/webhooks/{name}/resume": lambda on: Call(path=on.webhook() + "/resume"),
    "GET /api/usage": lambda _: Call(path="/api/usage"),
    "GET /api/audit": lambda _: Call(path="/api/audit"),
    "GET /api/audit/verify": lambda _: Call(path="/api/audit/verify"),
}
