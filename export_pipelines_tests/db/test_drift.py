"""Drift is found wherever models and database can differ."""

import pytest

from export_pipelines.db.database import Database
from export_pipelines.db.drift import drift

CHANGES = {
    "DROP INDEX evaluation.ix_transcripts_export_order": "index ix_transcripts_export_order is missing",
    "ALTER TABLE exports.export_jobs DROP CONSTRAINT ck_export_jobs_checksum_shape": "checksum_shape is missing",
    "ALTER TYPE exports.shard_state ADD VALUE 'LOST'": "enum shard_state is PLANNED, FROZEN, RENDERED, LOST, but",
    "ALTER TABLE evaluation.users ALTER name TYPE varchar(3)": "column users.name is character varying(3)",
    "ALTER TABLE evaluation.users ALTER name DROP NOT NULL": "column users.name is text DEFAULT ''::text, but",
    "ALTER TABLE evaluation.users ADD nickname text": "column users.nickname is in the database, but not in the models",
    "ALTER TABLE evaluation.runs ALTER status SET DEFAULT 'PAUSED'": "'PAUSED'::evaluation.run_status, but should be",
    "CREATE TABLE exports.mine (id int)": "table mine is in the database",
    "DROP TABLE exports.export_audit_logs CASCADE": "table export_audit_logs is missing",
    'ALTER TABLE evaluation.tags ALTER name TYPE text COLLATE "C"': 'column tags.name is text COLLATE "C"',
}


def test_a_migrated_database_has_no_drift(database: Database) -> None:
    assert drift(database) == []


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_behind_our_back_is_found(database: Database, change: str) -> None:
    with database.raw_connection(autocommit=True) as connection:
        connection.execute(change.encode())
    assert CHANGES[change] in "\n".join(drift(database))


def test_looking_for_drift_changes_nothing(database: Database) -> None:
    drift(database)
    with database.raw_connection() as connection:
        schemas = connection.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'models_%'").fetchall()
    assert schemas == []
