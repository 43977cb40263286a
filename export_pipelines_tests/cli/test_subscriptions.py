"""``export-pipelines subscriptions``: add, list, show, change, pause, resume, remove."""

from datetime import UTC, datetime

import pytest

from export_pipelines.db.seed import DEMO_USER_EMAIL, SHOWCASE_DEFINITION_ID, SHOWCASE_RUN_ID
from export_pipelines.steps.react import react
from export_pipelines_tests.deployments import Deployment

ADD = ("subscriptions", "add")
CHANGE = ("subscriptions", "change")


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


def test_only_what_is_given_is_changed(deployment: Deployment) -> None:
    told = ("--to", "ada@example.org", "--no-link", "--attach-file", "--user", DEMO_USER_EMAIL)
    made = deployment.run(*ADD, "bulk_csv", "--tag", "health", "--set", "profile=flat", *told, "--json").json
    same = deployment.run(*CHANGE, made["id"], "--json").json
    assert {**same, "updated_at": made["updated_at"]} == made
    terms = ("--name", "Ours", "--expiry-hours", "2", "--set", "strict=true", "--link", "--to", "ben@example.org")
    changed = deployment.run(*CHANGE, made["name"], *terms, "--json").json
    assert (changed["name"], changed["expiry_hours"], changed["type"]) == ("Ours", 2, "BULK_CSV")
    assert (changed["options"]["strict"], changed["options"]["profile"]) == (True, "summary")
    assert changed["delivery"] == {
        "recipients": ["ben@example.org"], "include_download_link": True, "attach_file": True,
    }  # fmt: skip
    kept = ("runs_of", "subject_id", "active", "active_since", "user_id", "created_at")
    assert [changed[name] for name in kept] == [made[name] for name in kept]

    assert deployment.run("subscriptions", "pause", "Ours").status == 0
    for chosen, runs_of in (
        (("--all",), "ALL"), (("--definition-id", SHOWCASE_DEFINITION_ID), "DEFINITION"), (("--tag", "health"), "TAG"),
    ):  # fmt: skip
        since = changed["active_since"]
        changed = deployment.run(*CHANGE, "Ours", *chosen, "--json").json
        assert (changed["runs_of"], changed["active"]) == (runs_of, False)
        assert changed["active_since"] > since
    assert deployment.run(*CHANGE, "Ours", "--name", "", "--json").json["name"] == "BULK_CSV of tag health"
    quiet = deployment.run(*CHANGE, made["id"], "--tell-nobody")
    assert "paused: exports nothing" in quiet.out
    assert deployment.run("subscriptions", "show", made["id"], "--json").json["delivery"] is None


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
        ((*CHANGE, "cnosuch"), "subscriptions list"),
        ((*CHANGE, "cnosuch", "--all", "--tag", "health"), "only one of them"),
        ((*CHANGE, "cnosuch", "--set", "profile"), "key=value"),
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


def test_a_change_that_is_wrong_is_said_in_one_line_and_changes_nothing(deployment: Deployment) -> None:
    assert deployment.run(*ADD, "BULK_CSV", "--all", "--name", "taken", "--user", DEMO_USER_EMAIL).status == 0
    made = deployment.run(*ADD, "BULK_CSV", "--all", "--name", "ours", "--user", DEMO_USER_EMAIL, "--json").json
    for wrong, said in (
        (("--name", "taken"), "choose another name"),
        (("--name", " "), "printable"),
        (("--tag", "no such tag"), "There is no tag"),
        (("--set", "profile=wide"), "summary, flat"),
        (("--expiry-hours", "0"), "1 to 168"),
        (("--no-link",), "say who with --to"),
        (("--tell-nobody", "--to", "ada@example.org"), "exclude each other"),
        (("--tell-nobody", "--no-attach-file"), "exclude each other"),
    ):
        refused = deployment.run(*CHANGE, "ours", *wrong)
        assert (refused.status, refused.out, refused.err.count("\n")) == (2, "", 1)
        assert said in refused.err
    shown = deployment.run("subscriptions", "show", "ours", "--json").json
    assert shown == {**made, "reactions": []}
