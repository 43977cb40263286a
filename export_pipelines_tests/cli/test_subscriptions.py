"""``export-pipelines subscriptions``: add, list, show, pause, resume, remove."""

from datetime import UTC, datetime

import pytest

from export_pipelines.db.seed import DEMO_USER_EMAIL, SHOWCASE_DEFINITION_ID, SHOWCASE_RUN_ID
from export_pipelines.steps.react import react
from export_pipelines_tests.deployments import Deployment

ADD = ("subscriptions", "add")


def complete_showcase(deployment: Deployment) -> None:
    with deployment.database.raw_connection(autocommit=True) as connection:
        connection.execute(
            "UPDATE evaluation.runs SET completed_at = %s WHERE id = %s", [datetime.now(UTC), SHOWCASE_RUN_ID]
        )


def test_the_life_of_a_subscription(deployment: Deployment) -> None:
    assert deployment.run("subscriptions", "list").out.startswith("No subscriptions.")
    assert deployment.run("webhooks", "add", "team", "https://9.9.9.9/x", "--user", DEMO_USER_EMAIL).status == 0
    chosen = ("--definition-id", SHOWCASE_DEFINITION_ID, "--name", "Every run", "--user", DEMO_USER_EMAIL)
    told = ("--to", "ada@example.org", "--to", "ada@example.org", "--to", "webhook:team", "--no-link", "--attach-file")
    added = deployment.run(*ADD, "bulk_csv", *chosen, *told, "--set", "profile=flat", "--expiry-hours", "48", "--json")
    assert added.status == 0
    made = added.json
    assert (made["type"], made["runs_of"], made["subject_id"]) == ("BULK_CSV", "DEFINITION", SHOWCASE_DEFINITION_ID)
    assert (made["name"], made["expiry_hours"], made["options"]["profile"]) == ("Every run", 48, "flat")
    recipients = {"recipients": ["ada@example.org", "webhook:team"], "include_download_link": False}
    assert made["delivery"] == {**recipients, "attach_file": True}

    complete_showcase(deployment)
    react(deployment.services, None)
    (listed,) = deployment.run("subscriptions", "list", "--user", DEMO_USER_EMAIL, "--json").json
    assert (listed["id"], listed["active"], listed["jobs"], listed["refused"]) == (made["id"], True, 1, 0)
    shown = deployment.run("subscriptions", "show", "Every run", "--json").json
    (job,) = deployment.run("jobs", "--json").json
    assert [(one["run_id"], one["job_id"], one["reason"]) for one in shown["reactions"]] == [
        (SHOWCASE_RUN_ID, job["id"], None)
    ]
    assert job["input"]["delivery"] == made["delivery"]

    assert "paused: exports nothing" in deployment.run("subscriptions", "pause", made["id"][:12]).out
    line = deployment.run("subscriptions", "list").out.splitlines()[1]
    assert line.startswith(made["id"])
    assert " paused " in line
    resumed = deployment.run("subscriptions", "resume", "Every run", "--json").json
    assert resumed["active_since"] > made["active_since"]
    removed = deployment.run("subscriptions", "remove", "Every run")
    assert (removed.status, removed.out) == (0, f"removed {made['id']} (Every run)\n")
    assert deployment.run("subscriptions", "list", "--json").json == []
    assert len(deployment.run("jobs", "--json").json) == 1


def test_a_refusal_is_seen_in_the_list_and_with_its_run(deployment: Deployment) -> None:
    made = deployment.run(*ADD, "RUN_BUNDLE", "--tag", "multilingual", "--json").json
    with deployment.database.raw_connection(autocommit=True) as connection:
        connection.execute("UPDATE evaluation.definitions SET deleted_at = now()")
        connection.execute(
            """INSERT INTO evaluation.definition_tags (definition_id, tag_id, created_at)
            SELECT r.definition_id, %s, '2026-01-01' FROM evaluation.runs r WHERE r.id = %s ON CONFLICT DO NOTHING""",
            [made["subject_id"], SHOWCASE_RUN_ID],
        )
    complete_showcase(deployment)
    react(deployment.services, None)
    assert "was deleted on" in deployment.run("subscriptions", "list").out
    shown = deployment.run("subscriptions", "show", made["id"]).out
    assert SHOWCASE_RUN_ID in shown.splitlines()[-1]
    assert "exports the run all the same" in shown.splitlines()[-1]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((*ADD, "BULK_CSV"), "--definition-id, --tag or --all"),
        ((*ADD, "BULK_CSV", "--all", "--tag", "health"), "only one of them"),
        ((*ADD, "DEFINITION_MD", "--all"), "choose one of RUN_BUNDLE"),
        ((*ADD, "BULK_CSV", "--all", "--set", "profile=wide"), "summary, flat"),
        ((*ADD, "BULK_CSV", "--all", "--attach-file"), "say who with --to"),
        ((*ADD, "BULK_CSV", "--all", "--to", "nobody"), "'nobody' is no e-mail address"),
        ((*ADD, "BULK_CSV", "--all", "--user", "no@example.org"), "no@example.org"),
        (("subscriptions", "show", "cnosuch"), "subscriptions list"),
        (("subscriptions", "pause", "cnosuch"), "subscriptions list"),
        (("subscriptions", "resume", "cnosuch"), "subscriptions list"),
        (("subscriptions", "remove", "cnosuch"), "subscriptions list"),
        (("subscriptions", "list", "--user", "no@example.org"), "no@example.org"),
        (("usage", "show", "--user", "no@example.org"), "no@example.org"),
        (("usage", "show", "--days", "0"), "--days"),
    ],
    ids=lambda value: " ".join(value[1:]) if isinstance(value, tuple) else "",
)
def test_what_is_wrong_is_said_in_one_line(shared: Deployment, arguments: tuple[str, ...], said: str) -> None:
    refused = shared.run(*arguments)
    assert (refused.status, refused.out) == (2, "")
    assert said in refused.err
    assert refused.err.count("\n") == 1
