"""Which jobs the queue has looked at, in a column that no INSERT can set; retries and paused schedules in the audit."""

from export_pipelines.db.migrations.statements import run

revision = "0012"
down_revision = "0011"

# Until now a row's size said that it had been looked at, and whoever inserted a row could state a size.
ADMISSION = """
ALTER TABLE {exports}.export_jobs ADD admitted_at timestamptz;
UPDATE {exports}.export_jobs SET admitted_at = created_at WHERE size_hint IS NOT NULL OR status <> 'PENDING';

CREATE FUNCTION {exports}.admit_no_new_job() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.admitted_at := NULL;
    RETURN NEW;
END
$$;
CREATE TRIGGER export_jobs_arrival BEFORE INSERT ON {exports}.export_jobs
FOR EACH ROW EXECUTE FUNCTION {exports}.admit_no_new_job();
"""

ACTIONS = """
ALTER TABLE {exports}.export_audit_logs
    DROP CONSTRAINT ck_export_audit_logs_known_action,
    ADD CONSTRAINT ck_export_audit_logs_known_action CHECK (action IN (
        'created', 'started', 'completed', 'downloaded', 'failed', 'expired', 'cancelled', 'deleted', 'shared',
        'link_minted', 'link_refused', 'share_revoked', 'retried', 'schedule_paused',
        'schedule_resumed'
    ));
"""

UNDO = """
DROP TRIGGER export_jobs_arrival ON {exports}.export_jobs;
DROP FUNCTION {exports}.admit_no_new_job();
ALTER TABLE {exports}.export_jobs DROP admitted_at;

-- Rows of the log are never taken away: the rule holds for new ones only.
ALTER TABLE {exports}.export_audit_logs
    DROP CONSTRAINT ck_export_audit_logs_known_action,
    ADD CONSTRAINT ck_export_audit_logs_known_action CHECK (action IN (
        'created', 'started', 'completed', 'downloaded', 'failed', 'expired', 'cancelled', 'deleted', 'shared',
        'link_minted', 'link_refused', 'share_revoked'
    )) NOT VALID;
"""


def upgrade() -> None:
    """Jobs with a size were looked at before; those without are looked at now."""
    run(ADMISSION)
    run(ACTIONS)


def downgrade() -> None:
    """Drop column and trigger; the size says again which jobs were looked at."""
    run(UNDO)
