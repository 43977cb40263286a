"""The audit log as a hash chain with signed checkpoints; links made and refused are audited too."""

from export_pipelines.db.migrations.statements import run

revision = "0007"
down_revision = "0006"

COLUMNS = """
ALTER TABLE {exports}.export_audit_logs
    ALTER job_id DROP NOT NULL,
    ADD position bigint,
    ADD previous_hash text,
    ADD hash text,
    DROP CONSTRAINT ck_export_audit_logs_known_action,
    ADD CONSTRAINT ck_export_audit_logs_known_action CHECK (action IN (
        'created', 'started', 'completed', 'downloaded', 'failed', 'expired', 'cancelled', 'deleted', 'shared',
        'link_minted', 'link_refused'
    )),
    ADD CONSTRAINT ck_export_audit_logs_at_in_calendar
        CHECK (at >= '0001-01-01 00:00:00+00' AND at < '9999-12-31 23:59:59+00'),
    ADD CONSTRAINT ck_export_audit_logs_chained_whole
        CHECK (num_nulls(position, previous_hash, hash) IN (0, 3) AND position > 0),
    ADD CONSTRAINT uq_export_audit_logs_position UNIQUE (position);

CREATE TABLE {exports}.export_audit_head (
    is_head boolean NOT NULL DEFAULT true,
    position bigint NOT NULL,
    hash text NOT NULL,
    CONSTRAINT pk_export_audit_head PRIMARY KEY (is_head),
    CONSTRAINT ck_export_audit_head_only_one CHECK (is_head)
);
INSERT INTO {exports}.export_audit_head (position, hash) VALUES (0, repeat('0', 64));

CREATE TABLE {exports}.export_audit_checkpoints (
    number bigint NOT NULL,
    position bigint NOT NULL,
    hash text NOT NULL,
    taken_at timestamptz NOT NULL,
    key_id text NOT NULL,
    signature text NOT NULL,
    CONSTRAINT pk_export_audit_checkpoints PRIMARY KEY (number),
    CONSTRAINT ck_export_audit_checkpoints_counts_from_one CHECK (number > 0 AND position > 0)
);
"""

# docs/audit.md says in words what is hashed; to_json escapes what RFC 8785 escapes, and nothing else.
HASH = """
CREATE FUNCTION {exports}.audit_hash(entry {exports}.export_audit_logs) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT encode(sha256(convert_to(concat(
        '["', entry.previous_hash, '",', entry.position, ',', entry.id,
        ',"', to_char(entry.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), '",', to_json(entry.action),
        ',', coalesce(to_json(entry.job_id)::text, 'null'), ',', coalesce(to_json(entry.user_id)::text, 'null'),
        ',', coalesce(to_json(entry.address)::text, 'null'), ',', coalesce(to_json(entry.user_agent)::text, 'null'),
        ',', to_json(entry.additional_data::text), ']'
    ), 'UTF8')), 'hex')
$$;

CREATE FUNCTION {exports}.chain_audit_row(entry {exports}.export_audit_logs) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    head {exports}.export_audit_head;
BEGIN
    SELECT * INTO STRICT head FROM {exports}.export_audit_head FOR UPDATE;
    entry.position := head.position + 1;
    entry.previous_hash := head.hash;
    entry.hash := {exports}.audit_hash(entry);
    UPDATE {exports}.export_audit_logs
    SET position = entry.position, previous_hash = entry.previous_hash, hash = entry.hash
    WHERE id = entry.id;
    UPDATE {exports}.export_audit_head SET position = entry.position, hash = entry.hash;
END
$$;
"""

# The head is written once: a row that one transaction changes again and again is slower to find each time.
EARLIER_ROWS = """
DO $$
DECLARE
    head {exports}.export_audit_head;
    entry {exports}.export_audit_logs;
BEGIN
    SELECT * INTO STRICT head FROM {exports}.export_audit_head FOR UPDATE;
    FOR entry IN SELECT * FROM {exports}.export_audit_logs ORDER BY id LOOP
        entry.position := head.position + 1;
        entry.previous_hash := head.hash;
        entry.hash := {exports}.audit_hash(entry);
        UPDATE {exports}.export_audit_logs
        SET position = entry.position, previous_hash = entry.previous_hash, hash = entry.hash
        WHERE id = entry.id;
        head.position := entry.position;
        head.hash := entry.hash;
    END LOOP;
    UPDATE {exports}.export_audit_head SET position = head.position, hash = head.hash;
END
$$;
"""

# Deferred: the head is locked when all else is done, so the lock is short and nobody waits for another row behind it.
TRIGGERS = """
CREATE FUNCTION {exports}.chain_audit_entry() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM {exports}.chain_audit_row(NEW);
    RETURN NULL;
END
$$;

CREATE CONSTRAINT TRIGGER export_audit_logs_chain AFTER INSERT ON {exports}.export_audit_logs
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION {exports}.chain_audit_entry();

CREATE FUNCTION {exports}.refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.hash IS NULL THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'the audit log takes new rows only'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'export_audit_logs_append_only';
END
$$;

CREATE TRIGGER export_audit_logs_append_only BEFORE UPDATE OR DELETE ON {exports}.export_audit_logs
FOR EACH ROW EXECUTE FUNCTION {exports}.refuse_audit_change();
CREATE TRIGGER export_audit_logs_kept BEFORE TRUNCATE ON {exports}.export_audit_logs
FOR EACH STATEMENT EXECUTE FUNCTION {exports}.refuse_audit_change();
"""

# What /metrics asks every few seconds, and must not read whole rows for.
INDEXES = """
CREATE INDEX ix_export_jobs_type_status ON {exports}.export_jobs (type, status);
CREATE INDEX ix_export_jobs_completed_at ON {exports}.export_jobs (completed_at) WHERE completed_at IS NOT NULL;
"""

UNDO = """
DROP INDEX {exports}.ix_export_jobs_completed_at, {exports}.ix_export_jobs_type_status;
DROP TRIGGER export_audit_logs_kept ON {exports}.export_audit_logs;
DROP TRIGGER export_audit_logs_append_only ON {exports}.export_audit_logs;
DROP TRIGGER export_audit_logs_chain ON {exports}.export_audit_logs;
DROP FUNCTION {exports}.refuse_audit_change(), {exports}.chain_audit_entry();
DROP FUNCTION {exports}.chain_audit_row({exports}.export_audit_logs), {exports}.audit_hash({exports}.export_audit_logs);
DROP TABLE {exports}.export_audit_checkpoints, {exports}.export_audit_head;
DELETE FROM {exports}.export_audit_logs WHERE job_id IS NULL OR action IN ('link_minted', 'link_refused');
ALTER TABLE {exports}.export_audit_logs
    ALTER job_id SET NOT NULL,
    DROP CONSTRAINT ck_export_audit_logs_at_in_calendar,
    DROP position, DROP previous_hash, DROP hash,
    DROP CONSTRAINT ck_export_audit_logs_known_action,
    ADD CONSTRAINT ck_export_audit_logs_known_action CHECK (action IN (
        'created', 'started', 'completed', 'downloaded', 'failed', 'expired', 'cancelled', 'deleted', 'shared'
    ));
"""


def upgrade() -> None:
    """Chain the rows that are there, in the order of their ids, and every row from now on."""
    run(COLUMNS)
    run(HASH)
    run(EARLIER_ROWS)
    run(TRIGGERS)
    run(INDEXES)


def downgrade() -> None:
    """Forget the chain, its checkpoints, and the rows that the earlier version has no names for."""
    run(UNDO)
