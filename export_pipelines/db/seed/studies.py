"""What the seeded runs led to: analyses counted from the transcripts, a comparison of two of them, and the rubrics."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from export_pipelines.db.seed.draw import fixed_id

Row = Mapping[str, Any]
DIGITS = ("1", "2", "3", "4", "5")


def analysis_row(entry: Row, transcripts: Sequence[Row]) -> dict[str, Any]:
    """One analysis of a run. An older one, since superseded, had not yet been told to leave deleted transcripts out."""
    superseded = entry["status"] == "SUPERSEDED"
    read = [row for row in transcripts if superseded or row["deleted_at"] is None]
    return {
        "id": fixed_id("analysis", entry["key"]),
        "run_id": fixed_id("run", entry["run"]),
        "analysis_type": entry["type"],
        "input_hash": hashlib.sha256("\n".join(sorted(row["id"] for row in read)).encode()).hexdigest(),
        "code_version": entry["code_version"],
        "output": {"transcripts": len(read), "by_model": by_model(read)},
        "status": entry["status"],
        "created_at": entry["created_at"],
    }


def comparison_row(entry: Row, baseline: Sequence[Row], compared: Sequence[Row]) -> dict[str, Any]:
    """The difference between two runs, in points of the scale, for each model they share."""
    before, after = (by_model([row for row in rows if row["deleted_at"] is None]) for rows in (baseline, compared))
    shared = [model for model in before if model in after]
    return {
        "id": fixed_id("comparison", entry["key"]),
        "experiment_id": fixed_id("experiment", entry["experiment"]),
        "baseline_run_id": fixed_id("run", entry["baseline"]),
        "comparison_run_id": fixed_id("run", entry["compared"]),
        "result": {
            "notes": entry["notes"],
            "difference_of_means": {model: _difference(before[model], after[model]) for model in shared},
        },
        "created_at": entry["created_at"],
    }


def by_model(transcripts: Sequence[Row]) -> dict[str, dict[str, Any]]:
    """Decisions of each model: how many of each digit, how many others, and the mean of the digits."""
    codes: dict[str, list[str]] = defaultdict(list)
    for row in transcripts:
        codes[row["target_model"]].append(row["decision_code"] or "pending")
    return {model: _summary(codes[model]) for model in sorted(codes)}


def _summary(codes: Sequence[str]) -> dict[str, Any]:
    counts = Counter(codes)
    digits = [int(code) for code in codes if code in DIGITS]
    return {
        "decisions": {digit: counts[digit] for digit in DIGITS},
        "other": counts["other"],
        "pending": counts["pending"],
        "mean": round(sum(digits) / len(digits), 3) if digits else None,
    }


def _difference(before: Row, after: Row) -> float | None:
    means = (before["mean"], after["mean"])
    return None if None in means else round(float(means[1]) - float(means[0]), 3)
