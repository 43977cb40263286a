"""``export-pipelines jobs share``, ``shares`` and ``unshare``."""

from export_pipelines.steps.export import run_export
from export_pipelines.steps.submit import submit
from export_pipelines_tests.deployments import Deployment
from export_pipelines_tests.steps.orders import order


def test_a_file_is_shared_listed_and_shared_no_more(deployment: Deployment) -> None:
    job = run_export(deployment.services, submit(deployment.services, order("DEFINITION_MD")).id)
    shared = deployment.run("jobs", "share", job.id[:20], "eve@example.net", "--days", "30", "--message", "Here.")
    assert (shared.status, shared.out.startswith("http://127.0.0.1:8010/downloads/")) == (0, True)
    assert "when the file ends; eve@example.net is not told, since no mail server is set" in shared.err
    viewed = deployment.run("jobs", "share", job.id, "mei.demo@example.org", "--json").json
    assert (viewed["is_mailed"], viewed["until_file_ends"], viewed["email"]) == (False, True, None)
    assert viewed["link"].startswith("http://127.0.0.1:8010/downloads/")
    listed = deployment.run("jobs", "shares", job.id)
    assert [line.split()[1:4] for line in listed.out.splitlines()[1:]] == [
        ["mei.demo@example.org", "in", "force"],
        ["eve@example.net", "in", "force"],
    ]
    assert shared.out.strip() not in listed.out
    assert deployment.run("jobs", "unshare", viewed["id"]).out == f"share {viewed['id']} is revoked\n"
    [revoked, kept] = deployment.run("jobs", "shares", job.id, "--json").json
    assert (revoked["id"], revoked["revoked_at"] is None, kept["revoked_at"]) == (viewed["id"], False, None)
    log = deployment.run("audit", "list", "--job", job.id, "--json")
    assert [row["action"] for row in log.json][:3] == ["share_revoked", "shared", "shared"]
    assert shared.out.strip().rpartition("/")[2] not in log.out


def test_what_cannot_be_shared_is_a_wrong_request(shared: Deployment) -> None:
    waiting = submit(shared.services, order("DEFINITION_MD"))
    for arguments, said in (
        (("share", waiting.id, "eve@example.net"), "is PENDING and has no file to share"),
        (("share", "c9nosuch", "eve@example.net"), "There is no export job"),
        (("share", waiting.id, "eve@example.net", "--days", "31"), "--days"),
        (("shares", "c9nosuch"), "There is no export job"),
        (("unshare", "c9nosuch"), "There is no share"),
    ):
        refused = shared.run("jobs", *arguments)
        assert (refused.status, refused.out) == (2, ""), arguments
        assert said in refused.err
