"""``export-pipelines schedules`` as people and programs use it."""

import pytest

from export_pipelines.db import jobs, schedules
from export_pipelines.db.seed import DEMO_USER_EMAIL
from export_pipelines_tests.deployments import Deployment

ADD = ("schedules", "add", "nightly", "bulk_csv", "--run-id", "@latest", "--user", DEMO_USER_EMAIL)
WHEN = ("--cron", "30 2 * * *", "--timezone", "Europe/Berlin")


def test_a_schedule_from_its_making_to_its_end(deployment: Deployment) -> None:
    assert "schedules add NAME TYPE --cron" in deployment.run("schedules").out
    terms = ("--set", "profile=flat", "--recipient", "ann@example.org", "--attach-file", "--missed", "run-once")
    made = deployment.run(*ADD, *WHEN, *terms, "--json")
    assert (made.status, made.err) == (0, "")
    [schedule] = schedules.list_schedules(deployment.database)
    assert (made.json["id"], made.json["missed_slots"]) == (schedule.id, "RUN_ONCE")
    assert made.json["delivery"] == {
        "recipients": ["ann@example.org"], "include_download_link": True, "attach_file": True,
    }  # fmt: skip
    assert deployment.run("schedules", "list", "--json").json[0]["input"]["subject_id"] == "@latest"
    told = deployment.run("schedules").out.splitlines()[1]
    assert told.startswith(f"{schedule.id}  nightly  BULK_CSV  30 2 * * *  Europe/Berlin")
    assert told.endswith("active")

    shown = deployment.run("schedules", "preview", "nightly", "--next", "4").out.splitlines()
    assert len(shown) == 5
    assert "Europe/Berlin" in shown[0]
    assert all(" 02:30 CE" in line for line in shown[1:])

    paused = deployment.run("schedules", "pause", "nightly")
    assert paused.out == f"schedule nightly ({schedule.id}) is paused: paused by hand\n"
    assert deployment.run("schedules", "resume", schedule.id[:20], "--json").json["active"]
    assert deployment.run("schedules", "run-now", "nightly").out.startswith("job c")
    [job] = jobs.list_jobs(deployment.database)
    assert (job.status, job.input["options"]["profile"]) == ("PENDING", "flat")
    assert deployment.run("schedules", "remove", "nightly").status == 0
    assert schedules.list_schedules(deployment.database) == ()


def test_only_what_is_given_is_changed(deployment: Deployment) -> None:
    terms = ("--set", "profile=flat", "--recipient", "ann@example.org", "--no-download-link", "--missed", "run-once")
    made = deployment.run(*ADD, *WHEN, *terms, "--title", "Ours", "--json").json
    same = deployment.run("schedules", "change", "nightly", "--json").json
    assert {**same, "updated_at": made["updated_at"]} == made
    other = ("--name", "mornings", "--cron", "0 6 * * *", "--timezone", "Asia/Tokyo", "--missed", "skip")
    how = ("--expiry-hours", "2", "--set", "strict=true", "--title", "Mine", "--attach-file")
    changed = deployment.run("schedules", "change", "nightly", *other, *how, "--json").json
    assert (changed["name"], changed["cron_pattern"], changed["timezone"]) == ("mornings", "0 6 * * *", "Asia/Tokyo")
    assert (changed["missed_slots"], changed["next_run"][11:16]) == ("SKIP", "21:00")
    assert (changed["input"]["expiry_hours"], changed["input"]["title"]) == (2, "Mine")
    assert (changed["input"]["subject_id"], changed["input"]["options"]["profile"]) == ("@latest", "summary")
    assert changed["input"]["options"]["strict"] is True
    assert changed["delivery"] == {
        "recipients": ["ann@example.org"], "include_download_link": False, "attach_file": True,
    }  # fmt: skip
    assert deployment.run("schedules", "pause", "mornings").status == 0
    quiet = deployment.run("schedules", "change", "mornings", "--tell-nobody", "--title", "")
    assert quiet.out == f"schedule mornings ({made['id']}) is paused: paused by hand\n"
    [schedule] = schedules.list_schedules(deployment.database)
    assert (schedule.delivery, schedule.input["title"], schedule.next_run) == (None, "", None)


def test_a_change_that_is_wrong_is_said_in_one_line_and_changes_nothing(deployment: Deployment) -> None:
    deployment.run(*ADD, *WHEN)
    before = schedules.list_schedules(deployment.database)
    for wrong, said in (
        (("--cron", "30 2 * *"), "give five fields"),
        (("--timezone", "Europe/Berln"), "did you mean Europe/Berlin"),
        (("--missed", "all"), "skip and run-once"),
        (("--set", "profile=wide"), "summary, flat"),
        (("--day", "@yesterday"), "--run-id and nothing else"),
        (("--run-id", "cnosuchrun"), "cnosuchrun"),
        (("--name", " "), "empty"),
        (("--no-download-link",), "say who with --recipient"),
        (("--tell-nobody", "--attach-file"), "exclude each other"),
    ):
        refused = deployment.run("schedules", "change", "nightly", *wrong)
        assert (refused.status, refused.out, refused.err.count("\n")) == (2, "", 1)
        assert said in refused.err
    assert schedules.list_schedules(deployment.database) == before


def test_a_pattern_is_tried_out_without_a_schedule(shared: Deployment) -> None:
    tried = ("--cron", "30 2 28-29 3 *", "--timezone", "Europe/Berlin", "--next", "2", "--json")
    slots = shared.run("schedules", "preview", *tried).json
    assert [set(slot) for slot in slots] == [{"local", "fold", "at"}] * 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((*ADD, "--cron", "30 2 * *"), "give five fields"),
        ((*ADD, "--cron", "@daily", "--timezone", "Europe/Berln"), "did you mean Europe/Berlin"),
        ((*ADD, "--cron", "@daily", "--missed", "all"), "skip and run-once"),
        ((*ADD, "--cron", "@daily", "--set", "profile=wide"), "summary, flat"),
        ((*ADD, "--cron", "@daily", "--day", "@yesterday"), "--run-id and nothing else"),
        (ADD, "--cron"),
        (("schedules", "add", "day", "BULK_DAY_JSONL", "--day", "2999-01-01", "--cron", "@daily"), "not over yet"),
        (("schedules", "change", "nothing", "--title", "x"), "There is no schedule 'nothing'"),
        (("schedules", "pause", "nothing"), "There is no schedule 'nothing'"),
        (("schedules", "remove", "nothing"), "There is no schedule 'nothing'"),
        (("schedules", "preview"), "name a schedule, or give --cron"),
        (("schedules", "preview", "--cron", "@daily", "--next", "0"), "--next"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(shared: Deployment, arguments: tuple[str, ...], said: str) -> None:
    refused = shared.run(*arguments)
    assert (refused.status, refused.out) == (2, "")
    assert said in refused.err
    assert refused.err.count("\n") == 1
    assert schedules.list_schedules(shared.database) == ()
