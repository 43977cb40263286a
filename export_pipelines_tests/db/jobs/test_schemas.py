"""Jobs where the deployment's schemas have other names, beside an application's own tables."""

from export_pipelines.core.frozen import Part, Shard
from export_pipelines.core.jobs import JobStatus
from export_pipelines.db import audit, jobs, ledger, migrate
from export_pipelines.db.database import Database
from export_pipelines_tests.db.rows import NOW, add_job, later, staged, stored_file


def test_a_whole_life_of_a_job_in_other_schemas(empty_database: str) -> None:
    database = Database(empty_database, schemas={"evaluation": "public", "exports": "Reports"})
    with database.raw_connection(autocommit=True) as connection:
        connection.execute("CREATE TABLE public.users (id text PRIMARY KEY); INSERT INTO public.users VALUES ('cann')")
        # What tells small exports from large ones.
        connection.execute("CREATE TABLE public.transcripts (run_id text)")
        connection.execute("CREATE TABLE public.scenarios (definition_id text)")
    migrate.upgrade(database)
    job = add_job(database, user_id="cann")
    claimed = jobs.claim(database, job.id, dagster_run_id="run-1", now=NOW)
    ref = jobs.ref_of(claimed)
    ledger.commit_frozen(database, ref, Shard(index=0, rows=1, copy_bytes=1, staged=staged()))
    ledger.commit_rendered(
        database, ref, Part(shard_index=0, rows=1, records=1, body=staged(), index=None, fidelity=())
    )
    jobs.complete(database, stored_file(ref), url="u", expires_at=later(hours=1), now=NOW)
    assert jobs.list_jobs(database, status=JobStatus.COMPLETED)[0].id == job.id
    actions = [entry.action for entry in audit.list_for_job(database, job.id)]
    assert actions == ["created", "started", "completed", "link_minted"]
    with database.raw_connection() as connection:
        assert connection.execute("""SELECT count(*) FROM "Reports".export_shards""").fetchone() == (1,)
    database.close()
