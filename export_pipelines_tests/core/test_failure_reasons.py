"""Failures are recognised by what our own errors say."""

import pytest

from export_pipelines.core.failure_reasons import PATTERNS, FailureReason, reason_of


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ("the worker died without a word (last heard of at 2026-03-01 12:00:00 UTC, 40 % done)", "worker_lost"),
        (
            "Dagster run r failed. Its worker was killed, ran out of memory, or went away.",
            "worker_lost",
        ),
        ("The database db:5432/app cannot be used: connection refused. Check that it runs.", "database"),
        ("A statement took longer than EXPORT_PIPELINES_STATEMENT_TIMEOUT_SECONDS allows and was stopped", "database"),
        ("reading s3://b/k failed: EndpointConnectionError; check the network and AWS_ENDPOINT_URL_S3", "store"),
        ("strict was asked for, but the file cannot keep everything exactly: column x", "fidelity"),
        ("job c1 is not whole: shard 2 was planned but never rendered. Nothing was published", "integrity"),
        ("staging/c1/1/context is damaged (its SHA-256 differs); start the export again.", "integrity"),
        ("unexpected KeyError: 'x'. This is a defect; please report it with the log.", "defect"),
        ("Definition 'c1' is deleted; choose another one.", "request"),
        ("run c1 is RUNNING and not COMPLETED; wait for it", "request"),
        ("something nobody has thought of", "other"),
    ],
)
def test_an_error_belongs_to_one_class(error: str, reason: str) -> None:
    assert reason_of(error) == reason


def test_patterns_can_stand_in_sql_as_they_are() -> None:
    assert all(not set("':\\") & set(pattern) for _, pattern in PATTERNS)
    assert {reason for reason, _ in PATTERNS} | {FailureReason.OTHER} == set(FailureReason)
