"""Who may make which call: every call of the OpenAPI document by everybody, and what of it can be read in the logs."""

import io
import logging
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path

import httpx
import pytest

from export_pipelines.core.jobs import JobStatus
from export_pipelines.db.evaluation import api_keys
from export_pipelines.steps.services import Services
from export_pipelines.web.access import SAFE_HEADERS
from export_pipelines.web.callers import CSRF_HEADER, SESSION_COOKIE
from export_pipelines.web.log_lines import JsonLines, TextLines
from export_pipelines_tests.receiver import receiver
from export_pipelines_tests.web.api.calls import CALLS, Call, Ground
from export_pipelines_tests.web.api_site import ApiSite, api_site, new_key

NOBODY = ("no key", "bad key", "expired key", "revoked key")
KNOWN = ("other", "viewer", "owner", "administrator")
SAFE = ("GET", "HEAD")

ALL = (200, 200, 200, 200)
MAKES = (201, 201, 201, 201)
READS = (404, 200, 200, 200)
CHANGES = (404, 403, 200, 200)
THEIRS = (404, 404, 200, 200)
OWN = (404, 404, 200, 404)

INTENDED: Mapping[str, tuple[int, int, int, int]] = {
    # other, viewer, owner, administrator; nobody else gets anything but 401
    "GET /api/me": ALL,
    "GET /api/types": ALL,
    "GET /api/runs": ALL,
    "GET /api/definitions": ALL,
    "POST /api/exports/preview": ALL,
    "POST /api/exports": (202, 202, 202, 202),
    "GET /api/exports": ALL,
    "GET /api/exports/{export_id}": READS,
    "DELETE /api/exports/{export_id}": CHANGES,
    "POST /api/exports/{export_id}/retry": (404, 403, 202, 202),
    "GET /api/exports/{export_id}/status": READS,
    "GET /api/exports/{export_id}/events": READS,
    "GET /api/exports/{export_id}/download": READS,
    "POST /api/exports/{export_id}/share": (404, 403, 201, 201),
    "GET /api/exports/{export_id}/share": CHANGES,
    "DELETE /api/exports/{export_id}/share/{grant}": CHANGES,
    "GET /api/schedules": ALL,
    "POST /api/schedules": MAKES,
    "GET /api/schedules/preview": ALL,
    "GET /api/schedules/{schedule_id}": THEIRS,
    "PATCH /api/schedules/{schedule_id}": THEIRS,
    "DELETE /api/schedules/{schedule_id}": (404, 404, 204, 204),
    "POST /api/schedules/{schedule_id}/pause": THEIRS,
    "POST /api/schedules/{schedule_id}/resume": THEIRS,
    "POST /api/schedules/{schedule_id}/run-now": (404, 404, 202, 202),
    "GET /api/subscriptions": ALL,
    "POST /api/subscriptions": MAKES,
    "GET /api/subscriptions/{subscription_id}": THEIRS,
    "PATCH /api/subscriptions/{subscription_id}": THEIRS,
    "DELETE /api/subscriptions/{subscription_id}": (404, 404, 204, 204),
    "POST /api/subscriptions/{subscription_id}/pause": THEIRS,
    "POST /api/subscriptions/{subscription_id}/resume": THEIRS,
    "GET /api/deliveries": ALL,
    "GET /api/deliveries/{delivery_id}": THEIRS,
    "POST /api/deliveries/{delivery_id}/retry": (404, 404, 202, 202),
    "POST /api/deliveries/retry-dead": (202, 202, 202, 202),
    "GET /api/webhooks": ALL,
    "POST /api/webhooks": MAKES,
    "DELETE /api/webhooks/{name}": (404, 404, 204, 404),
    "POST /api/webhooks/{name}/test": OWN,
    "POST /api/webhooks/{name}/pause": OWN,
    "POST /api/webhooks/{name}/resume": OWN,
    "GET /api/usage": ALL,
    "GET /api/audit": ALL,
    "GET /api/audit/verify": (403, 403, 403, 200),
}


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What the whole matrix came to.

    Attributes:
        statuses: by call and who made it.
        secrets: whatever must not be written down.
        log: all that was logged meanwhile, in both formats.
    """

    statuses: dict[tuple[str, str], int] = field(default_factory=dict)
    answers: list[httpx.Response] = field(default_factory=list)
    secrets: set[str] = field(default_factory=set)
    log: io.StringIO = field(default_factory=io.StringIO)


@pytest.fixture
def ground(services: Services, tmp_path: Path) -> Iterator[Ground]:
    reach = (ip_network("127.0.0.0/8"),)
    with (
        receiver(tmp_path / "messages") as hook,
        api_site(services, webhook_allow_networks=reach, create_requests_per_hour=1000) as api,
    ):
        finished = api.job(JobStatus.COMPLETED)
        api.share(finished)
        yield Ground(api=api, hook=hook.url(), finished=finished)


def strangers(api: ApiSite) -> dict[str, dict[str, str]]:
    """Headers of those whom nobody knows any more, or never did."""
    services, owner = api.services, api.people["owner"]
    soon = services.clock() + timedelta(milliseconds=100)
    expired = new_key(services, owner, expires_at=soon)
    revoked = new_key(services, owner)
    [newest, *_] = [each for each in api_keys.list_for_user(services.database, owner) if not each.expires_at]
    api_keys.revoke(services.database, newest.id, now=services.clock())
    time.sleep(0.2)
    keys = {"bad key": "ek_" + "x" * 43, "expired key": expired, "revoked key": revoked}
    return {"no key": {}} | {name: {"Authorization": f"Bearer {key}"} for name, key in keys.items()}


def clients(api: ApiSite, open_clients: ExitStack, asked: Asked) -> dict[str, httpx.Client]:
    """By who asks."""
    found = {name: api.clients[name] for name in KNOWN}
    for name, headers in strangers(api).items():
        found[name] = open_clients.enter_context(httpx.Client(base_url=api.url, headers=headers))
    with_token = found["session"] = open_clients.enter_context(api.session())
    cookies = dict(with_token.cookies)
    asked.secrets.update({*cookies.values(), with_token.headers[CSRF_HEADER], *api.keys.values()})
    asked.secrets.update(key.partition(" ")[2] for each in found.values() if (key := key_of(each)))
    found["session alone"] = open_clients.enter_context(httpx.Client(base_url=api.url, cookies=cookies))
    assert set(cookies) == {SESSION_COOKIE}
    return found


def key_of(client: httpx.Client) -> str | None:
    return client.headers.get("Authorization")


def make(client: httpx.Client, method: str, call: Call) -> httpx.Response:
    return client.request(method, call.path, params=dict(call.query), json=call.body)


@contextmanager
def logged(into: io.StringIO) -> Iterator[None]:
    """What the service would log, as text and as JSON."""
    root, handlers = logging.getLogger(), [logging.StreamHandler(into), logging.StreamHandler(into)]
    for handler, lines in zip(handlers, (TextLines(), JsonLines()), strict=True):
        handler.setFormatter(lines)
        root.addHandler(handler)
    level = root.level
    root.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        root.setLevel(level)
        for handler in handlers:
            root.removeHandler(handler)


@pytest.fixture
def asked(ground: Ground) -> Asked:
    asked = Asked()
    with ExitStack() as open_clients, logged(asked.log):
        for name, client in clients(ground.api, open_clients, asked).items():
            for label, called in CALLS.items():
                answer = make(client, label.partition(" ")[0], called(ground))
                asked.statuses[label, name] = answer.status_code
                asked.answers.append(answer)
    return asked


def wanted() -> dict[tuple[str, str], int]:
    cells: dict[tuple[str, str], int] = {}
    for label, statuses in INTENDED.items():
        cells |= {(label, name): 401 for name in NOBODY}
        cells |= {(label, name): status for name, status in zip(KNOWN, statuses, strict=True)}
        owners = cells[label, "owner"]
        cells[label, "session"] = owners
        cells[label, "session alone"] = owners if label.startswith(SAFE) else 403
    return cells


def test_everybody_gets_exactly_what_is_intended(asked: Asked, ground: Ground) -> None:
    document = ground.api.owner.get("/api/openapi.json").json()
    calls = {f"{method.upper()} {path}" for path, methods in document["paths"].items() for method in methods}
    assert set(INTENDED) == set(CALLS) == calls, "a call without a row, or a row without a call"
    assert {key: status for key, status in asked.statuses.items() if wanted()[key] != status} == {}
    assert len(asked.statuses) == 10 * len(calls)
    for answer in asked.answers:
        assert {name: answer.headers.get(name) for name in SAFE_HEADERS} == dict(SAFE_HEADERS)
    nothing_is_written_down(asked, ground)


def nothing_is_written_down(asked: Asked, ground: Ground) -> None:
    """No key, token, link or secret in the log or the audit; of keys and sessions not even in any other row."""
    written = asked.log.getvalue()
    links = {token for answer in asked.answers for token in re.findall(r"/downloads/([\w-]{20,})", answer.text)}
    hooks = set(re.findall(r"whsec_[\w+/=]+", "".join(answer.text for answer in asked.answers)))
    assert len(links) > 5
    assert hooks
    audit, everything = dump(ground, "export_audit"), dump(ground, "")
    assert ground.finished.id in written
    assert ground.finished.id in audit
    for secret in asked.secrets | links | hooks:
        # Enough of one to be recognized by would be too much.
        assert secret[12:28] not in written
        assert secret[12:28] not in audit
    for secret in asked.secrets | hooks:
        assert secret[12:28] not in everything


def dump(ground: Ground, tables: str) -> str:
    """All rows of tables whose name begins so."""
    names = "SELECT table_schema || '.' || table_name FROM information_schema.tables WHERE table_type = 'BASE TABLE'"
    names += " AND table_schema IN ('exports', 'evaluation') AND starts_with(table_name, %s)"
    with ground.api.services.database.raw_connection(autocommit=True) as connection:
        found = [name for (name,) in connection.execute(names, [tables]).fetchall()]
        rows = [row for name in found for row in connection.execute(f"SELECT t::text FROM {name} AS t").fetchall()]
    assert rows
    return "\n".join(text for (text,) in rows)
