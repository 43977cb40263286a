from pathlib import Path

import psycopg
from sqlalchemy.engine import make_url

from export_pipelines.db.embedded import EmbeddedServer

SERVER = EmbeddedServer(data_dir=Path("/d"), socket_dir=Path("/tmp/a b"), port=5432, pid=1)


def test_each_reader_gets_a_url_with_its_own_driver() -> None:
    assert make_url(SERVER.url("x")).drivername == "postgresql+psycopg"
    assert make_url(SERVER.dagster_url("x")).drivername == "postgresql+psycopg2"
    assert SERVER.libpq_url("x").startswith("postgresql://")


def test_the_socket_and_the_database_survive_the_url() -> None:
    url = make_url(SERVER.url("odd/name"))
    assert (url.query["host"], url.query["port"], url.username) == ("/tmp/a b", "5432", "postgres")
    assert url.database in {"odd/name", "odd%2Fname"}
    assert psycopg.conninfo.conninfo_to_dict(SERVER.libpq_url("odd/name")) == {
        "user": "postgres",
        "dbname": "odd/name",
        "host": "/tmp/a b",
        "port": "5432",
    }
