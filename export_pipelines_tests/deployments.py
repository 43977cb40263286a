"""A deployment under test and the processes that work in it: its database, its home, its store, its secrets."""

import json
import multiprocessing
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import export_pipelines_tests
from export_pipelines.db.database import Database
from export_pipelines.steps.services import Services
from export_pipelines_tests.chaos.moments import Moment
from export_pipelines_tests.dying import NOWHERE, Point, forked

TREE = Path(export_pipelines_tests.__file__).parents[1]
SCRIPT = Path(sys.executable).with_name("export-pipelines")
SECRETS = {"database": "xyzzy-database-password", "links": "xyzzy-key-of-the-links-0123456789"}
SECONDS = 120
WORKERS_NAME = "a worker under test"
"""What PostgreSQL knows the deployment's processes by, and not this one."""
_LOADED = [
    "export_pipelines_tests.dying",
    "export_pipelines.cli.main",
    "export_pipelines.orchestration.launch",
    "export_pipelines.steps.export",
]
_KEPT = ("PATH", "HOME", "TMPDIR", "LANG", "VIRTUAL_ENV", "PYTHONPATH")


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a process ended and what it said."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as the one JSON document that it must be."""
        return json.loads(self.out)


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """A deployment with its settings in the environment of its processes, and open in this process too."""

    services: Services
    dagster_url: str | None = None

    @property
    def database(self) -> Database:
        return self.services.database

    @property
    def home(self) -> Path:
        return self.services.settings.home

    @property
    def store(self) -> Path:
        return self.home / "store"

    def environ(self, more: Mapping[str, str | None]) -> dict[str, str]:
        """Nothing of the environment that the tests run in, but the paths; None takes a variable out."""
        chosen = {
            **{name: os.environ[name] for name in _KEPT if name in os.environ},
            # Nobody asks for the password where the server trusts its host, but every message could show it.
            "EXPORT_PIPELINES_DATABASE_URL": with_password(self.database.url),
            "EXPORT_PIPELINES_DAGSTER_DATABASE_URL": with_password(self.dagster_url) if self.dagster_url else None,
            "EXPORT_PIPELINES_HOME": str(self.home),
            "EXPORT_PIPELINES_STORE_URL": self.store.as_uri(),
            "EXPORT_PIPELINES_LINK_SECRET": SECRETS["links"],
            "EXPORT_PIPELINES_SHARD_BYTES": str(self.services.settings.shard_bytes),
            # Runs of several processes begin slowly, and a forked worker may have none: who tests them asks for them.
            "EXPORT_PIPELINES_PARALLEL_SHARDS": "1000",
            # Nobody listens on port 9 (discard), whatever else runs on this machine.
            "EXPORT_PIPELINES_DAGSTER_URL": "http://127.0.0.1:9",
            "PGAPPNAME": WORKERS_NAME,
            "COLUMNS": "200",
            **more,
        }
        return {name: value for name, value in chosen.items() if value is not None}

    def run(self, *arguments: str | Path, cwd: Path = TREE, **more: str | None) -> Outcome:
        """``export-pipelines`` with these arguments, to its end, in a forked process."""
        return self.fork(None, "cli", *arguments, cwd=cwd, **more).wait()

    def work(self, point: Point | Moment | None, job_id: str, *, alone: bool = True, **more: str) -> "Worker":
        """A forked process that carries the job out and dies at the point."""
        return self.fork(point, "job", job_id, *([] if alone else ["apart"]), **more)

    def fork(
        self, point: Point | Moment | None, *command: str | Path, cwd: Path = TREE, **more: str | None
    ) -> "Worker":
        """Start what :mod:`export_pipelines_tests.dying` offers, from a process that has everything loaded.

        It is a process like any other, but starts within milliseconds.
        """
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(_LOADED)
        name = secrets.token_hex(4)
        said = tuple(Path(tempfile.gettempdir()) / f"export-pipelines-tests-{name}.{kind}" for kind in ("out", "err"))
        arguments = [NOWHERE if point is None else point.as_argument(), *map(str, command)]
        process = context.Process(
            target=forked, args=(self.environ(more), str(cwd), list(map(str, said)), arguments), daemon=True
        )
        process.start()
        return Worker(process=process, said=said)

    def script(self, *arguments: str | Path, cwd: Path = TREE, **more: str | None) -> Outcome:
        """``export-pipelines`` with these arguments, to its end, as a shell starts it."""
        return finished(self.start(SCRIPT, *arguments, cwd=cwd, **more))

    def start(
        self, *command: str | Path, cwd: Path = TREE, foreground: bool = False, **more: str | None
    ) -> "subprocess.Popen[str]":
        """Any program with the deployment's environment; in a process group of its own when it is in the foreground."""
        return subprocess.Popen(
            list(map(str, command)),
            env=self.environ(more),
            cwd=cwd,
            text=True,
            encoding="utf-8",
            start_new_session=foreground,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )


@dataclass(frozen=True, kw_only=True)
class Worker:
    """A forked process, and the files with what it says."""

    process: BaseProcess
    said: tuple[Path, ...]

    @property
    def pid(self) -> int:
        assert self.process.pid is not None
        return self.process.pid

    def wait_until_stopped(self) -> None:
        """Wait for it to stop itself; it is another process's child, and Linux calls its state ``T`` then."""
        give_up = time.monotonic() + SECONDS
        while Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0] != "T":
            assert time.monotonic() < give_up
            time.sleep(0.01)

    def go_on(self) -> None:
        """Let it go on."""
        os.kill(self.pid, signal.SIGCONT)

    def wait(self) -> Outcome:
        """How it ended."""
        self.process.join(timeout=SECONDS)
        status = self.process.exitcode
        assert status is not None, f"still at work after {SECONDS} s"
        out, err = (checked(_taken(path)) for path in self.said)
        return Outcome(status=status, out=out, err=err)


def finished(process: "subprocess.Popen[str]") -> Outcome:
    """How the process ended; whatever it says, no secret and no traceback."""
    out, err = process.communicate(timeout=SECONDS)
    return Outcome(status=process.returncode, out=checked(out), err=checked(err))


def checked(said: str) -> str:
    """What a process said, which may be anything but a secret or a traceback."""
    assert "Traceback" not in said, said
    assert not any(secret in said for secret in SECRETS.values()), said
    return said


def _taken(path: Path) -> str:
    """What the file holds, which is gone then; nothing when its process died before it could say anything."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    finally:
        path.unlink(missing_ok=True)


def with_password(url: str) -> str:
    """The URL with a password for whoever is named in it."""
    scheme, _, rest = url.partition("://")
    user, _, place = rest.partition("@")
    return f"{scheme}://{user.partition(':')[0]}:{SECRETS['database']}@{place}"
