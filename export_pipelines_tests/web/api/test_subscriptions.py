"""``/api/subscriptions`` on a running service."""

from export_pipelines.orchestration.subscriptions import react
from export_pipelines_tests.web.api_site import ApiSite

PATH = "/api/subscriptions"
ALL = {"type": "BULK_CSV", "all": True, "options": {"profile": "flat"}, "name": "ours"}


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
    api.owner.post(PATH, json=ALL)
    assert api.owner.post(PATH, json=ALL).json()["code"] == "conflict"
