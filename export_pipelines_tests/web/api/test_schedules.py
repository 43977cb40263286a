"""``/api/schedules`` on a running service."""

import httpx
import pytest

from export_pipelines_tests.web.api_site import RUN, ApiSite

PATH = "/api/schedules"
NIGHTLY = {
    "name": "nightly",
    "type": "BULK_CSV",
    "runId": "@latest",
    "options": {"profile": "flat"},
    "cronPattern": "30 2 * * *",
    "timezone": "Europe/Berlin",
    "missedSlots": "RUN_ONCE",
    "delivery": {"recipients": ["ada@example.org"]},
}


def made(api: ApiSite, **changes: object) -> dict[str, object]:
    answer = api.owner.post(PATH, json=NIGHTLY | changes)
    assert answer.status_code == 201, answer.text
    return answer.json()


@pytest.fixture
def path(api: ApiSite) -> str:
    return f"{PATH}/{made(api)['id']}"


def test_a_schedule_is_made_and_shown_with_its_next_ten_times(api: ApiSite) -> None:
    schedule = made(api)
    assert (schedule["user_id"], schedule["active"], schedule["missed_slots"]) == (
        api.people["owner"],
        True,
        "RUN_ONCE",
    )
    assert schedule["recipients"] == ["ada@example.org"]
    one = api.owner.get(f"{PATH}/{schedule['id']}").json()
    assert one["next_times"][0]["at"] == schedule["next_run"]
    assert len(one["next_times"]) == 10
    assert all(time["local"][10:19] == "T02:30:00" for time in one["next_times"])
    tried = api.owner.get(f"{PATH}/preview", params={"pattern": "30 2 * * *", "timezone": "Europe/Berlin"})
    assert tried.json()["items"] == one["next_times"]


def test_only_what_is_given_is_changed_and_a_paused_schedule_stays_paused(api: ApiSite, path: str) -> None:
    before = api.owner.get(path).json()
    assert api.owner.patch(path, json={}).json()["next_run"] == before["next_run"]
    moved = api.owner.patch(path, json={"cronPattern": "0 6 * * *", "name": "mornings", "delivery": None}).json()
    assert moved["next_run"] != before["next_run"]
    assert (moved["name"], moved["recipients"], moved["timezone"]) == ("mornings", [], "Europe/Berlin")
    assert moved["input"] == before["input"]
    assert api.owner.post(f"{path}/pause").json()["paused_reason"] == "paused by hand"
    other = api.owner.patch(path, json={"runId": RUN, "expiryHours": 2, "options": {}, "title": " Ours "}).json()
    assert (other["active"], other["next_run"]) == (False, None)
    assert other["input"]["expiry_hours"] == 2
    assert other["input"]["options"]["profile"] == "summary"
    assert other["input"]["title"] == "Ours"
    assert other["input"]["subject_id"].startswith("c")
    resumed = api.owner.post(f"{path}/resume").json()
    assert (resumed["active"], resumed["next_run"]) == (True, moved["next_run"])


def test_it_runs_now_for_its_owner_and_is_removed_while_its_exports_stay(api: ApiSite, path: str) -> None:
    run = api.clients["administrator"].post(f"{path}/run-now")
    assert run.status_code == 202
    job = api.owner.get(run.headers["Location"])
    assert (job.status_code, job.json()["user_id"]) == (200, api.people["owner"])
    assert api.owner.delete(path).status_code == 204
    assert [api.owner.get(path).status_code, api.owner.delete(path).status_code] == [404, 404]
    assert api.owner.get(run.headers["Location"]).status_code == 200


def test_schedules_are_their_owners_and_the_administrators_alone(api: ApiSite, path: str) -> None:
    def ask(client: httpx.Client) -> set[int]:
        posts = [client.post(f"{path}/{what}") for what in ("pause", "resume", "run-now")]
        answers = (client.get(path), client.patch(path, json={"name": "mine"}), *posts, client.delete(path))
        return {answer.status_code for answer in answers}

    assert ask(api.clients["other"]) == {404}
    assert ask(api.clients["nobody"]) == {401}
    listed = {role: len(api.clients[role].get(PATH).json()["items"]) for role in ("owner", "other", "administrator")}
    assert listed == {"owner": 1, "other": 0, "administrator": 0}
    for params in ({"all": "true"}, {"user": "owner@example.org"}):
        assert len(api.clients["administrator"].get(PATH, params=params).json()["items"]) == 1
        assert api.clients["other"].get(PATH, params=params).status_code == 403


def test_the_list_comes_in_pages_the_newest_first(api: ApiSite) -> None:
    ids = [made(api, name=f"number {number}")["id"] for number in range(3)]
    first = api.owner.get(PATH, params={"limit": 2}).json()
    rest = api.owner.get(PATH, params={"limit": 2, "cursor": first["next_cursor"]}).json()
    assert [one["id"] for one in (*first["items"], *rest["items"])] == ids[::-1]
    assert rest["next_cursor"] is None


def test_what_is_wrong_is_refused(api: ApiSite, path: str) -> None:
    for changes, status in (
        ({"cronPattern": "every night"}, 422),
        ({"timezone": "Mars/Olympus"}, 422),
        ({"name": "a\nb"}, 422),
        ({"missedSlots": "ALL"}, 422),
        ({"runId": "c0nosuchrun"}, 404),
        ({"delivery": {"recipients": ["ada"]}}, 422),
    ):
        assert api.owner.patch(path, json=changes).status_code == status, changes
        assert api.owner.post(PATH, json={**NIGHTLY, "name": "another", **changes}).status_code == status, changes
    assert api.owner.post(PATH, json=NIGHTLY).json()["code"] == "conflict"
    made(api, name="another")
    assert api.owner.patch(path, json={"name": "another"}).json()["code"] == "conflict"
    assert api.owner.patch(path, json={"type": "BULK_JSONL"}).status_code == 422
    assert api.owner.get(f"{PATH}/preview", params={"pattern": "0 0 31 4 *"}).status_code == 422
    api.job()
    audit = {"name": "log", "type": "AUDIT_JSONL", "cronPattern": "@daily"}
    assert api.owner.post(PATH, json=audit).json()["code"] == "forbidden"
    assert api.clients["administrator"].post(PATH, json=audit).status_code == 201
