"""``export-pipelines users`` and ``keys create | list | revoke`` from outside."""

from export_pipelines.db.evaluation import api_keys, users
from export_pipelines_tests.deployments import SECRETS, Deployment

PASSWORD = "a long enough password"
SET = {"EXPORT_PIPELINES_NEW_PASSWORD": PASSWORD}


def test_a_user_is_added_listed_and_appointed(deployment: Deployment) -> None:
    added = deployment.run("users", "add", "grace@example.org", "--name", "Grace", **SET)
    assert added.status == 0, added.err
    assert PASSWORD not in added.out + added.err
    assert users.verify(deployment.database, email="grace@example.org", password=PASSWORD) is not None
    again = deployment.run("users", "add", "Grace@example.org", **SET)
    assert (again.status, again.out) == (2, "")
    short = deployment.run("users", "add", "x@example.org", EXPORT_PIPELINES_NEW_PASSWORD="short")
    assert short.status == 2
    assert "at least 10" in short.err
    unasked = deployment.run("users", "add", "y@example.org")
    assert (unasked.status, unasked.out, len(unasked.err.splitlines())) == (2, "", 1)
    assert "set EXPORT_PIPELINES_NEW_PASSWORD" in unasked.err

    def role() -> str:
        [line] = [line for line in deployment.run("users", "list").out.splitlines() if "grace@" in line]
        return line.split()[2]

    assert role() == "user"
    assert deployment.run("users", "appoint", "grace@example.org").status == 0
    assert role() == "administrator"
    assert deployment.run("users", "dismiss", added.out.strip()).status == 0
    assert role() == "user"
    other = {"EXPORT_PIPELINES_NEW_PASSWORD": "quite another password"}
    assert deployment.run("users", "password", "grace@example.org", **other).status == 0
    assert users.verify(deployment.database, email="grace@example.org", password=PASSWORD) is None


def test_a_key_is_shown_once_listed_by_its_beginning_and_revoked(deployment: Deployment) -> None:
    made = deployment.run("keys", "create", "--name", "notebook", "--days", "7")
    key = made.out.strip()
    assert (made.status, key[:3], len(key)) == (0, "ek_", 46)
    assert key not in made.err
    listed = deployment.run("keys", "list").out
    assert key[:12] in listed
    assert key not in listed
    secret = SECRETS["links"].encode()
    now = deployment.services.clock()
    assert api_keys.authenticate(deployment.database, key, secret=secret, now=now) is not None
    assert deployment.run("keys", "revoke", key[:12]).status == 0
    assert api_keys.authenticate(deployment.database, key, secret=secret, now=now) is None
    unknown = deployment.run("keys", "revoke", "ek_nothing00")
    assert unknown.status == 2
    assert "keys list" in unknown.err
