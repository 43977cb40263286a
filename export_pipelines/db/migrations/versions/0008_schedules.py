"""Schedules with their slots, and the order in time that exports of one day read transcripts by."""

from export_pipelines.db.migrations.statements import owned, run

revision = "0008"
down_revision = "0007"

SCHEDULES = """
CREATE TABLE {exports}.export_schedules (
    id text NOT NULL,
    user_id text NOT NULL,
    name text NOT NULL,
    type text NOT NULL,
    input jsonb NOT NULL,
    cron_pattern text NOT NULL,
    timezone text NOT NULL DEFAULT 'UTC',
    recipients jsonb NOT NULL DEFAULT '[]',
    include_download_link boolean NOT NULL DEFAULT true,
    attach_file boolean NOT NULL DEFAULT false,
    missed_slots text NOT NULL DEFAULT 'SKIP',
    active boolean NOT NULL DEFAULT true,
    paused_reason text,
    resumed_at timestamptz,
    last_run timestamptz,
    next_run timestamptz,
    run_count integer NOT NULL DEFAULT 0,
    failure_count integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_export_schedules PRIMARY KEY (id),
    CONSTRAINT uq_export_schedules_user_id_name UNIQUE (user_id, name),
    CONSTRAINT ck_export_schedules_has_name CHECK (name ~ '[^[:space:]]' AND length(name) <= 100),
    CONSTRAINT ck_export_schedules_type_shape CHECK (type ~ '^[A-Z][A-Z0-9_]{0,62}$'),
    CONSTRAINT ck_export_schedules_input_is_object CHECK (jsonb_typeof(input) = 'object'),
    CONSTRAINT ck_export_schedules_has_pattern CHECK (cron_pattern ~ '[^[:space:]]'),
    CONSTRAINT ck_export_schedules_timezone_shape
        CHECK (timezone ~ '^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*$'),
    CONSTRAINT ck_export_schedules_recipients_is_array CHECK (jsonb_typeof(recipients) = 'array'),
    CONSTRAINT ck_export_schedules_known_policy CHECK (missed_slots IN ('SKIP', 'RUN_ONCE')),
    CONSTRAINT ck_export_schedules_paused_has_reason CHECK (active = (coalesce(paused_reason, '') = '')),
    CONSTRAINT ck_export_schedules_active_has_next_run CHECK (active = (next_run IS NOT NULL)),
    CONSTRAINT ck_export_schedules_counts_in_range CHECK (failure_count >= 0 AND run_count >= failure_count),
    CONSTRAINT fk_export_schedules_user_id FOREIGN KEY (user_id) REFERENCES {evaluation}.users (id) ON DELETE CASCADE
);
CREATE INDEX ix_export_schedules_next_run ON {exports}.export_schedules (next_run) WHERE active;
"""

SLOTS = """
CREATE TABLE {exports}.export_schedule_slots (
    schedule_id text NOT NULL,
    local_time timestamp NOT NULL,
    fold smallint NOT NULL,
    at timestamptz NOT NULL,
    job_id text,
    error text,
    outcome text,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_export_schedule_slots PRIMARY KEY (schedule_id, local_time, fold),
    CONSTRAINT uq_export_schedule_slots_job_id UNIQUE (job_id),
    CONSTRAINT ck_export_schedule_slots_fold_is_bit CHECK (fold IN (0, 1)),
    CONSTRAINT ck_export_schedule_slots_known_outcome CHECK (outcome IN ('COMPLETED', 'FAILED', 'CANCELLED')),
    CONSTRAINT ck_export_schedule_slots_wrong_order_has_no_job
        CHECK (error IS NULL OR job_id IS NULL AND outcome IS NOT DISTINCT FROM 'FAILED'),
    CONSTRAINT fk_export_schedule_slots_schedule_id
        FOREIGN KEY (schedule_id) REFERENCES {exports}.export_schedules (id) ON DELETE CASCADE,
    CONSTRAINT fk_export_schedule_slots_job_id
        FOREIGN KEY (job_id) REFERENCES {exports}.export_jobs (id) ON DELETE SET NULL
);
CREATE INDEX ix_export_schedule_slots_schedule_id_at ON {exports}.export_schedule_slots (schedule_id, at);
CREATE INDEX ix_export_schedule_slots_open ON {exports}.export_schedule_slots (schedule_id)
    WHERE outcome IS NULL OR outcome = 'FAILED';
"""

DAYS = "CREATE INDEX ix_transcripts_created_at ON {evaluation}.transcripts (created_at) WHERE deleted_at IS NULL"

UNDO = """
DROP TABLE {exports}.export_schedule_slots;
DROP TABLE {exports}.export_schedules;
"""


def upgrade() -> None:
    """Create them."""
    run(SCHEDULES)
    run(SLOTS)
    if owned("evaluation"):
        run(DAYS)


def downgrade() -> None:
    """Drop them, with all schedules; the exports that they gave stay."""
    if owned("evaluation"):
        run("DROP INDEX {evaluation}.ix_transcripts_created_at")
    run(UNDO)
