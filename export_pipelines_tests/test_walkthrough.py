"""README's walk through the API, word for word: executed with bash and curl against a deployment that runs."""

import csv
import json
import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from urllib.parse import urlsplit

import pytest

from export_pipelines.core.jobs import JobStatus
from export_pipelines.db import audit, jobs
from export_pipelines.db.embedded import EmbeddedServer
from export_pipelines.db.evaluation import users
from export_pipelines_tests.dagster_parts import Parts, answers, started
from export_pipelines_tests.dagster_ui import soon
from export_pipelines_tests.deployments import TREE

pytestmark = [pytest.mark.xdist_group("queue deployment"), pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def parts(
    tmp_path_factory: pytest.TempPathFactory, postgres_server: EmbeddedServer, seeded_template: str
) -> Iterator[Parts]:
    with started(postgres_server, seeded_template, tmp_path_factory.mktemp("walk")) as parts:
        parts.start("serve")
        port = urlsplit(parts.environ["EXPORT_PIPELINES_PUBLIC_URL"]).port
        assert port is not None
        soon(lambda: answers(port), seconds=60)
        yield parts


@dataclass(frozen=True, kw_only=True)
class Walk:
    """What the walk came to.

    Attributes:
        said: what each block of commands printed.
        folder: where it was walked.
    """

    said: tuple[str, ...]
    folder: Path

    def kept(self, name: str) -> Mapping[str, object]:
        return json.loads((self.folder / name).read_text())


def blocks() -> list[str]:
    """The section's commands, as they stand there."""
    [section] = re.findall(r"^## Over HTTP\n(.*?)^## ", (TREE / "README.md").read_text("utf-8"), re.M | re.S)
    return [dedent(block) for block in re.findall(r"(?:^    .*\n)+", section, re.M)]


@pytest.fixture(scope="module")
def walk(parts: Parts, tmp_path_factory: pytest.TempPathFactory) -> Walk:
    folder = tmp_path_factory.mktemp("folder")
    mark = "--- the next block ---"
    script = "set -euo pipefail\n" + f"\necho; echo '{mark}'\n".join(blocks())
    # Commands are where `make demo` puts them, and so is its home; everything else is a folder of the reader's.
    (folder / ".venv").symlink_to(TREE / ".venv")
    (folder / ".local").mkdir()
    environ = {**os.environ, **parts.environ, "API": parts.environ["EXPORT_PIPELINES_PUBLIC_URL"] + "/api"}
    done = subprocess.run(
        ["bash", "-c", script], cwd=folder, env=environ, capture_output=True, text=True, timeout=200, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return Walk(said=tuple(done.stdout.split(mark)), folder=folder)


def test_the_file_arrives_as_it_was_made(walk: Walk, parts: Parts) -> None:
    ordered, link = walk.kept("job.json"), walk.kept("link.json")
    job = jobs.get(parts.database, str(ordered["id"]))
    assert (job.status, job.checksum, job.download_count) == (JobStatus.COMPLETED, link["checksum"], 1)
    file = walk.folder / str(link["filename"])
    assert file.stat().st_size == link["size"] == job.output_size_bytes
    with file.open(encoding="utf-8", newline="") as text:
        assert len(list(csv.reader(text))) == (job.record_count or 0) + 1
    assert f"{link['filename']}: OK" in walk.said[2]


def test_the_events_tell_of_it_up_to_its_end(walk: Walk) -> None:
    told = walk.said[1].split("\n\n")
    [last] = [event for event in told if "event: end\n" in event]
    assert '"status":"COMPLETED"' in last
    assert any("event: progress" in event for event in told)


def test_it_is_shared_and_counted(walk: Walk) -> None:
    given, listed, usage = (json.loads(line) for line in walk.said[3].splitlines() if line.startswith("{"))
    assert given["shared_with"] == "eve@example.org"
    assert [share["id"] for share in listed["items"]] == [given["id"]]
    [counted] = usage["items"]
    assert (counted["type"], counted["exports"], counted["failures"]) == ("BULK_CSV", 1, 0)


def test_the_key_is_nobody_elses_to_read_and_is_not_written_down(walk: Walk, parts: Parts) -> None:
    key = walk.folder / ".local" / "key"
    assert key.stat().st_mode & 0o077 == 0
    secret = key.read_text().split()[-1]
    assert secret.startswith("ek_")
    ann = users.get_by_email(parts.database, "ann@example.org")
    entries = audit.list_for_job(parts.database, str(walk.kept("job.json")["id"]))
    assert ann.id in {entry.actor.user_id for entry in entries}
    assert secret not in "".join(log.read_text() for log in parts.home.glob("*.log"))
    assert secret not in "".join(walk.said)
