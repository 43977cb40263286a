"""Export jobs with their rules, the ledger of shards and the audit log."""

from export_pipelines.db.migrations.statements import run

revision = "0003"
down_revision = "0002"

JOBS = """
CREATE TYPE {exports}.export_status AS ENUM (
    'PENDING', 'PROCESSING', 'COMPLETED', 'FAILED', 'EXPIRED', 'CANCELLED'
);

CREATE TABLE {exports}.export_jobs (
    id text NOT NULL,
    user_id text NOT NULL,
    type text NOT NULL,
    status {exports}.export_status NOT NULL DEFAULT 'PENDING',
    input jsonb NOT NULL,
    title text NOT NULL DEFAULT '',
    output_path text,
    output_url text,
    output_size_bytes bigint,
    record_count bigint,
    checksum text,
    fidelity jsonb NOT NULL DEFAULT '[]',
    expires_at timestamptz,
    error text,
    progress_percent integer NOT NULL DEFAULT 0,
    attempt integer NOT NULL DEFAULT 1,
    dagster_run_id text,
    download_count integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    started_at timestamptz,
    completed_at timestamptz,
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_export_jobs PRIMARY KEY (id),
    CONSTRAINT ck_export_jobs_type_shape CHECK (type ~ '^[A-Z][A-Z0-9_]{0,62}$'),
    CONSTRAINT ck_export_jobs_input_is_object CHECK (jsonb_typeof(input) = 'object'),
    CONSTRAINT ck_export_jobs_fidelity_is_array CHECK (jsonb_typeof(fidelity) = 'array'),
    CONSTRAINT ck_export_jobs_completed_has_output
        CHECK (status <> 'COMPLETED' OR num_nulls(output_url, expires_at, completed_at) = 0),
    CONSTRAINT ck_export_jobs_failed_has_error CHECK (status <> 'FAILED' OR coalesce(error, '') <> ''),
    CONSTRAINT ck_export_jobs_expires_after_completion CHECK (expires_at > completed_at),
    CONSTRAINT ck_export_jobs_progress_is_percent CHECK (progress_percent BETWEEN 0 AND 100),
    CONSTRAINT ck_export_jobs_attempt_counts_from_one CHECK (attempt >= 1),
    CONSTRAINT ck_export_jobs_counts_not_negative
        CHECK (download_count >= 0 AND output_size_bytes >= 0 AND record_count >= 0),
    CONSTRAINT ck_export_jobs_checksum_shape CHECK (checksum ~ '^[0-9a-f]{64}$'),
    CONSTRAINT fk_export_jobs_user_id FOREIGN KEY (user_id) REFERENCES {evaluation}.users (id) ON DELETE CASCADE
);
CREATE INDEX ix_export_jobs_dagster_run_id ON {exports}.export_jobs (dagster_run_id);
CREATE INDEX ix_export_jobs_expires_at ON {exports}.export_jobs (expires_at) WHERE status = 'COMPLETED';
CREATE INDEX ix_export_jobs_status ON {exports}.export_jobs (status);
CREATE INDEX ix_export_jobs_user_id ON {exports}.export_jobs (user_id);

CREATE FUNCTION {exports}.refuse_job_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.attempt < OLD.attempt THEN
        RAISE EXCEPTION 'export job % cannot go back from attempt % to %', OLD.id, OLD.attempt, NEW.attempt
            USING ERRCODE = 'check_violation', CONSTRAINT = 'export_jobs_transitions';
    END IF;
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

CREATE TRIGGER export_jobs_transitions BEFORE UPDATE OF status, attempt ON {exports}.export_jobs
FOR EACH ROW EXECUTE FUNCTION {exports}.refuse_job_change();
"""

LEDGER = """
CREATE TYPE {exports}.shard_state AS ENUM ('PLANNED', 'FROZEN', 'RENDERED');

CREATE TABLE {exports}.export_shards (
    job_id text NOT NULL,
    attempt integer NOT NULL,
    shard_index integer NOT NULL,
    state {exports}.shard_state NOT NULL DEFAULT 'PLANNED',
    first_key text,
    last_key text,
    rows bigint,
    copy_bytes bigint,
    frozen_key text,
    frozen_size bigint,
    frozen_sha256 text,
    part jsonb,
    CONSTRAINT pk_export_shards PRIMARY KEY (job_id, attempt, shard_index),
    CONSTRAINT ck_export_shards_numbers_in_range CHECK (attempt >= 1 AND shard_index >= 0),
    CONSTRAINT ck_export_shards_counts_not_negative CHECK (rows >= 0 AND copy_bytes >= 0 AND frozen_size >= 0),
    CONSTRAINT ck_export_shards_frozen_has_facts
        CHECK (state = 'PLANNED' OR num_nulls(rows, copy_bytes, frozen_key, frozen_size, frozen_sha256) = 0),
    CONSTRAINT ck_export_shards_rendered_has_part CHECK ((state = 'RENDERED') = (part IS NOT NULL)),
    CONSTRAINT fk_export_shards_job_id FOREIGN KEY (job_id) REFERENCES {exports}.export_jobs (id) ON DELETE CASCADE
);
"""

AUDIT = """
CREATE TABLE {exports}.export_audit_logs (
    id bigint GENERATED ALWAYS AS IDENTITY,
    job_id text NOT NULL,
    action text NOT NULL,
    user_id text,
    address text,
    user_agent text,
    additional_data jsonb NOT NULL DEFAULT '{}',
    at timestamptz NOT NULL,
    CONSTRAINT pk_export_audit_logs PRIMARY KEY (id),
    CONSTRAINT ck_export_audit_logs_known_action
        CHECK (action IN (
            'created', 'started', 'completed', 'downloaded', 'failed', 'expired', 'cancelled', 'deleted', 'shared'
        )),
    CONSTRAINT ck_export_audit_logs_data_is_object CHECK (jsonb_typeof(additional_data) = 'object')
);
CREATE INDEX ix_export_audit_logs_job_id ON {exports}.export_audit_logs (job_id);
"""

UNDO = """
DROP TABLE {exports}.export_audit_logs, {exports}.export_shards;
DROP TYPE {exports}.shard_state;
DROP TABLE {exports}.export_jobs;
DROP FUNCTION {exports}.refuse_job_change();
DROP TYPE {exports}.export_status;
"""


def upgrade() -> None:
    """Create them."""
    run(JOBS)
    run(LEDGER)
    run(AUDIT)


def downgrade() -> None:
    """Drop them, with what they hold."""
    run(UNDO)
