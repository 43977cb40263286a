"""The log held against itself, against checkpoints, and by a stranger with nothing but the documents."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from export_pipelines.core.audit import Checkpoint
from export_pipelines.core.errors import IntegrityError, ValidationError
from export_pipelines.core.jobs import ExportJob, JobStatus
from export_pipelines.db import audit, jobs
from export_pipelines.packaging import checkpoints
from export_pipelines.steps import signing
from export_pipelines.steps.audit import Audited, all_checkpoints, sign_checkpoint, verify_file, verify_log
from export_pipelines.steps.export import run_export
from export_pipelines.steps.services import Services
from export_pipelines.steps.submit import Order, submit
from export_pipelines.steps.verify import verify_job
from export_pipelines_tests.audit_logs import LOG, REWRITE, tamper
from export_pipelines_tests.db.rows import NOW
from export_pipelines_tests.steps.conftest import Clock
from export_pipelines_tests.steps.orders import order

DOCUMENT = Path(__file__).parents[2] / "docs" / "audit.md"
HEAD = "exports.export_audit_head"


def write(services: Services, rows: int) -> None:
    with services.database.transaction() as session:
        for number in range(rows):
            data = {"n": number, "é\n": [1.50, None, "\u007f"]}
            audit.record(session, job_id=f"cjob{number}", action="shared", at=NOW, data=data)


def signed(services: Services) -> Checkpoint:
    made = sign_checkpoint(services)
    assert made is not None
    return made


def verified(services: Services, *kept: Checkpoint) -> Audited:
    return verify_log(services.database, keys=signing.known_keys(services.settings), kept=kept)


def only_problem(found: Audited) -> str:
    [problem] = found.problems
    return problem


def exported(services: Services, positions: str = "", **options: object) -> tuple[ExportJob, Path]:
    asked = Order(type="AUDIT_JSONL", user=order("BULK_CSV").user, positions=positions, options=options)
    job = run_export(services, submit(services, asked).id)
    assert job.status is JobStatus.COMPLETED, job.error
    path = services.store.local_path(job.output_path or "")
    assert path is not None
    return job, path


def test_checkpoints_follow_the_log_and_agree_with_it(services: Services, clock: Clock) -> None:
    assert sign_checkpoint(services) is None
    write(services, 3)
    first = signed(services)
    assert (first.number, first.position, signed(services)) == (1, 3, first)
    clock.jump(hours=1)
    write(services, 2)
    assert (signed(services).number, signed(services).position) == (2, 5)
    found = verified(services, first)
    assert (found.rows, found.signed, found.agreeing, found.problems) == (5, 5, 3, ())


def test_checkpoints_of_a_key_that_has_been_replaced_still_count(services: Services) -> None:
    write(services, 1)
    signed(services)
    signing.rotate(services.settings)
    write(services, 1)
    assert signed(services).key_id != all_checkpoints(services.database)[0].key_id
    assert verified(services).agreeing == 2


def test_a_row_that_was_changed_in_the_database_is_named_and_nothing_more_is_signed(services: Services) -> None:
    write(services, 5)
    tamper(services.database, "UPDATE {log} SET user_id = 'someone' WHERE position = 3")
    assert only_problem(verified(services)).startswith(
        "the row at position 3 was changed: row 3 (shared at 2026-03-01T"
    )
    with pytest.raises(IntegrityError, match="no checkpoint was signed: the row at position 3 was changed"):
        sign_checkpoint(services)
    assert all_checkpoints(services.database) == ()


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("DELETE FROM {log} WHERE position = 2", "the row at position 2 was removed"),
        ("DELETE FROM {log} WHERE position > 3", "the row at position 4 was removed"),
        (
            "INSERT INTO {log} (job_id, action, at) VALUES ('c1', 'shared', now())",
            "a row without a place was inserted: row 6 (shared",
        ),
        (
            "UPDATE {log} SET position = position + 10 WHERE position IN (2, 4);"  # noqa: ISC004 - one statement's text
            "UPDATE {log} SET position = 16 - position WHERE position IN (12, 14)",
            "the row at position 2 was moved: row 4 (",
        ),
        ("UPDATE {log} SET hash = repeat('a', 64) WHERE position = 5", "the row at position 5 was changed"),
    ],
)
def test_what_else_was_done_to_rows_is_named(services: Services, statement: str, said: str) -> None:
    write(services, 5)
    tamper(services.database, statement)
    assert only_problem(verified(services)).startswith(said)


def test_a_log_that_was_written_anew_as_a_whole_contradicts_its_checkpoints(services: Services) -> None:
    write(services, 3)
    signed(services)
    write(services, 3)
    signed(services)
    tamper(services.database, "UPDATE {log} SET user_id = 'someone' WHERE position = 5", REWRITE)
    problem = only_problem(verified(services))
    assert problem.startswith("checkpoint 2, of position 6: the rows were written anew after it was signed at ")
    assert problem.endswith("the first that differs is one of 4 to 6")
    assert verified(services).signed == 3


def test_an_end_that_was_cut_off_with_the_head_is_missed_by_checkpoints(services: Services) -> None:
    write(services, 5)
    kept = signed(services)
    end = f"UPDATE {HEAD} SET position = 2, hash = (SELECT hash FROM {LOG} WHERE position = 2)"
    tamper(services.database, end, "DELETE FROM {log} WHERE position > 2")
    assert "rows 3 to 5 were removed" in only_problem(verified(services))
    tamper(services.database, "DELETE FROM exports.export_audit_checkpoints")
    assert verified(services).problems == ()
    assert "rows 3 to 5 were removed" in only_problem(verified(services, kept))
    write(services, 3)
    assert "written anew" in only_problem(verified(services, kept))


def test_checkpoints_that_were_changed_or_taken_away_are_named(services: Services) -> None:
    for _ in range(3):
        write(services, 1)
        signed(services)
    tamper(services.database, "DELETE FROM exports.export_audit_checkpoints WHERE number = 2")
    assert only_problem(verified(services)) == "checkpoint 2 was removed"
    tamper(services.database, "UPDATE exports.export_audit_checkpoints SET taken_at = now() WHERE number = 1")
    assert "it was changed after it was signed" in verified(services).problems[0]
    tamper(services.database, "UPDATE exports.export_audit_checkpoints SET key_id = 'other' WHERE number = 1")
    assert "signed by key other, which is not known here" in verified(services).problems[0]


def test_a_checkpoint_that_somebody_put_there_is_not_built_upon(services: Services) -> None:
    write(services, 2)
    signed(services)
    forged = (
        "UPDATE exports.export_audit_checkpoints SET position = 1, hash = (SELECT hash FROM {log} WHERE position = 1)"
    )
    tamper(services.database, forged)
    with pytest.raises(IntegrityError, match="checkpoint 1: it was changed after it was signed"):
        sign_checkpoint(services)


def test_the_export_of_the_log_is_an_export_with_manifest_and_rows_of_its_own(services: Services) -> None:
    write(services, 4)
    job, path = exported(services)
    lines = [json.loads(line) for line in path.read_bytes().splitlines()]
    assert [line["position"] for line in lines] == [1, 2, 3, 4]
    assert (job.record_count, path.name, job.title) == (4, "audit_1-4.jsonl", "Audit log (JSON Lines): rows 1 to 4")
    assert verify_job(services, job.id).problems == ()
    actions = [entry.action for entry in audit.list_for_job(services.database, job.id)]
    assert actions == ["created", "started", "completed", "link_minted"]
    again, same = exported(services, "1-4")
    assert (again.checksum, same.read_bytes()) == (job.checksum, path.read_bytes())
    assert [json.loads(line)["position"] for line in exported(services, "3-")[1].open()][:2] == [3, 4]


@pytest.mark.parametrize("positions", ["0-1", "2-1", "1-99", "x", "1", "99-"])
def test_positions_that_are_not_there_are_refused_with_those_that_are(services: Services, positions: str) -> None:
    write(services, 4)
    with pytest.raises(ValidationError, match="ends at position 4"):
        exported(services, positions)


def test_an_exported_log_is_verified_without_the_database(services: Services, tmp_path: Path) -> None:
    write(services, 3)
    kept = [signed(services)]
    write(services, 3)
    kept.append(signed(services))
    keys = signing.known_keys(services.settings)
    for options in ({}, {"compression": "gzip"}, {"compression": "zstd"}):
        found = verify_file(exported(services, "1-6", **options)[1], keys=keys, kept=kept)
        assert (found.rows, found.agreeing, found.problems) == (6, 2, ())
    part = verify_file(exported(services, "4-5")[1], keys=keys, kept=kept)
    assert (part.rows, part.agreeing, part.uncovered, part.problems) == (2, 1, 1, ())
    path = exported(services, "1-6")[1]
    changed = tmp_path / "changed.jsonl"
    changed.write_bytes(path.read_bytes().replace(b'"cjob1"', b'"cjob7"', 1))
    assert only_problem(verify_file(changed, keys=keys)).startswith("the row at position 2 was changed")
    foreign = replace(kept[1], hash="f" * 64)
    assert "changed after it was signed" in only_problem(verify_file(path, keys=keys, kept=[foreign]))
    for data in (b"", b"{}\n", b"no log\n", b"\xff\n"):
        changed.write_bytes(data)
        with pytest.raises(ValidationError, match="audit log"):
            verify_file(changed, keys=keys)


def test_a_stranger_verifies_log_and_checkpoints_with_the_program_in_the_document(
    services: Services, tmp_path: Path
) -> None:
    write(services, 3)
    signed(services)
    write(services, 2)
    signed(services)
    (tmp_path / "checkpoints.jsonl").write_bytes(checkpoints.write(all_checkpoints(services.database)))
    (tmp_path / "verify.py").write_text(DOCUMENT.read_text().partition("```python\n")[2].partition("```")[0])
    path = exported(services)[1]
    key = signing.signing_key(services.settings).public.base64

    def stranger(log: Path) -> tuple[int, str]:
        command = [sys.executable, "-I", tmp_path / "verify.py", log, tmp_path / "checkpoints.jsonl", key]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
        return done.returncode, done.stdout + done.stderr

    assert stranger(path) == (0, "5 rows verified\n")
    assert "export_pipelines" not in (tmp_path / "verify.py").read_text()
    changed = tmp_path / "changed.jsonl"
    changed.write_bytes(path.read_bytes().replace(b"cjob1", b"cjob9", 1))
    assert stranger(changed) == (1, "position 2 was changed\n")


def test_files_of_checkpoints_are_read_back_and_others_refused(services: Services) -> None:
    write(services, 1)
    made = [signed(services)]
    assert list(checkpoints.read(checkpoints.write(made), where="file")) == made
    for data in (b"", b"[]\n", b"{}\n", b"\xff", b"[" * 100_000):
        with pytest.raises(ValidationError, match="audit checkpoint --out FILE"):
            checkpoints.read(data, where="file")


def test_nobody_counts_the_audit_export_as_one_of_an_evaluation(services: Services) -> None:
    with pytest.raises(ValidationError, match="give --positions and nothing else"):
        submit(services, Order(type="AUDIT_JSONL", user=order("BULK_CSV").user, run_id="c1"))
    with pytest.raises(ValidationError, match="give --run-id and nothing else"):
        submit(services, Order(type="BULK_CSV", user=order("BULK_CSV").user, run_id="c1", positions="1-2"))
    assert jobs.list_jobs(services.database) == ()
