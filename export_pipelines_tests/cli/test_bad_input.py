"""Wrong requests and a world that is away: one clear line, the right exit status, no row left at work."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from export_pipelines.db import jobs
from export_pipelines.db.seed import SHOWCASE_DEFINITION_ID, SHOWCASE_RUN_ID
from export_pipelines_tests.deployments import SECRETS, Deployment, Outcome

CSV = ("export", "BULK_CSV", "--run-id", SHOWCASE_RUN_ID)
MARKDOWN = ("export", "DEFINITION_MD", "--definition-id", SHOWCASE_DEFINITION_ID)
PASSWORD = SECRETS["database"]

WRONG: list[tuple[str, tuple[str, ...], str]] = [
    ("unknown-id", ("export", "BULK_CSV", "--run-id", "cnosuchrun"), "no run with the id or name 'cnosuchrun'"),
    ("malformed-id", ("export", "BULK_CSV", "--run-id", "x\x01y"), "cannot be the id or name of a run"),
    ("endless-id", ("export", "BULK_CSV", "--run-id", "c" * 5000), "cannot be the id or name of a run"),
    ("empty-id", ("export", "BULK_CSV", "--run-id", ""), "give its id with --run-id"),
    ("sql-id", ("export", "BULK_CSV", "--run-id", "' OR 1=1 --"), "no run with the id or name"),
    ("id-of-definition", ("export", "BULK_CSV", "--run-id", SHOWCASE_DEFINITION_ID), "is the id of a definition"),
    ("id-of-run", ("export", "DEFINITION_MD", "--definition-id", SHOWCASE_RUN_ID), "is the id of a run"),
    ("both-ids", (*CSV, "--definition-id", SHOWCASE_DEFINITION_ID), "give --run-id and nothing else"),
    ("no-id", ("export", "SCENARIOS_YAML"), "give its id with --definition-id"),
    ("expiry-0", (*CSV, "--expiry-hours", "0"), "expiry is 0 hours, but must be 1 to 168"),
    ("expiry-169", (*CSV, "--expiry-hours", "169"), "expiry is 169 hours, but must be 1 to 168"),
    ("expiry-word", (*CSV, "--expiry-hours", "soon"), "--expiry-hours"),
    ("unknown-user", (*CSV, "--user", "nobody@example.org"), "no user with the e-mail address nobody@example.org"),
    ("unknown-option", (*CSV, "--set", "colour=red"), "takes allow_partial, compression, profile, strict"),
    ("wrong-option", (*CSV, "--set", "profile=wide"), "takes one of summary, flat"),
    ("option-without-value", (*CSV, "--set", "strict"), "--set 'strict' is not key=value"),
    ("option-twice", (*CSV, "--set", "strict=no", "--set", "strict=yes"), "comes twice"),
    ("unknown-flag", (*CSV, "--colour"), "No such option: --colour"),
    ("unknown-type", ("export", "BULK_XML"), "there are DEFINITION_MD, SCENARIOS_YAML, RUN_BUNDLE"),
    ("no-type", ("export",), "Missing argument 'TYPE'. See: export-pipelines export --help"),
    ("unknown-command", ("exports",), "No such command 'exports'"),
    ("out-is-missing", (*CSV, "--out", "/no/such/folder"), "--out /no/such/folder is not a folder"),
    ("out-is-a-file", (*CSV, "--out", __file__), "is not a folder; create it first or name another"),
    ("file-is-missing", ("import", "definition", "/no/such/file.md"), "/no/such/file.md cannot be read"),
    ("file-is-a-folder", ("import", "scenarios", "/"), "/ cannot be read: Is a directory"),
]

AWAY: list[tuple[str, dict[str, str], int, str]] = [
    ("database-down", {"DATABASE_URL": f"postgresql://me:{PASSWORD}@127.0.0.1:9/app"}, 1, "127.0.0.1:9/app"),
    ("database-unknown-host", {"DATABASE_URL": f"postgresql://me:{PASSWORD}@nowhere.invalid/app"}, 1, "nowhere"),
    ("database-url-nonsense", {"DATABASE_URL": f"nonsense {PASSWORD}"}, 2, "database URL cannot be read"),
    ("database-of-another-kind", {"DATABASE_URL": f"mysql://me:{PASSWORD}@h/app"}, 2, "only PostgreSQL will do"),
    ("dagster-url-nonsense", {"DAGSTER_DATABASE_URL": f"nonsense {PASSWORD}"}, 2, "database URL cannot be read"),
    ("dagster-down", {"DAGSTER_DATABASE_URL": f"postgresql://me:{PASSWORD}@127.0.0.1:9/runs"}, 1, "127.0.0.1:9/runs"),
    ("home-is-a-file", {"HOME": __file__}, 2, f"Dagster's home {__file__}/dagster cannot be written"),
    ("store-url-nonsense", {"STORE_URL": "nonsense"}, 2, "EXPORT_PIPELINES_STORE_URL takes file:///"),
    ("store-url-with-password", {"STORE_URL": f"s3://me:{PASSWORD}@bucket"}, 2, "credentials go into AWS variables"),
    ("store-on-another-host", {"STORE_URL": "file://host/folder"}, 2, "write three slashes after file:"),
    ("number-nonsense", {"SHARD_BYTES": "lots"}, 2, "EXPORT_PIPELINES_SHARD_BYTES is 'lots'"),
    ("schemas-nonsense", {"SCHEMAS": "evaluation=a b"}, 2, "EXPORT_PIPELINES_SCHEMAS holds"),
    ("executor-nonsense", {"EXECUTOR": "abacus"}, 2, "EXPORT_PIPELINES_EXECUTOR is 'abacus'"),
    ("key-too-short", {"LINK_SECRET": "xyzzy"}, 2, "EXPORT_PIPELINES_LINK_SECRET has 5 bytes"),
]


@pytest.fixture(autouse=True)
def _no_row_at_work(shared: Deployment) -> Iterator[None]:
    yield
    assert jobs.list_jobs(shared.database) == ()


def check_refused(outcome: Outcome, *, status: int, said: str) -> None:
    assert (outcome.status, outcome.out) == (status, ""), outcome
    assert outcome.err.startswith("error: ")
    assert said in outcome.err
    assert outcome.err.count("\n") == 1


@pytest.mark.parametrize(("arguments", "said"), [case[1:] for case in WRONG], ids=[case[0] for case in WRONG])
def test_a_wrong_request_is_one_line_and_status_2(shared: Deployment, arguments: tuple[str, ...], said: str) -> None:
    check_refused(shared.run(*arguments), status=2, said=said)


@pytest.mark.parametrize(("settings", "status", "said"), [case[1:] for case in AWAY], ids=[case[0] for case in AWAY])
def test_a_setting_that_cannot_be_used_is_named_and_a_world_that_is_away_is_status_1(
    shared: Deployment, settings: dict[str, str], status: int, said: str
) -> None:
    environ = {f"EXPORT_PIPELINES_{name}": value for name, value in settings.items()}
    check_refused(shared.run(*MARKDOWN, **environ), status=status, said=said)


def test_the_script_itself_ends_so_too(shared: Deployment) -> None:
    check_refused(shared.script(*CSV, "--expiry-hours", "0"), status=2, said="must be 1 to 168")
    down = f"postgresql://me:{PASSWORD}@127.0.0.1:9/app"
    check_refused(shared.script(*CSV, EXPORT_PIPELINES_DATABASE_URL=down), status=1, said="Connection refused")


@pytest.mark.parametrize("where", ["", "/below"])
def test_a_store_that_cannot_be_written_is_found_before_a_row_is_made(
    shared: Deployment, tmp_path: Path, where: str
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    url = f"{blocked.as_uri()}{where}"
    check_refused(shared.run(*CSV, EXPORT_PIPELINES_STORE_URL=url), status=2, said=str(blocked))


def test_with_json_the_reason_is_an_object_too(shared: Deployment) -> None:
    refused = shared.run(*CSV, "--expiry-hours", "0", "--json")
    assert refused.status == 2
    assert refused.json == {"error": "expiry is 0 hours, but must be 1 to 168.", "retryable": False}
    away = shared.run(*CSV, "--json", EXPORT_PIPELINES_DATABASE_URL="postgresql://me@127.0.0.1:9/app")
    assert away.status == 1
    assert away.json["retryable"] is True


def test_an_unfinished_run_is_refused_with_the_way_to_export_it_all_the_same(shared: Deployment) -> None:
    with shared.database.raw_connection() as connection:
        [running] = connection.execute("SELECT id FROM evaluation.runs WHERE status = 'RUNNING'").fetchall()
    refused = shared.run("export", "BULK_JSONL", "--run-id", running[0])
    check_refused(refused, status=2, said="set allow_partial=true to export what is there so far")


def test_a_deleted_run_and_an_ambiguous_name_are_refused(shared: Deployment) -> None:
    with shared.database.raw_connection() as connection:
        [deleted] = connection.execute("SELECT id FROM evaluation.runs WHERE deleted_at IS NOT NULL").fetchall()
    check_refused(shared.run("export", "BULK_JSONL", "--run-id", deleted[0]), status=2, said="deleted")
    with shared.database.raw_connection() as connection:
        connection.execute("UPDATE evaluation.runs SET name = 'Twin' WHERE name IS NOT NULL AND deleted_at IS NULL")
        connection.commit()
    check_refused(shared.run("export", "BULK_JSONL", "--run-id", "Twin"), status=2, said="Give more of the id")
