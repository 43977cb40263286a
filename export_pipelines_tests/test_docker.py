"""The image and the compose file, as far as they can be proved where no container engine runs.

Every command of ``docker/compose.yaml`` is started as it stands there, as a plain process with the environment it has
there and in the order that ``depends_on`` says. What the containers' walls would give is put in its place:

* the hosts ``0.0.0.0``, ``code-server`` and ``s3`` are 127.0.0.1, and each port is a free one;
* ``/app`` is a folder filled as the Dockerfile fills it, with ``/app/dagster_home`` and ``/app/home`` in it; the volume
  ``/data/exports`` is another folder;
* PostgreSQL is the test session's server, with the two databases that the postgres service would have;
* a program is the one of that name in the environment the tests run in; the image ``rclone/rclone`` is ``rclone``.
"""

import fnmatch
import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from socket import create_connection
from typing import Any

import httpx
import pytest
import yaml

import export_pipelines_tests
from export_pipelines.cli import groups
from export_pipelines.core.jobs import JobStatus
from export_pipelines.db import jobs
from export_pipelines.db.database import Database
from export_pipelines.db.seed import DEMO_USER_EMAIL, SHOWCASE_RUN_ID, seed
from export_pipelines_tests import postgres
from export_pipelines_tests.dagster_ui import DagsterUI, free_ports, soon

pytestmark = [pytest.mark.xdist_group("deployment"), pytest.mark.timeout(300)]

TREE = Path(export_pipelines_tests.__file__).parents[1]
COMPOSE = TREE / "docker" / "compose.yaml"
DOCKERFILE = TREE / "docker" / "Dockerfile"
PROGRAMS = Path(sys.executable).parent
CHOSEN = {"EXPORT_PIPELINES_LINK_SECRET": "a-long-random-text-that-somebody-chose"}
LISTENING = {"code-server": "4266", "webserver": "3000", "serve": "8010", "s3": "8333"}


@cache
def services() -> dict[str, Any]:
    """The compose file's services, variables filled in as compose does."""
    text = COMPOSE.read_text()
    filled = re.sub(r"\$\{(\w+)(?::-([^}]*)|:\?[^}]*)?\}", lambda found: CHOSEN.get(found[1], found[2]), text)
    return yaml.safe_load(filled)["services"]


@dataclass(frozen=True, kw_only=True)
class Walls:
    """What stands in for the containers' own hosts, ports and folders."""

    app: Path
    data: Path
    ports: Mapping[str, int]
    databases: Mapping[str, str]

    def inside(self, text: str) -> str:
        """A value of the compose file as it has to be here."""
        if text in self.databases:
            return self.databases[text]
        for old, new in {"/app/": f"{self.app}/", "/data": str(self.data), "0.0.0.0": "127.0.0.1"}.items():
            text = text.replace(old, new)
        text = text.replace("//s3:", "//127.0.0.1:")
        return re.sub(r"(?<=:)\d{4}$|(?<=--port=)\d{4}$|^\d{4}$", lambda found: str(self.ports[found[0]]), text)

    def start(self, name: str) -> "subprocess.Popen[bytes]":
        """The service's command, as compose would start it."""
        service = services()[name]
        command = [self.inside(word) for word in service["command"]]
        if service["image"].startswith("rclone/"):
            command = ["rclone", "--config", os.devnull, *command]
        environ = {variable: self.inside(value) for variable, value in service.get("environment", {}).items()}
        environ["EXPORT_PIPELINES_CODE_SERVER_HOST"] = "127.0.0.1"
        with (self.app / f"{name}.log").open("wb") as log:
            return subprocess.Popen(
                [PROGRAMS / command[0], *command[1:]],
                cwd=self.app,
                env={**self.image_environment(), **environ},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def image_environment(self) -> dict[str, str]:
        """What the Dockerfile's ENV sets, and nothing else."""
        [block] = re.findall(r"\nFROM (?!.* AS ).*?\nENV (.*?)\nUSER", DOCKERFILE.read_text(), re.DOTALL)
        pairs = (word.split("=", 1) for word in block.replace("\\\n", " ").split())
        environ = {name: self.inside(value) for name, value in pairs}
        return {
            **environ,
            "PATH": environ["PATH"].replace("/opt/venv/bin", str(PROGRAMS)).replace("$PATH", "/usr/bin:/bin"),
        }

    def log(self, name: str) -> str:
        return (self.app / f"{name}.log").read_text()


@pytest.fixture(scope="module")
def walls(tmp_path_factory: pytest.TempPathFactory, postgres_server) -> Iterator[Walls]:
    app, data = tmp_path_factory.mktemp("app"), tmp_path_factory.mktemp("data")
    (data / "exports").mkdir()
    (app / "home").mkdir()
    (app / "dagster_home" / "storage").mkdir(parents=True)
    for file in ("dagster.yaml", "workspace.yaml"):
        shutil.copyfile(TREE / file, app / "dagster_home" / file)
    with (
        postgres.new_database(postgres_server) as ours,
        postgres.new_database(postgres_server) as dagster,
        free_ports(len(LISTENING)) as ports,
    ):
        environ = services()["migrate"]["environment"]
        yield Walls(
            app=app,
            data=data,
            ports=dict(zip(LISTENING.values(), ports, strict=True)),
            databases={
                environ["EXPORT_PIPELINES_DATABASE_URL"]: postgres_server.libpq_url(ours),
                environ["EXPORT_PIPELINES_DAGSTER_DATABASE_URL"]: postgres_server.dagster_url(dagster),
            },
        )


@contextmanager
def running(walls: Walls, name: str) -> Iterator[None]:
    """A service, until the block is left; ready when its port answers."""
    process = walls.start(name)
    try:
        if name in LISTENING:
            port = walls.ports[LISTENING[name]]
            soon(lambda: process.poll() is not None or _answers(port), seconds=120)
        assert process.poll() is None, walls.log(name)
        yield
    finally:
        groups.end([process.pid], reap=process.poll)


def in_order() -> list[str]:
    """The services that run commands, each after those that it depends on."""
    order: list[str] = []

    def add(name: str) -> None:
        for needed in services()[name].get("depends_on", {}):
            add(needed)
        if name not in order and "command" in services()[name]:
            order.append(name)

    for name in services():
        add(name)
    return order


def test_the_services_together_make_an_export_that_can_be_downloaded(walls: Walls) -> None:
    with ExitStack() as stack:
        for name in in_order():
            if name == "migrate":
                assert walls.start(name).wait(timeout=120) == 0, walls.log(name)
            else:
                stack.enter_context(running(walls, name))
        database = Database(next(iter(walls.databases.values())))
        stack.callback(database.close)
        seed(database)
        ui = DagsterUI(url=f"http://127.0.0.1:{walls.ports['3000']}")
        soon(lambda: ui.load_errors() == [""], seconds=60)
        run_id = ui.launch("export_bulk_jsonl", user=DEMO_USER_EMAIL, run_id=SHOWCASE_RUN_ID)
        assert ui.finished(run_id)["status"] == "SUCCESS"

        [job] = jobs.find_by_dagster_runs(database, [run_id])
        assert job.status is JobStatus.COMPLETED
        assert len(list(walls.data.glob(f"exports/main/exports/*/{job.id}/*"))) == 2
        service = f"http://127.0.0.1:{walls.ports['8010']}"
        assert httpx.get(f"{service}/healthz").status_code == 200
        link = job.output_url.replace("http://127.0.0.1:8010", service)
        answer = httpx.get(link)
        assert answer.status_code == 200
        assert hashlib.sha256(answer.content).hexdigest() == job.checksum
        for name in LISTENING:
            assert "Traceback" not in walls.log(name), walls.log(name)


def test_commands_listen_where_the_file_says_that_others_find_them() -> None:
    for name, port in LISTENING.items():
        assert any(port in word for word in services()[name]["command"])
    told = services()["daemon"]["environment"]
    assert told["EXPORT_PIPELINES_CODE_SERVER_HOST"] in services()
    assert told["EXPORT_PIPELINES_CODE_SERVER_PORT"] == LISTENING["code-server"]
    assert told["AWS_ENDPOINT_URL"] == f"http://s3:{LISTENING['s3']}"


def test_whatever_the_image_copies_is_there_and_not_ignored() -> None:
    allowed = [line.removeprefix("!") for line in (TREE / ".dockerignore").read_text().split() if line.startswith("!")]
    copied = re.findall(r"^COPY (?!--from)(?:--\S+ )*(.*) \S+$", DOCKERFILE.read_text(), re.MULTILINE)
    for source in " ".join(copied).split():
        assert (TREE / source).exists(), source
        assert any(fnmatch.fnmatch(source, pattern) for pattern in allowed), source


def test_the_image_runs_as_nobody_in_particular() -> None:
    assert re.findall(r"^USER (\d+)$", DOCKERFILE.read_text(), re.MULTILINE) == ["10001"]


@pytest.mark.parametrize(
    "command",
    [("hadolint", DOCKERFILE), ("check-jsonschema", "--builtin-schema", "vendor.compose-spec", COMPOSE)],
    ids=lambda command: command[0],
)
def test_both_files_are_correct_in_form(command: tuple[str | Path, ...]) -> None:
    checked = subprocess.run(
        [PROGRAMS / command[0], *command[1:]], capture_output=True, text=True, check=False, cwd=TREE
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def _answers(port: int) -> bool:
    try:
        create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
