"""Alembic's own command line works in a checkout, and finds nothing to do."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from export_pipelines.db.database import Database

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("command", ["check", "current", "history"])
def test_alembic_itself_agrees(database: Database, command: str) -> None:
    done = subprocess.run(
        [str(Path(sys.executable).parent / "alembic"), command],
        cwd=ROOT,
        env={**os.environ, "EXPORT_PIPELINES_DATABASE_URL": database.url},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
