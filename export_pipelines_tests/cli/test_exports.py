"""``export-pipelines export`` as programs and people use it, from outside."""

import hashlib
import json
import shutil
from pathlib import Path
from typing import BinaryIO

import pytest

from export_pipelines.catalog.export_type import Subject
from export_pipelines.cli import exports
from export_pipelines.db import jobs
from export_pipelines.db.seed import DEMO_USER_EMAIL, SHOWCASE_DAY, SHOWCASE_DEFINITION_ID, SHOWCASE_RUN_ID
from export_pipelines.steps.export import run_export
from export_pipelines.steps.submit import submit
from export_pipelines.steps.verify import verify_path
from export_pipelines_tests.deployments import Deployment
from export_pipelines_tests.steps.orders import EVALUATION, order

LOSSLESS = ("DEFINITION_MD", "BULK_JSONL", "BULK_PARQUET", "BULK_DAY_JSONL")
NAMES = [type_.name for type_ in EVALUATION]
RUN_NAME = "Courtyard, many languages, April"
SUBJECTS = {
    "run_id": ("--run-id", SHOWCASE_RUN_ID),
    "definition_id": ("--definition-id", SHOWCASE_DEFINITION_ID),
    "day": ("--day", SHOWCASE_DAY),
}


def subject(type_name: str) -> tuple[str, str]:
    return next(SUBJECTS[type_.subject_field] for type_ in EVALUATION if type_.name == type_name)


@pytest.mark.parametrize("type_name", NAMES)
def test_json_is_the_completed_row_with_the_files_place_and_what_it_could_not_keep(
    shared: Deployment, type_name: str
) -> None:
    done = shared.script("export", type_name, *subject(type_name), "--user", DEMO_USER_EMAIL, "--json")
    assert (done.status, done.err) == (0, "")
    row = done.json
    with shared.database.raw_connection() as connection:
        columns = connection.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_name = 'export_jobs'"
        ).fetchall()
    assert set(row) == {name for (name,) in columns} | {"local_path"}
    assert (row["status"], row["type"], row["progress_percent"], row["error"]) == ("COMPLETED", type_name, 100, None)
    assert row["expires_at"] > row["completed_at"] > row["started_at"] > row["created_at"]
    path = Path(row["local_path"])
    assert path == shared.store / row["output_path"]
    assert (len(path.read_bytes()), hashlib.sha256(path.read_bytes()).hexdigest()) == (
        row["output_size_bytes"],
        row["checksum"],
    )
    assert verify_path(path).problems == ()
    assert isinstance(row["fidelity"], list)
    # Of the demonstration data these keep everything as it is.
    assert (row["fidelity"] == []) == (type_name in LOSSLESS)


def test_the_terminal_the_row_and_the_manifest_name_the_same_losses_of_every_type(
    deployment: Deployment, capsys: pytest.CaptureFixture[str]
) -> None:
    with deployment.database.raw_connection() as connection:
        connection.execute("UPDATE evaluation.runs SET status = 'RUNNING' WHERE id = %s", [SHOWCASE_RUN_ID])
        connection.execute(
            """UPDATE evaluation.definitions SET content = jsonb_set(content, '{preamble}', '"# No section "')
            WHERE id = %s""",
            [SHOWCASE_DEFINITION_ID],
        )
        connection.commit()
    # A day's transcripts are all kept exactly; the day makes no difference to what the terminal says.
    for type_ in (type_ for type_ in EVALUATION if type_.subject is not Subject.DAY):
        partial = {"allow_partial": True} if type_.subject_field == "run_id" else {}
        job = run_export(deployment.services, submit(deployment.services, order(type_.name, **partial)).id)
        exports.report(deployment.services, job, None, as_json=False)
        lines = capsys.readouterr().out.splitlines()
        assert job.output_path is not None
        manifest = json.loads((deployment.store / f"{job.output_path}.manifest.json").read_bytes())
        assert manifest["fidelity"] == list(job.fidelity) != [], type_.name
        said = [line.removeprefix("note: ") for line in lines if line.startswith("note: ")]
        times = {note["count"]: "" if note["count"] == 1 else f" ({note['count']} times)" for note in job.fidelity}
        assert said == [f"{note['where']}: {note['detail']}{times[note['count']]}" for note in job.fidelity]
        # They are the last that is said.
        assert lines[-len(said) :] == [f"note: {line}" for line in said]


def test_a_name_will_do_for_an_id_and_the_terminal_says_where_the_file_is_and_what_was_lost(
    deployment: Deployment, tmp_path: Path
) -> None:
    done = deployment.run("export", "bulk_csv", "--run-id", RUN_NAME, "--out", tmp_path / ".", EXPORT_PIPELINES_USER="")
    assert (done.status, done.err) == (0, "")
    [job] = jobs.list_jobs(deployment.database)
    copied = tmp_path / f"run_{SHOWCASE_RUN_ID}_summary.csv"
    for shown in (job.id, str(copied), str(job.checksum), str(job.output_url), "93 records", "note: column"):
        assert shown in done.out
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home", copied.name, f"{copied.name}.manifest.json"]
    assert verify_path(copied).problems == ()


def test_the_beginning_of_an_id_will_do_and_options_and_hours_are_kept_with_the_job(
    deployment: Deployment, tmp_path: Path
) -> None:
    options = ("--set", "strict=yes", "--expiry-hours", "168", "--json", "--out", tmp_path)
    done = deployment.run(
        "export", "DEFINITION_MD", "--definition-id", SHOWCASE_DEFINITION_ID[:8], *options, cwd=tmp_path
    )
    assert done.status == 0
    assert done.json["input"] == {
        "subject_id": SHOWCASE_DEFINITION_ID,
        "expiry_hours": 168,
        "options": {"strict": True},
    }
    assert Path(done.json["local_path"]).parent == tmp_path


def test_an_export_that_fails_is_status_1_with_the_reason_on_the_row(deployment: Deployment) -> None:
    failed = deployment.run("export", "BULK_CSV", *subject("BULK_CSV"), "--set", "strict=true", "--json")
    assert failed.status == 1
    assert failed.json["status"] == "FAILED"
    assert "strict was asked for" in failed.json["error"]
    assert "local_path" not in failed.json
    [job] = jobs.list_jobs(deployment.database)
    told = deployment.run("jobs", "retry", job.id)
    assert (told.status, told.out) == (1, "")
    assert told.err.startswith("continuing job ")
    assert f"error: job {job.id} is FAILED: strict was asked for" in told.err


def test_a_copy_that_cannot_be_made_says_that_the_export_is_done(deployment: Deployment, tmp_path: Path) -> None:
    in_the_way = tmp_path / f"run_{SHOWCASE_RUN_ID}_transcripts.jsonl"
    in_the_way.mkdir()
    failed = deployment.run("export", "BULK_JSONL", *subject("BULK_JSONL"), "--out", tmp_path)
    [job] = jobs.list_jobs(deployment.database)
    assert failed.status == 1
    assert failed.err == (
        f"error: job {job.id} is done, but {in_the_way} cannot be written: Is a directory. Copy it yourself from "
        f"{job.output_path} in the store, or export again with another --out.\n"
    )
    assert not list(tmp_path.glob(".*"))


def test_two_that_copy_out_a_file_of_one_name_at_once_do_not_get_in_each_others_way(
    deployment: Deployment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = deployment.services
    job = run_export(services, submit(services, order("BULK_CSV")).id)
    folder = tmp_path / "out"
    folder.mkdir()
    copy = shutil.copyfileobj

    def copy_with_another_in_between(source: BinaryIO, sink: BinaryIO, length: int) -> None:
        monkeypatch.setattr(shutil, "copyfileobj", copy)
        sink.write(source.read(10))
        assert exports.copy_out(services, job, folder)
        copy(source, sink, length)

    monkeypatch.setattr(shutil, "copyfileobj", copy_with_another_in_between)
    copied = exports.copy_out(services, job, folder)
    assert copied is not None
    assert verify_path(copied).problems == ()
    assert sorted(path.name for path in folder.iterdir()) == [copied.name, f"{copied.name}.manifest.json"]


def test_what_dagster_keeps_of_the_runs_holds_no_secret(shared: Deployment) -> None:
    import psycopg

    from export_pipelines_tests.deployments import SECRETS

    shared.run("export", "DEFINITION_MD", *subject("DEFINITION_MD"))
    assert shared.dagster_url is not None
    url = shared.dagster_url.replace("postgresql+psycopg", "postgresql")
    with psycopg.connect(url) as connection:
        for table, column in (("event_logs", "event"), ("runs", "run_body"), ("run_tags", "value")):
            count = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
            assert count is not None
            assert count[0] > 0
            for secret in SECRETS.values():
                query = f"SELECT count(*) FROM {table} WHERE strpos({column}, %s) > 0"
                assert connection.execute(query, [secret]).fetchone() == (0,)
