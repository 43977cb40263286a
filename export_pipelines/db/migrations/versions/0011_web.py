"""What the HTTP API keeps: administrators, sessions, counted and repeatable requests, whom a file is shared with."""

from export_pipelines.db.migrations.statements import run

revision = "0011"
down_revision = "0010"

PEOPLE = """
CREATE TABLE {exports}.administrators (
    user_id text NOT NULL,
    since timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_administrators PRIMARY KEY (user_id),
    CONSTRAINT fk_administrators_user_id FOREIGN KEY (user_id) REFERENCES {evaluation}.users (id) ON DELETE CASCADE
);

CREATE TABLE {exports}.web_sessions (
    token_hash text NOT NULL,
    user_id text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    CONSTRAINT pk_web_sessions PRIMARY KEY (token_hash),
    CONSTRAINT ck_web_sessions_expires_after_creation CHECK (expires_at > created_at),
    CONSTRAINT fk_web_sessions_user_id FOREIGN KEY (user_id) REFERENCES {evaluation}.users (id) ON DELETE CASCADE
);
CREATE INDEX ix_web_sessions_user_id ON {exports}.web_sessions (user_id);
CREATE INDEX ix_web_sessions_expires_at ON {exports}.web_sessions (expires_at);
"""

REQUESTS = """
CREATE TABLE {exports}.counted_requests (
    id bigint GENERATED ALWAYS AS IDENTITY,
    kind text NOT NULL,
    who text NOT NULL,
    at timestamptz NOT NULL,
    CONSTRAINT pk_counted_requests PRIMARY KEY (id),
    CONSTRAINT ck_counted_requests_known_kind CHECK (kind IN ('create', 'login'))
);
CREATE INDEX ix_counted_requests_kind_who_at ON {exports}.counted_requests (kind, who, at);
CREATE INDEX ix_counted_requests_at ON {exports}.counted_requests (at);

CREATE TABLE {exports}.idempotency_keys (
    user_id text NOT NULL,
    key text NOT NULL,
    fingerprint text NOT NULL,
    job_id text NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT pk_idempotency_keys PRIMARY KEY (user_id, key),
    CONSTRAINT ck_idempotency_keys_key_length CHECK (length(key) BETWEEN 1 AND 255),
    CONSTRAINT fk_idempotency_keys_user_id FOREIGN KEY (user_id) REFERENCES {evaluation}.users (id) ON DELETE CASCADE
);
CREATE INDEX ix_idempotency_keys_created_at ON {exports}.idempotency_keys (created_at);

CREATE INDEX ix_export_jobs_user_id_created_at_id ON {exports}.export_jobs (user_id, created_at, id);
DROP INDEX {exports}.ix_export_jobs_user_id;
"""

SHARES = """
CREATE TABLE {exports}.export_shares (
    id text NOT NULL,
    job_id text NOT NULL,
    created_by text NOT NULL,
    user_id text,
    email text,
    message text NOT NULL DEFAULT '',
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz,
    download_count integer NOT NULL DEFAULT 0,
    last_downloaded_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_export_shares PRIMARY KEY (id),
    CONSTRAINT ck_export_shares_one_grantee CHECK (num_nonnulls(user_id, email) = 1),
    CONSTRAINT ck_export_shares_expires_after_creation CHECK (expires_at > created_at),
    CONSTRAINT ck_export_shares_counts_not_negative CHECK (download_count >= 0),
    CONSTRAINT ck_export_shares_message_length CHECK (length(message) <= 2000),
    CONSTRAINT fk_export_shares_job_id FOREIGN KEY (job_id) REFERENCES {exports}.export_jobs (id) ON DELETE CASCADE,
    CONSTRAINT fk_export_shares_created_by
        FOREIGN KEY (created_by) REFERENCES {evaluation}.users (id) ON DELETE CASCADE,
    CONSTRAINT fk_export_shares_user_id FOREIGN KEY (user_id) REFERENCES {evaluation}.users (id) ON DELETE CASCADE
);
CREATE INDEX ix_export_shares_job_id ON {exports}.export_shares (job_id);
CREATE INDEX ix_export_shares_created_by ON {exports}.export_shares (created_by);
CREATE INDEX ix_export_shares_user_id ON {exports}.export_shares (user_id);

ALTER TABLE {exports}.export_deliveries
    ADD share_id text,
    ADD CONSTRAINT fk_export_deliveries_share_id
        FOREIGN KEY (share_id) REFERENCES {exports}.export_shares (id) ON DELETE CASCADE,
    DROP CONSTRAINT ck_export_deliveries_known_event,
    ADD CONSTRAINT ck_export_deliveries_known_event
        CHECK (event IN ('export.completed', 'export.failed', 'export.shared')),
    ADD CONSTRAINT ck_export_deliveries_shared_has_share CHECK ((event = 'export.shared') = (share_id IS NOT NULL)),
    DROP CONSTRAINT uq_export_deliveries_job_id_attempt_event_recipient,
    ADD CONSTRAINT uq_export_deliveries_job_id_attempt_event_recipient_share_id
        UNIQUE NULLS NOT DISTINCT (job_id, attempt, event, recipient, share_id);
CREATE INDEX ix_export_deliveries_share_id ON {exports}.export_deliveries (share_id);

ALTER TABLE {exports}.export_audit_logs
    DROP CONSTRAINT ck_export_audit_logs_known_action,
    ADD CONSTRAINT ck_export_audit_logs_known_action CHECK (action IN (
        'created', 'started', 'completed', 'downloaded', 'failed', 'expired', 'cancelled', 'deleted', 'shared',
        'link_minted', 'link_refused', 'share_revoked'
    ));
"""

UNDO = """
DELETE FROM {exports}.export_deliveries WHERE share_id IS NOT NULL;
ALTER TABLE {exports}.export_deliveries
    DROP CONSTRAINT uq_export_deliveries_job_id_attempt_event_recipient_share_id,
    DROP CONSTRAINT ck_export_deliveries_shared_has_share,
    DROP share_id,
    DROP CONSTRAINT ck_export_deliveries_known_event,
    ADD CONSTRAINT ck_export_deliveries_known_event CHECK (event IN ('export.completed', 'export.failed')),
    ADD CONSTRAINT uq_export_deliveries_job_id_attempt_event_recipient UNIQUE (job_id, attempt, event, recipient);
CREATE INDEX ix_export_jobs_user_id ON {exports}.export_jobs (user_id);
DROP INDEX {exports}.ix_export_jobs_user_id_created_at_id;
DROP TABLE {exports}.export_shares, {exports}.idempotency_keys, {exports}.counted_requests, {exports}.web_sessions,
    {exports}.administrators;

-- Rows of the log are never taken away: the rule holds for new ones only.
ALTER TABLE {exports}.export_audit_logs
    DROP CONSTRAINT ck_export_audit_logs_known_action,
    ADD CONSTRAINT ck_export_audit_logs_known_action CHECK (action IN (
        'created', 'started', 'completed', 'downloaded', 'failed', 'expired', 'cancelled', 'deleted', 'shared',
        'link_minted', 'link_refused'
    )) NOT VALID;
"""


def upgrade() -> None:
    """Create them; nobody is an administrator yet."""
    run(PEOPLE)
    run(REQUESTS)
    run(SHARES)


def downgrade() -> None:
    """Drop them: everybody is logged out, and what was shared is shared no more."""
    run(UNDO)
