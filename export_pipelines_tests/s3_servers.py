"""Real S3 servers on loopback, each a process: rclone's, which checks signatures, and moto's, which does not.

moto joins parts by copying ranges as S3 does; rclone answers such copies and copies nothing, like some stores that
speak S3. Between them they cover both ways a file is published.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from export_pipelines.storage.s3 import s3_client_from_environment

ACCESS_KEY = "tester"
SECRET_KEY = "a-secret-that-no-message-shows"
BUCKET = "exports-under-test"
_START_SECONDS = 60
_ATTEMPTS = 3


@dataclass(frozen=True, kw_only=True)
class S3Server:
    """A running server.

    Attributes:
        strict: it refuses wrong signatures and links whose time is over.
        copies: it copies ranges of one object into parts of another.
    """

    url: str
    process: "subprocess.Popen[bytes]"
    strict: bool
    copies: bool

    @property
    def environment(self) -> dict[str, str]:
        """The AWS variables that lead here."""
        return aws_variables(self.url)

    def kill(self) -> None:
        """End the server without a word, as a crash does."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


def aws_variables(url: str) -> dict[str, str]:
    """The AWS variables for a server at this address."""
    return {
        "AWS_ENDPOINT_URL_S3": url,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }


def client_with(variables: Mapping[str, str]):
    """The project's own client, made with these variables set."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        return s3_client_from_environment()


@contextmanager
def rclone_server(folder: Path) -> Iterator[S3Server]:
    """rclone serving a folder; the bucket is a folder in it."""
    (folder / BUCKET).mkdir(parents=True)
    program = str(Path(sys.executable).with_name("rclone"))
    # The options' variables would be taken for ours, and a configuration of the person's own is nobody's business.
    options = ["--auth-key", f"{ACCESS_KEY},{SECRET_KEY}", "--config", os.devnull, "--vfs-cache-mode", "off"]
    with _running(lambda port: [program, "serve", "s3", "--addr", f"127.0.0.1:{port}", *options, str(folder)]) as (
        url,
        process,
    ):
        yield S3Server(url=url, process=process, strict=True, copies=False)


@contextmanager
def moto_server() -> Iterator[S3Server]:
    """moto's stand-alone server, with the bucket made."""
    program = str(Path(sys.executable).with_name("moto_server"))
    with _running(lambda port: [program, "-H", "127.0.0.1", "-p", str(port)]) as (url, process):
        server = S3Server(url=url, process=process, strict=False, copies=True)
        client_with(server.environment).create_bucket(Bucket=BUCKET)
        yield server


@contextmanager
def _running(command: Callable[[int], list[str]]) -> Iterator["tuple[str, subprocess.Popen[bytes]]"]:
    for attempt in range(_ATTEMPTS):
        port = _free_port()
        process = subprocess.Popen(command(port), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            if _answers(process, port) or attempt + 1 == _ATTEMPTS:
                assert process.poll() is None, f"{command(port)[:2]} does not start"
                yield f"http://127.0.0.1:{port}", process
                return
        finally:
            process.kill()
            process.wait()


def _answers(process: "subprocess.Popen[bytes]", port: int) -> bool:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return True
    return False


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]
