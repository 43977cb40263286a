"""``/api/subscriptions`` on a running service."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from export_pipelines.steps.react import react
from export_pipelines_tests.web.api_site import ApiSite

PATH = "/api/subscriptions"
ALL = {"type": "BULK_CSV", "all": True, "options": {"profile": "flat"}, "name": "ours"}


def without(body: Mapping[str, object], name: str) -> dict[str, object]:
    return {key: value for key, value in body.items() if key != name}


def test_a_subscription_is_made_shown_paused_resumed_and_removed(api: ApiSite) -> None:
    wanted = {**ALL, "delivery": {"recipients": ["ada@example.org"], "includeDownloadLink": False}}
    made = api.owner.post(PATH, json=wanted)
    assert made.status_code == 201
    one = made.json()
    assert (one["runs_of"], one["subject"], one["jobs"], one["active"]) == ("ALL", None, 0, True)
    assert (one["recipients"], one["include_download_link"]) == (["ada@example.org"], False)
    path = f"{PATH}/{one['id']}"
    assert api.owner.get(path).json() == {**one, "reactions": []}
    assert api.owner.post(f"{path}/pause").json()["active"] is False
    assert api.owner.post(f"{path}/resume").json()["active"] is True
    assert api.owner.delete(path).status_code == 204
    assert api.owner.get(path).status_code == 404


def test_only_what_is_given_is_changed_and_a_paused_subscription_stays_paused(api: ApiSite) -> None:
    told = {"recipients": ["ada@example.org"], "attachFile": True}
    made = api.owner.post(PATH, json={**ALL, "delivery": told, "expiryHours": 48}).json()
    path = f"{PATH}/{made['id']}"
    same = api.owner.patch(path, json={})
    assert same.status_code == 200
    assert same.json() == {**made, "updated_at": same.json()["updated_at"]}
    changed = api.owner.patch(path, json={"name": "other", "options": {"strict": True}, "expiryHours": 2}).json()
    assert (changed["name"], changed["expiry_hours"], changed["active_since"]) == ("other", 2, made["active_since"])
    assert changed["options"] == {"allow_partial": False, "compression": "none", "profile": "summary", "strict": True}
    kept = ("type", "runs_of", "recipients", "attach_file", "include_download_link", "active")
    assert [changed[name] for name in kept] == [made[name] for name in kept]
    link_only = api.owner.patch(path, json={"delivery": {"recipients": ["ben@example.org"]}}).json()
    assert (link_only["recipients"], link_only["attach_file"]) == (["ben@example.org"], False)
    assert api.owner.patch(path, json={"delivery": None}).json()["recipients"] == []

    assert api.owner.post(f"{path}/pause").json()["active"] is False
    definition = api.owner.get("/api/definitions").json()["items"][0]
    of_definition = api.owner.patch(path, json={"definitionId": definition["id"]}).json()
    assert (of_definition["active"], of_definition["runs_of"]) == (False, "DEFINITION")
    assert (of_definition["subject"], of_definition["subject_id"]) == (definition["name"], definition["id"])
    of_tag = api.owner.patch(path, json={"tag": "health", "all": False}).json()
    assert (of_tag["active"], of_tag["runs_of"], of_tag["subject"]) == (False, "TAG", "health")
    of_all = api.owner.patch(path, json={"all": True}).json()
    assert (of_all["runs_of"], of_all["subject_id"], of_all["subject"]) == ("ALL", None, None)
    assert api.owner.patch(path, json={"name": ""}).json()["name"] == "BULK_CSV of all runs"
    assert made["active_since"] < of_definition["active_since"] < of_tag["active_since"] < of_all["active_since"]
    assert api.owner.post(f"{path}/resume").json()["active"] is True


def test_about_other_runs_it_exports_none_completed_before_the_change(api: ApiSite) -> None:
    path = f"{PATH}/{api.owner.post(PATH, json={**without(ALL, 'all'), 'tag': 'health'}).json()['id']}"
    with api.services.database.raw_connection(autocommit=True) as connection:
        connection.execute("UPDATE evaluation.runs SET completed_at = now() WHERE name LIKE 'Courtyard, many%'")
    assert api.owner.patch(path, json={"all": True}).json()["runs_of"] == "ALL"
    react(api.services, None)
    assert api.owner.get(path).json()["reactions"] == []
    with api.services.database.raw_connection(autocommit=True) as connection:
        connection.execute("UPDATE evaluation.runs SET completed_at = now() WHERE name LIKE 'Courtyard, many%'")
    react(api.services, None)
    answered = api.owner.get(path).json()
    assert answered["jobs"] == 1
    back = api.owner.patch(path, json={"tag": "health", "name": "back"}).json()
    assert api.owner.get(path).json() == {**back, "reactions": answered["reactions"]}
    assert (back["jobs"], back["last_at"]) == (1, answered["last_at"])


def test_an_administrator_changes_it_for_its_owner(api: ApiSite) -> None:
    made = api.owner.post(PATH, json=ALL).json()
    changed = api.clients["administrator"].patch(f"{PATH}/{made['id']}", json={"expiryHours": 2}).json()
    assert (changed["user_id"], changed["expiry_hours"]) == (api.people["owner"], 2)


def test_of_many_changes_at_once_one_after_the_other_is_made(api: ApiSite) -> None:
    path = f"{PATH}/{api.owner.post(PATH, json=ALL).json()['id']}"
    changes = [{"expiryHours": hours} for hours in range(1, 9)] + [{"name": f"n{number}"} for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda change: api.owner.patch(path, json=change), changes))
    assert {answer.status_code for answer in answers} <= {200, 409}
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} <= {"conflict"}
    done = sorted((answer.json() for answer in answers if answer.is_success), key=lambda one: one["updated_at"])
    last = {**done[-1], "reactions": []}
    assert api.owner.get(path).json() == last


def test_what_came_of_it_is_told(api: ApiSite) -> None:
    one = api.owner.post(PATH, json=ALL).json()
    with api.services.database.raw_connection(autocommit=True) as connection:
        connection.execute("UPDATE evaluation.runs SET completed_at = now() WHERE name LIKE 'Courtyard, many%'")
    react(api.services, None)
    seen = api.owner.get(f"{PATH}/{one['id']}").json()
    [reaction] = seen["reactions"]
    assert (seen["jobs"], seen["refused"], reaction["reason"]) == (1, 0, None)
    assert api.owner.get(f"/api/exports/{reaction['job_id']}").status_code == 200


def test_subscriptions_are_their_owners_and_the_administrators_alone(api: ApiSite) -> None:
    path = f"{PATH}/{api.owner.post(PATH, json=ALL).json()['id']}"
    for role, status in (("other", 404), ("nobody", 401)):
        client = api.clients[role]
        answers = (
            client.get(path),
            client.patch(path, json={"name": "mine"}),
            client.post(f"{path}/pause"),
            client.post(f"{path}/resume"),
            client.delete(path),
        )
        assert {answer.status_code for answer in answers} == {status}
    administrator = api.clients["administrator"]
    assert [len(administrator.get(PATH, params=params).json()["items"]) for params in ({}, {"all": "true"})] == [0, 1]
    assert administrator.post(f"{path}/pause").status_code == 200
    assert api.clients["other"].get(PATH, params={"all": "true"}).status_code == 403


def test_what_is_wrong_is_refused(api: ApiSite) -> None:
    for wanted, status in (
        ({"type": "BULK_CSV"}, 422),
        ({**ALL, "tag": "health"}, 422),
        ({"type": "BULK_CSV", "tag": "no such tag"}, 404),
        ({"type": "DEFINITION_MD", "all": True}, 422),
        ({**ALL, "options": {"profile": "wide"}}, 422),
        ({**ALL, "all": "true"}, 422),
    ):
        assert api.owner.post(PATH, json=wanted).status_code == status, wanted
    made = api.owner.post(PATH, json=ALL).json()
    assert api.owner.post(PATH, json=ALL).json()["code"] == "conflict"
    path = f"{PATH}/{made['id']}"
    for change, status in (
        ({"all": False}, 422),
        ({"all": True, "tag": "health"}, 422),
        ({"tag": "health", "definitionId": "c4yy"}, 422),
        ({"tag": None}, 422),
        ({"tag": "no such tag"}, 404),
        ({"definitionId": "c0nosuchdefinition"}, 404),
        ({"options": {"profile": "wide"}}, 422),
        ({"expiryHours": 169}, 422),
        ({"name": " "}, 422),
        ({"name": "a\nb"}, 422),
        ({"delivery": {"recipients": ["ada"]}}, 422),
        ({"delivery": {"recipients": ["webhook:none"]}}, 404),
        ({"type": "BULK_JSONL"}, 422),
        ({"userId": api.people["other"]}, 422),
    ):
        assert api.owner.patch(path, json=change).status_code == status, change
    api.owner.post(PATH, json={**ALL, "name": "another"})
    assert api.owner.patch(path, json={"name": "another"}).json()["code"] == "conflict"
    assert api.owner.get(path).json() == {**made, "reactions": []}
