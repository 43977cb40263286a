"""``export-pipelines verify``: what was published is found whole, and what was changed since is found and named."""

import json
from pathlib import Path

import pytest

from export_pipelines.core.jobs import ExportJob
from export_pipelines.db.seed import SHOWCASE_RUN_ID
from export_pipelines.steps.export import run_export
from export_pipelines.steps.submit import submit
from export_pipelines_tests.deployments import Deployment
from export_pipelines_tests.steps.orders import order


def published(deployment: Deployment, type_name: str) -> tuple[ExportJob, Path]:
    job = run_export(deployment.services, submit(deployment.services, order(type_name)).id)
    assert job.output_path is not None
    return job, deployment.store / job.output_path


def test_a_file_and_a_job_are_verified_by_everything_the_manifest_states(shared: Deployment) -> None:
    job, path = published(shared, "RUN_BUNDLE")
    of_file = shared.run("verify", path, EXPORT_PIPELINES_DATABASE_URL="postgresql://nobody@127.0.0.1:9/nothing")
    of_job = shared.run("verify", job.id)
    assert (of_file.status, of_job.status) == (0, 0)
    assert of_file.out.startswith("ok: ")
    assert of_job.out == of_file.out.rstrip("\n") + ", the job's row\n"


@pytest.mark.parametrize("type_name", ["RUN_BUNDLE", "BULK_JSONL"])
def test_one_flipped_bit_is_found_and_named(shared: Deployment, type_name: str) -> None:
    job, path = published(shared, type_name)
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 1
    path.write_bytes(data)
    for target in (path, job.id):
        found = shared.run("verify", target)
        assert found.status == 1
        assert "SHA-256" in found.out
        assert found.err.startswith(f"error: {target} is not what was published (")
        assert found.err.count("\n") == 1


def test_a_row_that_says_something_else_than_the_manifest_is_found(shared: Deployment) -> None:
    job, _ = published(shared, "DEFINITION_MD")
    with shared.database.raw_connection() as connection:
        connection.execute("UPDATE exports.export_jobs SET record_count = 77 WHERE id = %s", [job.id])
        connection.commit()
    found = shared.run("verify", job.id)
    assert (found.status, found.out) == (1, "the job's row states 77 as the number of records, the manifest 1\n")


@pytest.mark.parametrize("target", ["cnosuchjob", "no/such/file.csv", "", "."])
def test_what_is_not_there_is_a_wrong_request(shared: Deployment, target: str) -> None:
    refused = shared.run("verify", target)
    assert (refused.status, refused.out) == (2, "")
    assert refused.err.startswith("error: ")
    assert refused.err.count("\n") == 1


def test_a_file_without_its_manifest_and_a_job_without_its_file_say_so(shared: Deployment) -> None:
    job, path = published(shared, "DEFINITION_MD")
    waiting = submit(shared.services, order("DEFINITION_MD"))
    manifest = path.with_name(f"{path.name}.manifest.json")
    manifest.rename(path.with_name("elsewhere"))
    for target, said in (
        (path, f"{manifest} is not there"),
        (job.id, f"{manifest} does not exist"),
        (waiting.id, f"job {waiting.id} is PENDING, so there is no file to verify"),
    ):
        refused = shared.run("verify", target)
        assert (refused.status, refused.out) == (2, "")
        assert said in refused.err
    manifest.write_text("{}")
    refused = shared.run("verify", path)
    assert (refused.status, refused.out) == (2, "")
    assert str(manifest) in refused.err


def test_a_file_is_verified_elsewhere_with_the_public_key_alone(shared: Deployment, tmp_path: Path) -> None:
    _, path = published(shared, "BULK_JSONL")
    key, pem = tmp_path / "key.txt", tmp_path / "key.pem"
    key.write_text(shared.run("keys", "signing", "public").out)
    pem.write_text(shared.run("keys", "signing", "public", "--pem").out)
    elsewhere = {
        "EXPORT_PIPELINES_HOME": str(tmp_path / "elsewhere"),
        "EXPORT_PIPELINES_DATABASE_URL": "postgresql://nobody@127.0.0.1:9/nothing",
    }
    for given in (key, pem, key.read_text().strip()):
        verified = shared.run("verify", path, "--public-key", given, **elsewhere)
        assert (verified.status, verified.err) == (0, "")
        assert "the manifest's signature" in verified.out
    unknown = shared.run("verify", path, **elsewhere)
    assert unknown.status == 1
    assert "which is not known here" in unknown.out
    wrong = shared.run("verify", path, "--public-key", "A" * 43 + "=", **elsewhere)
    assert wrong.status == 1
    refused = shared.run("verify", path, "--public-key", tmp_path / "nothing.pem", **elsewhere)
    assert (refused.status, refused.out) == (2, "")
    assert not (tmp_path / "elsewhere").exists()


def test_a_manifest_without_signature_is_a_problem_unless_it_is_allowed(shared: Deployment) -> None:
    job, path = published(shared, "DEFINITION_MD")
    manifest = Path(f"{path}.manifest.json")
    found = json.loads(manifest.read_bytes())
    del found["signature"]
    manifest.write_text(json.dumps(found, sort_keys=True, indent=2, ensure_ascii=False) + "\n")
    for target in (path, job.id):
        refused = shared.run("verify", target)
        assert refused.status == 1
        assert refused.out.startswith("the manifest is not signed")
        assert shared.run("verify", target, "--allow-unsigned").status == 0


def test_against_the_database_missing_extra_and_changed_are_told_apart(deployment: Deployment) -> None:
    job, path = published(deployment, "BULK_JSONL")
    same = deployment.run("verify", path, "--against-database")
    assert (same.status, same.out.splitlines()[1]) == (0, "ok: the database still says the same of 93 records")
    with deployment.database.raw_connection() as connection:
        first, second = (
            id_
            for (id_,) in connection.execute(
                "SELECT id FROM evaluation.transcripts WHERE run_id = %s ORDER BY id LIMIT 2", [SHOWCASE_RUN_ID]
            )
        )
        connection.execute("UPDATE evaluation.transcripts SET token_count = 7 WHERE id = %s", [second])
        connection.execute(
            'INSERT INTO evaluation.transcripts SELECT (jsonb_populate_record(t, \'{"id": "cnew"}\')).* '
            "FROM evaluation.transcripts t WHERE id = %s",
            [first],
        )
        connection.execute("DELETE FROM evaluation.transcripts WHERE id = %s", [first])
        connection.commit()
    for target in (path, job.id):
        moved = deployment.run("verify", target, "--against-database")
        assert moved.status == 1
        assert moved.out.splitlines()[1:] == [
            f"missing: record {first} is in the file, but gone from the database",
            "extra: record cnew is in the database, but not in the file",
            f"changed: record {second} has changed in the database: token_count",
        ]
        assert (
            f"error: {target} is intact, but the data has moved on since it was made: 1 missing record, 1 extra record,"
            " 1 changed record (read at " in moved.err
        )
    assert deployment.run("verify", path).status == 0
