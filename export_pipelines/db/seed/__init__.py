"""Demonstration data: stories in YAML under ``data``, turned into rows that are the same on every machine."""

from export_pipelines.db.seed.loader import (
    DEMO_USER_EMAIL,
    SHOWCASE_DAY,
    SHOWCASE_DEFINITION_ID,
    SHOWCASE_RUN_ID,
    SeedSummary,
    seed,
)

__all__ = ["DEMO_USER_EMAIL", "SHOWCASE_DAY", "SHOWCASE_DEFINITION_ID", "SHOWCASE_RUN_ID", "SeedSummary", "seed"]
