"""Every CHECK, foreign key and unique index of the tables."""

import pytest
from sqlalchemy import text

from export_pipelines.core.errors import ConflictError, ValidationError
from export_pipelines.db.database import Database
from export_pipelines.db.tables import ExportDelivery, ExportShareRow
from export_pipelines_tests.db.rows import (
    NOW,
    add,
    add_definition,
    add_job,
    add_run,
    add_scenario,
    add_schedule,
    add_subscription,
    add_transcript,
    add_user,
    later,
)

# The rule, and a statement that breaks it and no other rule.
BROKEN = {
    "ck_users_email_shape": "UPDATE {evaluation}.users SET email = 'nobody'",
    "ck_definitions_not_own_parent": "UPDATE {evaluation}.definitions SET parent_id = id",
    "ck_definitions_has_name": "UPDATE {evaluation}.definitions SET name = ''",
    "ck_definitions_content_is_object": "UPDATE {evaluation}.definitions SET content = '[]'",
    "ck_definitions_version_counts_from_one": "UPDATE {evaluation}.definitions SET version = 0",
    "ck_tags_has_name": "INSERT INTO {evaluation}.tags (id, name) VALUES ('c1', '')",
    "ck_scenarios_has_name": "UPDATE {evaluation}.scenarios SET name = ''",
    "ck_scenarios_content_is_object": "UPDATE {evaluation}.scenarios SET content = '1'",
    "ck_experiments_has_name": "INSERT INTO {evaluation}.experiments (id, name) VALUES ('c1', '')",
    "ck_run_comparisons_two_runs": """
        INSERT INTO {evaluation}.run_comparisons (id, baseline_run_id, comparison_run_id, result)
        SELECT 'c1', id, id, '{}' FROM {evaluation}.runs""",
    "ck_runs_config_is_object": "UPDATE {evaluation}.runs SET config = 'null'",
    "ck_runs_progress_is_object": "UPDATE {evaluation}.runs SET progress = '3'",
    "ck_transcripts_has_model": "UPDATE {evaluation}.transcripts SET target_model = ''",
    "ck_transcripts_content_is_object": "UPDATE {evaluation}.transcripts SET content = 'null'",
    "ck_transcripts_counts_not_negative": "UPDATE {evaluation}.transcripts SET token_count = -1",
    "ck_transcripts_cost_is_amount": "UPDATE {evaluation}.transcripts SET estimated_cost = 'NaN'",
    "ck_analysis_results_type_shape": """
        INSERT INTO {evaluation}.analysis_results (id, run_id, analysis_type, input_hash, code_version, output)
        SELECT 'c1', id, '../x', 'h', '1', '{}' FROM {evaluation}.runs""",
    "ck_rubrics_has_name": "INSERT INTO {evaluation}.rubrics (id, name, version, content) VALUES ('c1', '', 1, '{}')",
    "ck_rubrics_version_counts_from_one": """
        INSERT INTO {evaluation}.rubrics (id, name, version, content) VALUES ('c1', 'R', 0, '{}')""",
    "ck_export_jobs_type_shape": "UPDATE {exports}.export_jobs SET type = 'bulk csv'",
    "ck_export_jobs_input_is_object": "UPDATE {exports}.export_jobs SET input = '[]'",
    "ck_export_jobs_fidelity_is_array": "UPDATE {exports}.export_jobs SET fidelity = '{}'",
    "ck_export_jobs_completed_has_output": """
        UPDATE {exports}.export_jobs SET status = 'PROCESSING';
        UPDATE {exports}.export_jobs SET status = 'COMPLETED', output_url = 'u', completed_at = now()""",
    "ck_export_jobs_failed_has_error": "UPDATE {exports}.export_jobs SET status = 'FAILED', error = ''",
    "ck_export_jobs_expires_after_completion": """
        UPDATE {exports}.export_jobs SET completed_at = now(), expires_at = now()""",
    "ck_export_jobs_progress_is_percent": "UPDATE {exports}.export_jobs SET progress_percent = 101",
    "ck_export_jobs_progress_not_negative": "UPDATE {exports}.export_jobs SET rows_done = -1",
    "ck_export_jobs_whole_only_when_published": "UPDATE {exports}.export_jobs SET progress_percent = 100",
    "ck_export_jobs_attempt_counts_from_one": """
        INSERT INTO {exports}.export_jobs (id, user_id, type, input, attempt)
        SELECT 'c1', id, 'X', '{}', 0 FROM {evaluation}.users""",
    "ck_export_jobs_counts_not_negative": "UPDATE {exports}.export_jobs SET record_count = -1",
    "ck_export_jobs_queue_not_negative": "UPDATE {exports}.export_jobs SET size_hint = -1",
    "ck_export_jobs_claim_has_claimant": "UPDATE {exports}.export_jobs SET claimed_at = now()",
    "ck_export_jobs_checksum_shape": "UPDATE {exports}.export_jobs SET checksum = 'ABC'",
    "ck_export_jobs_input_is_readable": """
        UPDATE {exports}.export_jobs SET input = (repeat('{"a":', 5000) || 1 || repeat('}', 5000))::jsonb""",
    "ck_export_jobs_fidelity_is_readable": "UPDATE {exports}.export_jobs SET fidelity = '[1e5000]'",
    "ck_export_jobs_times_are_readable": "UPDATE {exports}.export_jobs SET created_at = '-infinity'",
    "ck_export_jobs_rate_is_finite": "UPDATE {exports}.export_jobs SET bytes_per_second = 'NaN'",
    "ck_export_shards_numbers_in_range": """
        INSERT INTO {exports}.export_shards (job_id, attempt, shard_index)
        SELECT id, 1, -1 FROM {exports}.export_jobs""",
    "ck_export_shards_counts_not_negative": """
        INSERT INTO {exports}.export_shards (job_id, attempt, shard_index, rows)
        SELECT id, 1, 0, -1 FROM {exports}.export_jobs""",
    "ck_export_shards_rendered_not_negative": """
        INSERT INTO {exports}.export_shards (job_id, attempt, shard_index, bytes_rendered)
        SELECT id, 1, 0, -1 FROM {exports}.export_jobs""",
    "ck_export_events_progress_is_percent": """
        INSERT INTO {exports}.export_events (job_id, attempt, progress_percent, rows_done, bytes_done, message, at)
        SELECT id, 1, 101, 0, 0, 'm', now() FROM {exports}.export_jobs""",
    "ck_export_events_counts_not_negative": """
        INSERT INTO {exports}.export_events (job_id, attempt, progress_percent, rows_done, bytes_done, message, at)
        SELECT id, 1, 0, -1, 0, 'm', now() FROM {exports}.export_jobs""",
    "ck_export_shards_frozen_has_facts": """
        INSERT INTO {exports}.export_shards (job_id, attempt, shard_index, state)
        SELECT id, 1, 0, 'FROZEN' FROM {exports}.export_jobs""",
    "ck_export_shards_rendered_has_part": """
        INSERT INTO {exports}.export_shards (job_id, attempt, shard_index, part)
        SELECT id, 1, 0, '{}' FROM {exports}.export_jobs""",
    "ck_export_deliveries_known_event": "UPDATE {exports}.export_deliveries SET event = 'export.begun'",
    "ck_export_deliveries_has_recipient": "UPDATE {exports}.export_deliveries SET recipient = ''",
    "ck_export_deliveries_data_is_object": "UPDATE {exports}.export_deliveries SET data = '[]'",
    "ck_export_deliveries_counts_not_negative": "UPDATE {exports}.export_deliveries SET tries = -1",
    "ck_export_deliveries_sent_has_time": "UPDATE {exports}.export_deliveries SET state = 'SENT'",
    "ck_export_deliveries_dead_has_error": "UPDATE {exports}.export_deliveries SET state = 'DEAD', last_error = ''",
    "ck_export_deliveries_claimed_while_pending": "UPDATE {exports}.export_deliveries SET claim = 'c'",
    "ck_webhook_endpoints_name_shape": """
        INSERT INTO {exports}.webhook_endpoints (id, user_id, name, url, sealed_secret)
        SELECT 'c1', id, 'a b', 'https://x', '' FROM {evaluation}.users""",
    "ck_webhook_endpoints_url_shape": """
        INSERT INTO {exports}.webhook_endpoints (id, user_id, name, url, sealed_secret)
        SELECT 'c1', id, 'hook', 'ftp://x', '' FROM {evaluation}.users""",
    "ck_export_schedules_has_name": "UPDATE {exports}.export_schedules SET name = ' '",
    "ck_export_schedules_type_shape": "UPDATE {exports}.export_schedules SET type = 'bulk csv'",
    "ck_export_schedules_input_is_object": "UPDATE {exports}.export_schedules SET input = '[]'",
    "ck_export_schedules_has_pattern": "UPDATE {exports}.export_schedules SET cron_pattern = ''",
    "ck_export_schedules_timezone_shape": "UPDATE {exports}.export_schedules SET timezone = 'Europe/../Berlin'",
    "ck_export_schedules_recipients_is_array": "UPDATE {exports}.export_schedules SET recipients = '{}'",
    "ck_export_schedules_known_policy": "UPDATE {exports}.export_schedules SET missed_slots = 'ALL'",
    "ck_export_schedules_paused_has_reason": """
        UPDATE {exports}.export_schedules SET active = false, next_run = NULL""",
    "ck_export_schedules_active_has_next_run": "UPDATE {exports}.export_schedules SET next_run = NULL",
    "ck_export_schedules_counts_in_range": "UPDATE {exports}.export_schedules SET failure_count = 1",
    "ck_export_schedules_input_is_readable": """
        UPDATE {exports}.export_schedules SET input = '{"expiry_hours": -1e5000}'""",
    "ck_export_schedules_recipients_is_readable": """
        UPDATE {exports}.export_schedules SET recipients = (repeat('[', 5000) || repeat(']', 5000))::jsonb""",
    "ck_export_schedules_times_are_readable": "UPDATE {exports}.export_schedules SET next_run = 'infinity'",
    "ck_export_schedule_slots_fold_is_bit": """
        INSERT INTO {exports}.export_schedule_slots (schedule_id, local_time, fold, at)
        SELECT id, now(), 2, now() FROM {exports}.export_schedules""",
    "ck_export_schedule_slots_known_outcome": """
        INSERT INTO {exports}.export_schedule_slots (schedule_id, local_time, fold, at, outcome)
        SELECT id, now(), 0, now(), 'EXPIRED' FROM {exports}.export_schedules""",
    "ck_export_schedule_slots_wrong_order_has_no_job": """
        INSERT INTO {exports}.export_schedule_slots (schedule_id, local_time, fold, at, error)
        SELECT id, now(), 0, now(), 'wrong' FROM {exports}.export_schedules""",
    "ck_export_audit_logs_known_action": """
        INSERT INTO {exports}.export_audit_logs (job_id, action, at) VALUES ('c1', 'printed', now())""",
    "ck_export_audit_logs_data_is_object": """
        INSERT INTO {exports}.export_audit_logs (job_id, action, at, additional_data)
        VALUES ('c1', 'shared', now(), '[]')""",
    "ck_export_subscriptions_has_name": "UPDATE {exports}.export_subscriptions SET name = ''",
    "ck_export_subscriptions_has_subject": "UPDATE {exports}.export_subscriptions SET subject_id = 'c1'",
    "ck_export_subscriptions_type_shape": "UPDATE {exports}.export_subscriptions SET type = 'bulk csv'",
    "ck_export_subscriptions_options_is_object": "UPDATE {exports}.export_subscriptions SET options = '[]'",
    "ck_export_subscriptions_expiry_in_range": "UPDATE {exports}.export_subscriptions SET expiry_hours = 169",
    "ck_export_subscriptions_recipients_is_array": "UPDATE {exports}.export_subscriptions SET recipients = '{}'",
    "ck_export_subscriptions_options_is_readable": """
        UPDATE {exports}.export_subscriptions SET options = '{"strict": 1e5000}'""",
    "ck_export_subscriptions_recipients_is_readable": """
        UPDATE {exports}.export_subscriptions SET recipients = (repeat('[', 5000) || repeat(']', 5000))::jsonb""",
    "ck_export_subscriptions_times_are_readable": """
        UPDATE {exports}.export_subscriptions SET active_since = '0044-03-15 BC'""",
    "ck_export_reactions_job_or_reason": """
        INSERT INTO {exports}.export_reactions (subscription_id, run_id, job_id, reason, at)
        SELECT id, 'c1', 'c2', 'both', now() FROM {exports}.export_subscriptions""",
    "ck_export_usage_stats_counts_not_negative": """
        INSERT INTO {exports}.export_usage_stats VALUES ('c1', '2026-01-01', 'X', 0, -1, 0, 0, 0, 1)""",
    "ck_export_audit_logs_at_in_calendar": """
        INSERT INTO {exports}.export_audit_logs (job_id, action, at) VALUES ('c1', 'shared', 'infinity')""",
    "ck_export_audit_logs_chained_whole": """
        INSERT INTO {exports}.export_audit_logs (job_id, action, at, position) VALUES ('c1', 'shared', now(), 1)""",
    "ck_export_audit_head_only_one": """
        INSERT INTO {exports}.export_audit_head (is_head, position, hash) VALUES (false, 0, '')""",
    "ck_export_audit_checkpoints_counts_from_one": """
        INSERT INTO {exports}.export_audit_checkpoints VALUES (0, 1, '', now(), '', '')""",
    "ck_export_deliveries_shared_has_share": "UPDATE {exports}.export_deliveries SET event = 'export.shared'",
    "ck_web_sessions_expires_after_creation": """
        INSERT INTO {exports}.web_sessions SELECT 'hash', id, now(), now() FROM {evaluation}.users LIMIT 1""",
    "ck_counted_requests_known_kind": """
        INSERT INTO {exports}.counted_requests (kind, who, at) VALUES ('read', 'c1', now())""",
    "ck_idempotency_keys_key_length": """
        INSERT INTO {exports}.idempotency_keys SELECT id, '', '', 'c1', now() FROM {evaluation}.users LIMIT 1""",
    "ck_export_shares_one_grantee": "UPDATE {exports}.export_shares SET user_id = created_by",
    "ck_export_shares_expires_after_creation": "UPDATE {exports}.export_shares SET expires_at = created_at",
    "ck_export_shares_counts_not_negative": "UPDATE {exports}.export_shares SET download_count = -1",
    "ck_export_shares_message_length": "UPDATE {exports}.export_shares SET message = repeat('x', 2001)",
}

CHECKS = """
SELECT conname FROM pg_constraint
WHERE contype = 'c' AND connamespace IN ('evaluation'::regnamespace, 'exports'::regnamespace)
"""

# A key is covered by an index that begins with its columns, in any order among them, and leaves no row out.
UNINDEXED = """
SELECT k.conrelid::regclass::text, k.conname
FROM pg_constraint k
WHERE k.contype = 'f' AND k.connamespace IN ('evaluation'::regnamespace, 'exports'::regnamespace) AND NOT EXISTS (
    SELECT FROM pg_index i
    WHERE i.indrelid = k.conrelid AND i.indpred IS NULL AND i.indisvalid
        AND (i.indkey::int2[])[0:cardinality(k.conkey) - 1] @> k.conkey
)
"""


@pytest.fixture
def filled(database: Database) -> Database:
    """One row in each table that the statements change."""
    definition = add_definition(database)
    run = add_run(database, definition)
    add_transcript(database, run, add_scenario(database, definition))
    add_subscription(database)
    add_schedule(database)
    job = add_job(database)
    until = {"created_at": NOW, "expires_at": later(days=1)}
    add(database, ExportShareRow(job_id=job.id, created_by=job.user_id, email="a@b", **until))
    told = ExportDelivery(job_id=job.id, attempt=1, event="export.failed", recipient="a@b", data={}, next_try_at=NOW)
    add(database, told)
    return database


def run(database: Database, statement: str) -> None:
    with database.raw_connection() as connection:
        connection.execute(database.sql(statement).encode())


@pytest.mark.parametrize("rule", BROKEN)
def test_a_change_that_breaks_a_rule_is_refused_by_its_name(filled: Database, rule: str) -> None:
    with pytest.raises(ValidationError, match=rule):
        run(filled, BROKEN[rule])


def test_no_check_is_without_a_statement_that_breaks_it(database: Database) -> None:
    with database.transaction() as session:
        assert set(session.scalars(text(CHECKS))) == set(BROKEN)


def test_every_foreign_key_has_an_index(database: Database) -> None:
    with database.transaction() as session:
        keys = session.scalar(text("SELECT count(*) FROM pg_constraint WHERE contype = 'f'"))
        assert keys == 30
        assert session.execute(text(UNINDEXED)).all() == []


def test_the_search_for_foreign_keys_without_index_finds_one(database: Database) -> None:
    run_statement = "DROP INDEX {evaluation}.ix_transcripts_scenario_id"
    with database.raw_connection(autocommit=True) as connection:
        connection.execute(database.sql(run_statement).encode())
    with database.transaction() as session:
        assert [row[1] for row in session.execute(text(UNINDEXED))] == ["fk_transcripts_scenario_id"]


def test_an_address_is_unique_whatever_its_case(database: Database) -> None:
    add_user(database, "ada@example.org")
    with pytest.raises(ConflictError, match="ada@example"):
        add_user(database, "ADA@Example.ORG")


def test_a_run_takes_its_transcripts_along_but_not_its_scenarios(filled: Database) -> None:
    with filled.raw_connection(autocommit=True) as connection:
        connection.execute("DELETE FROM evaluation.runs")
        counts = "SELECT (SELECT count(*) FROM evaluation.transcripts), (SELECT count(*) FROM evaluation.scenarios)"
        assert connection.execute(counts).fetchone() == (0, 1)


def test_a_scenario_with_transcripts_stays(filled: Database) -> None:
    with pytest.raises(ConflictError, match="still referenced from table"):
        run(filled, "DELETE FROM {evaluation}.scenarios")


def test_a_transcript_needs_its_scenario(filled: Database) -> None:
    with pytest.raises(ValidationError, match="not present in table"):
        run(filled, "UPDATE {evaluation}.transcripts SET scenario_id = 'c0'")


def test_a_user_takes_jobs_along_and_the_audit_log_outlives_them(filled: Database) -> None:
    with filled.raw_connection(autocommit=True) as connection:
        connection.execute("DELETE FROM evaluation.users")
        counts = "SELECT (SELECT count(*) FROM exports.export_jobs), (SELECT count(*) FROM exports.export_audit_logs)"
        assert connection.execute(counts).fetchone() == (0, 1)


def test_one_result_of_a_type_is_current(filled: Database) -> None:
    statement = """
        INSERT INTO {evaluation}.analysis_results (id, run_id, analysis_type, input_hash, code_version, output, status)
        SELECT gen_random_uuid()::text, id, 'basic', 'h', '1', '{}', '%s' FROM {evaluation}.runs"""
    for status in ("SUPERSEDED", "SUPERSEDED", "CURRENT"):
        with filled.raw_connection(autocommit=True) as connection:
            connection.execute(filled.sql(statement % status).encode())
    with pytest.raises(ConflictError, match="analysis_results"):
        run(filled, statement % "CURRENT")


def test_the_export_order_needs_no_sort(filled: Database) -> None:
    query = """
        EXPLAIN SELECT id FROM evaluation.transcripts WHERE run_id = 'c1' AND deleted_at IS NULL
        ORDER BY target_model COLLATE "C", scenario_id COLLATE "C", id COLLATE "C" """
    with filled.raw_connection() as connection:
        connection.execute("SET enable_seqscan = off; SET enable_bitmapscan = off")
        plan = "\n".join(row[0] for row in connection.execute(query.encode()))
    assert "ix_transcripts_export_order" in plan
    assert "Sort" not in plan
