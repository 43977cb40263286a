"""The queue: who promised a job its next run, which run of it that is, and how large the job is."""

from export_pipelines.db.migrations.statements import run

revision = "0006"
down_revision = "0005"

COLUMNS = """
ALTER TABLE {exports}.export_jobs
    ALTER id SET DEFAULT 'c' || substr(replace(gen_random_uuid()::text, '-', ''), 1, 24),
    ADD launch integer NOT NULL DEFAULT 1,
    ADD launch_after timestamptz,
    ADD claimed_at timestamptz,
    ADD claimed_by text,
    ADD size_hint bigint,
    ADD CONSTRAINT ck_export_jobs_queue_not_negative CHECK (launch >= 1 AND size_hint >= 0),
    ADD CONSTRAINT ck_export_jobs_claim_has_claimant CHECK (num_nulls(claimed_at, claimed_by) IN (0, 2));
CREATE INDEX ix_export_jobs_user_id_claimed_at ON {exports}.export_jobs (user_id, claimed_at);
"""

RULES = """
DROP TRIGGER export_jobs_transitions ON {exports}.export_jobs;
CREATE OR REPLACE FUNCTION {exports}.refuse_job_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.attempt < OLD.attempt THEN
        RAISE EXCEPTION 'export job % cannot go back from attempt % to %', OLD.id, OLD.attempt, NEW.attempt
            USING ERRCODE = 'check_violation', CONSTRAINT = 'export_jobs_transitions';
    END IF;
    $launch$
    IF NEW.status <> OLD.status AND concat(OLD.status, ' to ', NEW.status) NOT IN (
        'PENDING to PROCESSING', 'PENDING to FAILED', 'PENDING to CANCELLED',
        'PROCESSING to COMPLETED', 'PROCESSING to FAILED', 'PROCESSING to CANCELLED',
        'COMPLETED to EXPIRED', 'FAILED to PROCESSING'
    ) THEN
        RAISE EXCEPTION 'export job % cannot go from % to %', OLD.id, OLD.status, NEW.status
            USING ERRCODE = 'check_violation', CONSTRAINT = 'export_jobs_transitions';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER export_jobs_transitions BEFORE UPDATE OF $columns$ ON {exports}.export_jobs
FOR EACH ROW EXECUTE FUNCTION {exports}.refuse_job_change();
"""

LAUNCH = """IF NEW.launch < OLD.launch THEN
        RAISE EXCEPTION 'export job % cannot go back from launch % to %', OLD.id, OLD.launch, NEW.launch
            USING ERRCODE = 'check_violation', CONSTRAINT = 'export_jobs_transitions';
    END IF;"""

UNDO = """
ALTER TABLE {exports}.export_jobs
    ALTER id DROP DEFAULT,
    DROP launch, DROP launch_after, DROP claimed_at, DROP claimed_by, DROP size_hint;
"""


def upgrade() -> None:
    """Add the columns; jobs that wait are as good as made a moment ago by plain SQL."""
    run(COLUMNS)
    run(_rules(launch=LAUNCH, columns="status, attempt, launch"))


def downgrade() -> None:
    """Drop them; jobs that wait for a new run are PENDING or PROCESSING like any other."""
    run(_rules(launch="", columns="status, attempt"))
    run(UNDO)


def _rules(*, launch: str, columns: str) -> str:
    return RULES.replace("$launch$", launch).replace("$columns$", columns)
