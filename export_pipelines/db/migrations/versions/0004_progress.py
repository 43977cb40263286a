"""Progress: its figures on the job's row and the shard's line, and a log of events that streams can follow."""

from export_pipelines.db.migrations.statements import run

revision = "0004"
down_revision = "0003"

FIGURES = """
ALTER TABLE {exports}.export_jobs
    ADD phase text,
    ADD rows_done bigint NOT NULL DEFAULT 0,
    ADD rows_total bigint,
    ADD bytes_done bigint NOT NULL DEFAULT 0,
    ADD bytes_per_second float8,
    ADD estimated_finish_at timestamptz,
    ADD CONSTRAINT ck_export_jobs_progress_not_negative
        CHECK (rows_done >= 0 AND rows_total >= 0 AND bytes_done >= 0 AND bytes_per_second >= 0),
    ADD CONSTRAINT ck_export_jobs_whole_only_when_published
        CHECK (progress_percent < 100 OR status IN ('COMPLETED', 'EXPIRED'));

ALTER TABLE {exports}.export_shards
    ADD rows_rendered bigint NOT NULL DEFAULT 0,
    ADD bytes_rendered bigint NOT NULL DEFAULT 0,
    ADD CONSTRAINT ck_export_shards_rendered_not_negative CHECK (rows_rendered >= 0 AND bytes_rendered >= 0);
"""

EVENTS = """
CREATE TABLE {exports}.export_events (
    id bigint GENERATED ALWAYS AS IDENTITY,
    job_id text NOT NULL,
    attempt integer NOT NULL,
    progress_percent integer NOT NULL,
    rows_done bigint NOT NULL,
    bytes_done bigint NOT NULL,
    message text NOT NULL,
    at timestamptz NOT NULL,
    CONSTRAINT pk_export_events PRIMARY KEY (id),
    CONSTRAINT ck_export_events_progress_is_percent CHECK (progress_percent BETWEEN 0 AND 100),
    CONSTRAINT ck_export_events_counts_not_negative CHECK (attempt >= 1 AND rows_done >= 0 AND bytes_done >= 0),
    CONSTRAINT fk_export_events_job_id FOREIGN KEY (job_id) REFERENCES {exports}.export_jobs (id) ON DELETE CASCADE
);
CREATE INDEX ix_export_events_job_id_id ON {exports}.export_events (job_id, id);
"""

UNDO = """
DROP TABLE {exports}.export_events;
ALTER TABLE {exports}.export_shards DROP rows_rendered, DROP bytes_rendered;
ALTER TABLE {exports}.export_jobs
    DROP CONSTRAINT ck_export_jobs_whole_only_when_published,
    DROP phase, DROP rows_done, DROP rows_total, DROP bytes_done, DROP bytes_per_second, DROP estimated_finish_at;
"""


def upgrade() -> None:
    """Create them; jobs of before keep their percent and have no events."""
    run(FIGURES)
    run(EVENTS)


def downgrade() -> None:
    """Drop them, with what they hold."""
    run(UNDO)
