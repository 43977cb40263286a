"""``dev`` refuses to start, in one line and before it touches anything, when it cannot have its ports."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from export_pipelines_tests.dagster_ui import free_ports

SCRIPT = Path(sys.executable).with_name("export-pipelines")


@pytest.mark.parametrize(
    ("option", "part"), [("--ui-port", "webserver"), ("--port", "serve"), ("--code-port", "code-server")]
)
def test_a_taken_port_gives_one_line_and_status_2_and_starts_nothing(tmp_path, option, part) -> None:
    environ = {**os.environ, "EXPORT_PIPELINES_HOME": str(tmp_path / "home")}
    with socket.create_server(("127.0.0.1", 0)) as listener, free_ports(3) as ports:
        port = listener.getsockname()[1]
        chosen = dict(zip(("--ui-port", "--port", "--code-port"), ports, strict=True)) | {option: port}
        words = [f"{name}={number}" for name, number in chosen.items()]
        said = subprocess.run([SCRIPT, "dev", *words], env=environ, capture_output=True, text=True, check=False)
    assert said.returncode == 2
    [line] = said.stderr.splitlines()
    assert line.startswith(f"error: port {port} of {part} cannot be used (address already in use)")
    assert line.endswith(f"name another with {option}.")
    assert said.stdout == ""
    assert not (tmp_path / "home").exists()
