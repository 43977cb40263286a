"""Whether the service says truthfully how it is."""

from pathlib import Path

from export_pipelines.db.database import Database
from export_pipelines.storage.local import LocalStore
from export_pipelines.storage.s3 import S3Store
from export_pipelines_tests.s3_servers import BUCKET, S3Server, client_with, rclone_server
from export_pipelines_tests.web.site import Site, site


def open_on(server: S3Server, bucket: str = BUCKET) -> S3Store:
    return S3Store(client_with(server.environment), bucket=bucket)


def test_a_service_that_can_work_is_healthy(local_site: Site) -> None:
    answer = local_site.http.get("/healthz")
    assert answer.status_code == 200
    assert answer.json() == {"status": "ok", "database": "ok", "store": "ok", "daemon": "unknown"}
    assert local_site.http.head("/healthz").status_code == 200


def test_a_database_without_tables_is_noticed(empty_database: str, tmp_path: Path) -> None:
    database = Database(empty_database)
    with site(database, LocalStore(tmp_path)) as running:
        answer = running.http.get("/healthz")
    database.close()
    assert (answer.status_code, answer.json()["database"]) == (503, "unavailable")


def test_a_store_that_died_is_noticed(database: Database, tmp_path: Path) -> None:
    with rclone_server(tmp_path) as server, site(database, open_on(server)) as running:
        assert running.http.get("/healthz").json()["store"] == "ok"
        server.kill()
        answer = running.http.get("/healthz")
    assert answer.status_code == 503
    assert answer.json() == {"status": "unavailable", "database": "ok", "store": "unavailable", "daemon": "unknown"}


def test_a_bucket_that_is_not_there_is_noticed(database: Database, tmp_path: Path) -> None:
    with rclone_server(tmp_path) as server, site(database, open_on(server, "another-bucket")) as running:
        assert running.http.get("/healthz").json()["store"] == "unavailable"
