"""A deployment under test and the processes that work in it: its database, its home, its store, its secrets."""

import json
import multiprocessing
import os
import secrets
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import export_pipelines_tests
from export_pipelines_tests.dying import NOWHERE, Point, forked

TREE = Path(export_pipelines_tests.__file__).parents[1]
SCRIPT = Path(sys.executable).with_name("export-pipelines")
SECRETS = {"database": "xyzzy-database-password", "links": "xyzzy-key-of-the-links-0123456789"}
SECONDS = 120
_LOADED = ["export_pipelines_tests.dying", "export_pipelines.cli.session", "export_pipelines.steps.export"]
_KEPT = ("PATH", "HOME", "TMPDIR", "LANG", "VIRTUAL_ENV")


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
    """What a deployment's environment says."""

    home: Path
    database_url: str
    dagster_url: str | None = None
    more: Mapping[str, str] = field(default_factory=dict)

    @property
    def store(self) -> Path:
        return self.home / "store"

    def environ(self, more: Mapping[str, str | None]) -> dict[str, str]:
        """Nothing of the environment that the tests run in, but the paths; None takes a variable out."""
        chosen = {
            **{name: os.environ[name] for name in _KEPT if name in os.environ},
            # Nobody asks for the password where the server trusts its host, but every message could show it.
            "EXPORT_PIPELINES_DATABASE_URL": with_password(self.database_url),
            "EXPORT_PIPELINES_DAGSTER_DATABASE_URL": with_password(self.dagster_url) if self.dagster_url else None,
            "EXPORT_PIPELINES_HOME": str(self.home),
            "EXPORT_PIPELINES_STORE_URL": self.store.as_uri(),
            "EXPORT_PIPELINES_LINK_SECRET": SECRETS["links"],
            "COLUMNS": "200",
            **self.more,
            **more,
        }
        return {name: value for name, value in chosen.items() if value is not None}

    def start(self, *command: str | Path, cwd: Path = TREE, **more: str | None) -> "subprocess.Popen[str]":
        """A process of the deployment, with pipes for what it says."""
        return subprocess.Popen(
            list(map(str, command)),
            env=self.environ(more),
            cwd=cwd,
            text=True,
            encoding="utf-8",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def run(self, *arguments: str | Path, cwd: Path = TREE, **more: str | None) -> Outcome:
        """``export-pipelines`` with these arguments, to its end."""
        return finished(self.start(SCRIPT, *arguments, cwd=cwd, **more))

    def dying(self, point: Point | None, *command: str, **more: str | None) -> "subprocess.Popen[str]":
        """The same work in a process that dies at a point; see :mod:`export_pipelines_tests.dying`."""
        return self.start(sys.executable, "-m", "export_pipelines_tests.dying", _argument(point), *command, **more)

    def worker(self, point: Point | None, job_id: str) -> "Worker":
        """A process that works on the job, forked from one that has everything loaded: started within milliseconds."""
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(_LOADED)
        log = self.home / f"worker-{secrets.token_hex(4)}.log"
        arguments = (self.environ({}), str(log), _argument(point), "job", job_id)
        process = context.Process(target=forked, args=arguments, daemon=True)
        process.start()
        return Worker(process=process, log=log)


@dataclass(frozen=True, kw_only=True)
class Worker:
    """A forked process and what it says."""

    process: BaseProcess
    log: Path

    def wait(self) -> Outcome:
        """How it ended."""
        self.process.join(timeout=SECONDS)
        status = self.process.exitcode
        assert status is not None, f"still at work after {SECONDS} s"
        return Outcome(status=status, out="", err=checked(self.log.read_text() if self.log.exists() else ""))


def finished(process: "subprocess.Popen[str]") -> Outcome:
    """How the process ended; whatever it says, no secret and no traceback."""
    out, err = process.communicate(timeout=SECONDS)
    return Outcome(status=process.returncode, out=checked(out), err=checked(err))


def checked(said: str) -> str:
    """What a process said, which may be anything but a secret or a traceback."""
    assert "Traceback" not in said, said
    assert not any(secret in said for secret in SECRETS.values()), said
    return said


def _argument(point: Point | None) -> str:
    return NOWHERE if point is None else point.as_argument()


def with_password(url: str) -> str:
    """The URL with a password for whoever is named in it."""
    scheme, _, rest = url.partition("://")
    user, _, place = rest.partition("@")
    return f"{scheme}://{user.partition(':')[0]}:{SECRETS['database']}@{place}"
