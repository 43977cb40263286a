"""``/api/audit`` on a running service."""

import pytest

from export_pipelines.core.jobs import JobStatus
from export_pipelines.steps.audit import sign_checkpoint
from export_pipelines_tests.web.api_site import ApiSite

PATH = "/api/audit"


@pytest.fixture
def busy(api: ApiSite) -> ApiSite:
    """Two people with failed jobs."""
    for role in ("owner", "other", "owner"):
        api.job(JobStatus.FAILED, of=role)
    return api


def test_everybody_sees_what_happened_to_their_own_jobs_and_administrators_all(busy: ApiSite) -> None:
    def seen(role: str, **params: str) -> list[str]:
        return [entry["action"] for entry in busy.clients[role].get(PATH, params=params).json()["items"]]

    assert seen("owner") == ["failed", "created", "failed", "created"]
    assert seen("other") == ["failed", "created"]
    assert seen("viewer") == []
    assert seen("administrator") == ["failed", "created"] * 3
    assert seen("owner", action="failed") == ["failed", "failed"]
    refused = busy.owner.get(PATH, params={"action": "printed"})
    assert (refused.status_code, "there are created" in refused.json()["detail"]) == (422, True)


def test_pages_follow_each_other_while_the_log_grows(busy: ApiSite) -> None:
    first = busy.owner.get(PATH, params={"limit": 3}).json()
    busy.job(JobStatus.FAILED)
    rest = busy.owner.get(PATH, params={"limit": 3, "cursor": first["next_cursor"]}).json()
    positions = [entry["position"] for entry in (*first["items"], *rest["items"])]
    assert (positions, rest["next_cursor"]) == ([6, 5, 2, 1], None)


def test_a_jobs_history_is_its_owners_also_when_it_is_deleted(busy: ApiSite) -> None:
    job = busy.job(JobStatus.FAILED)
    busy.share(job)
    for role, status in (("owner", 200), ("other", 404), ("viewer", 403), ("administrator", 200)):
        assert busy.clients[role].get(PATH, params={"job": job.id}).status_code == status
    assert busy.owner.delete(f"/api/exports/{job.id}").status_code == 200
    history = busy.owner.get(PATH, params={"job": job.id}).json()["items"]
    assert [entry["action"] for entry in history] == ["deleted", "failed", "created"]
    assert [entry["address"] for entry in history] == ["127.0.0.1", None, None]
    for role in ("other", "viewer"):
        assert busy.clients[role].get(PATH, params={"job": job.id}).status_code == 404


def test_the_log_is_verified_part_by_part_to_its_end(busy: ApiSite) -> None:
    sign_checkpoint(busy.services)
    administrator = busy.clients["administrator"]
    parts, after = [], 0
    while after is not None:
        parts.append(administrator.get(f"{PATH}/verify", params={"after": after, "limit": 4}).json())
        after = parts[-1]["next_after"]
    assert [(part["intact"], part["verified_to"]) for part in parts] == [(True, 4), (True, 6)]
    assert [part["checkpoints"] for part in parts] == [0, 1]
    assert administrator.get(f"{PATH}/verify", params={"after": 6}).json()["intact"]
    assert administrator.get(f"{PATH}/verify", params={"after": 7}).status_code == 422
    assert busy.owner.get(f"{PATH}/verify").status_code == 403


def test_damage_is_found_by_the_part_that_it_is_in(busy: ApiSite) -> None:
    with busy.services.database.raw_connection(autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("UPDATE exports.export_audit_logs SET user_id = 'somebody' WHERE position = 5")
        connection.execute("DELETE FROM exports.export_audit_logs WHERE position = 6")

    def verify(**part: int) -> dict[str, object]:
        return busy.clients["administrator"].get(f"{PATH}/verify", params=part).json()

    assert verify(limit=4)["intact"] is True
    for damaged in (verify(), verify(after=4), verify(after=3, limit=2)):
        assert (damaged["intact"], damaged["verified_to"], damaged["next_after"]) == (False, 4, None)
        assert "position 5 was changed" in str(damaged["problems"])
