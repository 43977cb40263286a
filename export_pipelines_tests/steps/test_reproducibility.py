"""The same data gives the same bytes: whatever the time zone, the locale, the hash seed, the server's settings."""

import hashlib
import sys
from pathlib import Path

import pytest

from export_pipelines.steps.services import Services
from export_pipelines_tests.deployments import Deployment, finished
from export_pipelines_tests.dying import NOWHERE
from export_pipelines_tests.steps.orders import EVALUATION

ENVIRONMENTS = {
    "kolkata": {"TZ": "Asia/Kolkata", "LC_ALL": "C", "PYTHONHASHSEED": "1", "PYTHONCOERCECLOCALE": "0"},
    "st-johns": {"TZ": "America/St_Johns", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "2", "PGTZ": "America/St_Johns"},
    "chatham": {
        "TZ": "Pacific/Chatham",
        "LC_ALL": "C",
        # Not a letter beyond ASCII goes in or out by default then.
        "PYTHONUTF8": "0",
        "PYTHONCOERCECLOCALE": "0",
        "PYTHONIOENCODING": "ascii",
        "PYTHONHASHSEED": "3",
        "PGDATESTYLE": "Postgres, MDY",
        "PGCLIENTENCODING": "LATIN1",
        "PGOPTIONS": "-c intervalstyle=iso_8601 -c extra_float_digits=-15 -c enable_hashjoin=off -c work_mem=64kB",
    },
}
SERVER = {
    "timezone": "'Asia/Kathmandu'",
    "datestyle": "'German, DMY'",
    "intervalstyle": "'sql_standard'",
    "extra_float_digits": "-10",
    "bytea_output": "'escape'",
    "xmlbinary": "'hex'",
    "lc_messages": "'C'",
    "enable_indexscan": "off",
    "enable_nestloop": "off",
    "enable_hashagg": "off",
    "search_path": "'pg_catalog'",
    "default_transaction_isolation": "'serializable'",
    "standard_conforming_strings": "off",
}


@pytest.fixture
def deployment(services: Services) -> Deployment:
    return Deployment(services=services)


def test_every_type_is_the_same_to_the_byte_in_every_environment(deployment: Deployment, tmp_path: Path) -> None:
    processes = []
    for name, environ in ENVIRONMENTS.items():
        (tmp_path / name).mkdir()
        command = ("-m", "export_pipelines_tests.dying", NOWHERE, "all", tmp_path / name)
        processes.append(deployment.start(sys.executable, *command, **environ))
    for process in processes:
        assert finished(process).status == 0
    first, *others = (checksums(tmp_path / name) for name in ENVIRONMENTS)
    assert len(first) == len(EVALUATION)
    assert others == [first] * len(others)


def test_every_type_is_the_same_to_the_byte_under_other_settings_of_the_server(
    deployment: Deployment, tmp_path: Path
) -> None:
    for name in ("before", "after"):
        (tmp_path / name).mkdir()
        assert deployment.fork(None, "all", tmp_path / name).wait().status == 0
        with deployment.database.raw_connection(autocommit=True) as connection:
            [database] = connection.execute("SELECT current_database()").fetchone() or ()
            for setting, value in SERVER.items():
                connection.execute(f'ALTER DATABASE "{database}" SET {setting} = {value}'.encode())
    assert checksums(tmp_path / "before") == checksums(tmp_path / "after")


def checksums(folder: Path) -> dict[str, str]:
    """SHA-256 of every file but the manifests, which say when and of what the export was made."""
    files = sorted(path for path in folder.iterdir() if not path.name.endswith(".manifest.json"))
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
