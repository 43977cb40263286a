"""``export-pipelines audit`` as people use it, from outside."""

import json
from pathlib import Path

import pytest

from export_pipelines.db import audit
from export_pipelines_tests.audit_logs import tamper
from export_pipelines_tests.db.rows import NOW
from export_pipelines_tests.deployments import Deployment


def write(deployment: Deployment, rows: int = 3) -> None:
    with deployment.database.transaction() as session:
        for number in range(rows):
            audit.record(session, job_id=f"cjob{number}", action="shared", at=NOW, data={"n": number})


def test_the_log_is_listed_newest_first_narrowed_down_and_as_json(deployment: Deployment) -> None:
    assert deployment.run("audit", "list").out == "Nothing of that kind has happened.\n"
    write(deployment)
    listed = deployment.run("audit", "list", "--limit", "2").out.splitlines()
    assert listed[0].split()[:2] == ["POSITION", "AT"]
    assert [line.split()[0] for line in listed[1:]] == ["3", "2"]
    [row] = deployment.run("audit", "list", "--job", "cjob1", "--action", "shared", "--json").json
    assert (row["position"], row["job_id"], row["data"]) == (2, "cjob1", {"n": 1})
    wrong = deployment.run("audit", "list", "--action", "printed")
    assert (wrong.status, wrong.err.startswith("error: action 'printed' is unknown; there are created, ")) == (2, True)


def test_a_log_is_signed_kept_exported_and_verified_with_the_database_and_without(
    deployment: Deployment, tmp_path: Path
) -> None:
    empty = deployment.run("audit", "checkpoint")
    assert (empty.status, empty.err) == (2, "error: the audit log has no rows yet, so there is nothing to sign.\n")
    write(deployment)
    unsigned = deployment.run("audit", "verify")
    assert (unsigned.status, unsigned.out) == (0, "ok: 3 rows, the last at position 3\n")
    assert "no signed checkpoint vouches for these rows" in unsigned.err
    kept = tmp_path / "kept.jsonl"
    assert deployment.run("audit", "checkpoint", "--out", kept, "--json").json["position"] == 3
    made = deployment.run("audit", "export", "--out", tmp_path, "--json")
    assert (made.status, made.json["type"], made.json["record_count"]) == (0, "AUDIT_JSONL", 3)
    file = Path(made.json["local_path"])
    elsewhere = {
        "EXPORT_PIPELINES_DATABASE_URL": "postgresql://nobody@127.0.0.1:9/none",
        "EXPORT_PIPELINES_HOME": str(tmp_path / "x"),
    }
    key = deployment.run("keys", "signing", "public").out.strip()
    offline = ("audit", "verify", file, "--checkpoints", kept, "--public-key", key)
    verified = deployment.run(*offline, **elsewhere)
    last = "the last at position 3"
    assert verified.out == f"ok: 3 rows, {last}\nok: 1 signed checkpoints agree, {last}\n"
    file.write_bytes(file.read_bytes().replace(b"cjob1", b"cjob9", 1))
    changed = deployment.run(*offline)
    assert changed.status == 1
    assert changed.out.splitlines()[0] == (
        "the row at position 2 was changed: row 2 (shared at 2026-03-01T12:00:00.000000Z, job cjob9) does not give the "
        "hash that was written with it"
    )


def test_a_damaged_log_is_status_1_and_names_its_first_damaged_row(deployment: Deployment) -> None:
    write(deployment)
    tamper(deployment.database, "DELETE FROM {log} WHERE position = 2")
    found = deployment.run("audit", "verify")
    assert found.status == 1
    assert found.out.startswith("the row at position 2 was removed: the next that is there is row 3 (shared at ")
    assert found.err == (
        "error: the audit log is not what was written; rows up to position 1 are as they were written, but see above.\n"
    )
    assert deployment.run("audit", "checkpoint").status == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["verify", "{dir}/none.jsonl"], "none.jsonl cannot be read: No such file or directory."),
        (["verify", "{dir}"], "cannot be read: Is a directory."),
        (["verify", "--checkpoints", "{dir}/none"], "none is not there."),
        (["verify", "--checkpoints", "{dir}/text"], "line 1, is no checkpoint"),
        (["verify", "{dir}/text"], "is no row of an exported audit log"),
        (["export", "--positions", "5-1"], "positions are '5-1', but must be like 1-2000"),
        (["export", "--positions", "1-9"], "the log ends at position 1"),
    ],
)
def test_wrong_requests_say_what_is_wrong(
    deployment: Deployment, tmp_path: Path, arguments: list[str], said: str
) -> None:
    write(deployment, rows=1)
    (tmp_path / "text").write_text("text\n")
    wrong = deployment.run("audit", *(argument.format(dir=tmp_path) for argument in arguments))
    assert (wrong.status, wrong.out) == (2, "")
    assert said in wrong.err


def test_an_export_of_the_log_has_data_as_the_text_that_was_hashed(deployment: Deployment) -> None:
    write(deployment, rows=1)
    made = deployment.run("export", "audit_jsonl", "--json")
    [line] = Path(made.json["local_path"]).read_text().splitlines()
    assert json.loads(line)["additional_data"] == '{"n": 0}'
