"""Subscriptions to completed runs with their answers, and usage statistics counted from the audit log."""

from export_pipelines.db.migrations.statements import owned, run

revision = "0009"
down_revision = "0008"

SUBSCRIPTIONS = """
CREATE TYPE {exports}.runs_of AS ENUM ('ALL', 'DEFINITION', 'TAG');

CREATE TABLE {exports}.export_subscriptions (
    id text NOT NULL,
    user_id text NOT NULL,
    name text NOT NULL,
    runs_of {exports}.runs_of NOT NULL,
    subject_id text,
    type text NOT NULL,
    options jsonb NOT NULL DEFAULT '{}',
    expiry_hours integer NOT NULL DEFAULT 24,
    recipients jsonb NOT NULL DEFAULT '[]',
    include_download_link boolean NOT NULL DEFAULT true,
    attach_file boolean NOT NULL DEFAULT false,
    active boolean NOT NULL DEFAULT true,
    active_since timestamptz NOT NULL DEFAULT now(),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_export_subscriptions PRIMARY KEY (id),
    CONSTRAINT uq_export_subscriptions_user_id_name UNIQUE (user_id, name),
    CONSTRAINT ck_export_subscriptions_has_name CHECK (name <> ''),
    CONSTRAINT ck_export_subscriptions_has_subject CHECK ((runs_of = 'ALL') = (subject_id IS NULL)),
    CONSTRAINT ck_export_subscriptions_type_shape CHECK (type ~ '^[A-Z][A-Z0-9_]{0,62}$'),
    CONSTRAINT ck_export_subscriptions_options_is_object CHECK (jsonb_typeof(options) = 'object'),
    CONSTRAINT ck_export_subscriptions_expiry_in_range CHECK (expiry_hours BETWEEN 1 AND 168),
    CONSTRAINT ck_export_subscriptions_recipients_is_array CHECK (jsonb_typeof(recipients) = 'array'),
    CONSTRAINT fk_export_subscriptions_user_id
        FOREIGN KEY (user_id) REFERENCES {evaluation}.users (id) ON DELETE CASCADE
);

CREATE TABLE {exports}.export_reactions (
    subscription_id text NOT NULL,
    run_id text NOT NULL,
    job_id text,
    reason text,
    at timestamptz NOT NULL,
    CONSTRAINT pk_export_reactions PRIMARY KEY (subscription_id, run_id),
    CONSTRAINT ck_export_reactions_job_or_reason CHECK (num_nonnulls(job_id, reason) = 1),
    CONSTRAINT fk_export_reactions_subscription_id
        FOREIGN KEY (subscription_id) REFERENCES {exports}.export_subscriptions (id) ON DELETE CASCADE
);
"""

COMPLETED_RUNS = """
CREATE INDEX ix_runs_completed ON {evaluation}.runs (completed_at, id)
    WHERE status = 'COMPLETED' AND deleted_at IS NULL;
"""

USAGE = """
CREATE TABLE {exports}.export_usage_stats (
    user_id text NOT NULL,
    day date NOT NULL,
    type text NOT NULL,
    exports bigint NOT NULL,
    failures bigint NOT NULL,
    rows bigint NOT NULL,
    bytes bigint NOT NULL,
    duration_ms bigint NOT NULL,
    last_entry bigint NOT NULL,
    CONSTRAINT pk_export_usage_stats PRIMARY KEY (user_id, day, type),
    CONSTRAINT ck_export_usage_stats_counts_not_negative
        CHECK (exports >= 0 AND failures >= 0 AND rows >= 0 AND bytes >= 0 AND duration_ms >= 0)
);
CREATE INDEX ix_export_audit_logs_ended_on ON {exports}.export_audit_logs (((at AT TIME ZONE 'UTC')::date))
    WHERE action IN ('completed', 'failed');
"""

UNDO = """
DROP INDEX {exports}.ix_export_audit_logs_ended_on;
DROP TABLE {exports}.export_usage_stats, {exports}.export_reactions, {exports}.export_subscriptions;
DROP TYPE {exports}.runs_of;
"""


def upgrade() -> None:
    """Create them; exports that ended before are in no statistics, for their entries do not say whose they were."""
    run(SUBSCRIPTIONS)
    run(USAGE)
    if owned("evaluation"):
        run(COMPLETED_RUNS)


def downgrade() -> None:
    """Drop them, with what they hold."""
    if owned("evaluation"):
        run("DROP INDEX {evaluation}.ix_runs_completed")
    run(UNDO)
