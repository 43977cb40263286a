"""Peak resident memory of whole exports: ``python -m benchmarks.memory`` (``BENCH_ROWS``, default 200 000)."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.data import USER_EMAIL, fill
from export_pipelines.core.settings import read_settings
from export_pipelines.db import migrate
from export_pipelines.db.database import open_database

LIMIT_MIB = 300
TYPES = ("BULK_JSONL", "BULK_CSV", "RUN_BUNDLE", "BULK_PARQUET")


def main() -> int:
    """Fill, export each type in a process of its own, print a line for each; 1 when one went over the limit."""
    rows = int(os.environ.get("BENCH_ROWS", "200000"))
    database = open_database(read_settings(os.environ))
    migrate.upgrade(database)
    run_id = fill(database, rows=rows)
    print(f"{'TYPE':<12} {'ROWS':>9} {'FILE MiB':>9} {'SECONDS':>8} {'PEAK MiB':>9}  of at most {LIMIT_MIB}")
    over = 0
    for type_name in TYPES:
        peak, seconds, job = export(type_name, run_id)
        over += peak > LIMIT_MIB
        size = job["output_size_bytes"] / (1 << 20)
        print(f"{type_name:<12} {job['record_count']:>9} {size:>9.0f} {seconds:>8.1f} {peak:>9.0f}")
    return 1 if over else 0


def export(type_name: str, run_id: str) -> tuple[float, float, dict]:
    """One export through the command line: peak MiB of its process, seconds, the job's row."""
    command = [str(Path(sys.executable).parent / "export-pipelines"), "export", type_name, "--run-id", run_id]
    began = time.perf_counter()
    process = subprocess.Popen([*command, "--user", USER_EMAIL, "--json"], stdout=subprocess.PIPE)
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    if os.waitstatus_to_exitcode(status):
        sys.exit(f"{type_name} failed: {output.decode()}")
    return usage.ru_maxrss / 1024, seconds, json.loads(output)


if __name__ == "__main__":
    sys.exit(main())
