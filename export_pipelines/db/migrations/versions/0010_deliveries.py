"""The outbox of messages about exports that have ended, and the webhooks that some of them go to."""

from export_pipelines.db.migrations.statements import run

revision = "0010"
down_revision = "0009"

DELIVERIES = """
CREATE TYPE {exports}.delivery_state AS ENUM ('PENDING', 'SENT', 'DEAD');

CREATE TABLE {exports}.export_deliveries (
    id text NOT NULL,
    job_id text NOT NULL,
    attempt integer NOT NULL,
    event text NOT NULL,
    recipient text NOT NULL,
    state {exports}.delivery_state NOT NULL DEFAULT 'PENDING',
    data jsonb NOT NULL,
    tries integer NOT NULL DEFAULT 0,
    next_try_at timestamptz NOT NULL,
    claim text,
    claimed_until timestamptz,
    last_error text,
    sent_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_export_deliveries PRIMARY KEY (id),
    CONSTRAINT uq_export_deliveries_job_id_attempt_event_recipient UNIQUE (job_id, attempt, event, recipient),
    CONSTRAINT ck_export_deliveries_known_event CHECK (event IN ('export.completed', 'export.failed')),
    CONSTRAINT ck_export_deliveries_has_recipient CHECK (recipient <> ''),
    CONSTRAINT ck_export_deliveries_data_is_object CHECK (jsonb_typeof(data) = 'object'),
    CONSTRAINT ck_export_deliveries_counts_not_negative CHECK (attempt >= 1 AND tries >= 0),
    CONSTRAINT ck_export_deliveries_sent_has_time CHECK ((state = 'SENT') = (sent_at IS NOT NULL)),
    CONSTRAINT ck_export_deliveries_dead_has_error CHECK (state <> 'DEAD' OR coalesce(last_error, '') <> ''),
    CONSTRAINT ck_export_deliveries_claimed_while_pending
        CHECK (num_nulls(claim, claimed_until) IN (0, 2) AND (state = 'PENDING' OR claim IS NULL)),
    CONSTRAINT fk_export_deliveries_job_id FOREIGN KEY (job_id) REFERENCES {exports}.export_jobs (id) ON DELETE CASCADE
);
CREATE INDEX ix_export_deliveries_next_try_at
    ON {exports}.export_deliveries (next_try_at, id) WHERE state = 'PENDING';
CREATE INDEX ix_export_deliveries_created_at ON {exports}.export_deliveries (created_at);
"""

WEBHOOKS = """
CREATE TABLE {exports}.webhook_endpoints (
    id text NOT NULL,
    user_id text NOT NULL,
    name text NOT NULL,
    url text NOT NULL,
    sealed_secret bytea NOT NULL,
    active boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_webhook_endpoints PRIMARY KEY (id),
    CONSTRAINT uq_webhook_endpoints_user_id_name UNIQUE (user_id, name),
    CONSTRAINT ck_webhook_endpoints_name_shape CHECK (name ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$'),
    CONSTRAINT ck_webhook_endpoints_url_shape CHECK (url ~ '^https?://'),
    CONSTRAINT fk_webhook_endpoints_user_id
        FOREIGN KEY (user_id) REFERENCES {evaluation}.users (id) ON DELETE CASCADE
);
"""

UNDO = """
DROP TABLE {exports}.webhook_endpoints, {exports}.export_deliveries;
DROP TYPE {exports}.delivery_state;
"""


def upgrade() -> None:
    """Create them; nobody is told of exports that ended before."""
    run(DELIVERIES)
    run(WEBHOOKS)


def downgrade() -> None:
    """Drop them, with messages that were not sent yet."""
    run(UNDO)
