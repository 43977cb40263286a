"""What only S3 has: links of its own, credentials, a network that fails."""

import random
import re
import time
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from secrets import token_hex
from urllib.parse import parse_qs, urlsplit

import boto3.session
import httpx
import pytest

from export_pipelines.core.errors import ExportPipelinesError, StoreUnavailableError, ValidationError
from export_pipelines.core.frozen import Segment
from export_pipelines.storage.s3 import S3Store
from export_pipelines_tests.s3_servers import ACCESS_KEY, BUCKET, SECRET_KEY, S3Server, client_with, rclone_server

NAME = 'Отчёт "1".csv'
MIB = 1024 * 1024


@pytest.fixture(params=["rclone", "moto"])
def server(request: pytest.FixtureRequest) -> S3Server:
    return request.getfixturevalue(request.param)


def open_on(server: S3Server, **variables: str) -> S3Store:
    return S3Store(client_with(server.environment | variables), bucket=BUCKET, prefix=f"tests/{token_hex(6)}")


def put(store: S3Store, key: str, data: bytes = b"data") -> None:
    with store.writer(key) as writer:
        writer.write(data)


def link(store: S3Store, *, seconds: int = 60) -> str:
    put(store, "exports/ü/file.csv", b"0123456789")
    url = store.presigned_url("exports/ü/file.csv", seconds=seconds, file_name=NAME, media_type="text/csv")
    assert url is not None
    return url


def test_a_link_of_the_stores_own_is_a_download_for_anybody(server: S3Server) -> None:
    url = link(open_on(server))
    answer = httpx.get(url)
    assert (answer.status_code, answer.content) == (200, b"0123456789")
    assert answer.headers["content-type"].startswith("text/csv")
    # rclone obeys the type only.
    if server.copies:
        assert answer.headers["content-disposition"].startswith('attachment; filename="_____ _1_.csv"; filename*=UTF-8')
    assert httpx.get(url, headers={"Range": "bytes=2-4"}).content == b"234"


def ordinary_client(server: S3Server):
    """A client with every setting as it comes, like the one that dagster-aws makes."""
    return boto3.session.Session().client(
        "s3",
        endpoint_url=server.url,
        region_name="us-east-1",
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
    )


def test_ranges_are_read_whatever_the_client(server: S3Server) -> None:
    store = S3Store(ordinary_client(server), bucket=BUCKET, prefix=token_hex(6))
    put(store, "key", b"0123456789")
    with store.open("key", offset=2, size=3) as file:
        assert file.read() == b"234"


def test_links_are_signed_with_version_4_whatever_the_client(server: S3Server) -> None:
    url = link(S3Store(ordinary_client(server), bucket=BUCKET, prefix=token_hex(6)), seconds=300)
    query = parse_qs(urlsplit(url).query)
    assert query["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
    assert query["X-Amz-Expires"] == ["300"]
    assert SECRET_KEY not in url
    assert httpx.get(url).content == b"0123456789"


def test_a_link_that_was_changed_is_refused(rclone: S3Server) -> None:
    url = link(open_on(rclone))
    path = urlsplit(url).path
    changes = [
        url.replace(path, path.replace("file.csv", "other.csv")),
        url.replace("X-Amz-Expires=60", "X-Amz-Expires=6000"),
        url.replace("response-content-type=text%2Fcsv", "response-content-type=text%2Fhtml"),
        re.sub("X-Amz-Signature=.", lambda match: match[0][:-1] + ("0" if match[0][-1] != "0" else "1"), url),
        url.partition("?")[0],
    ]
    assert url not in changes
    # AWS answers 403 to all of them; rclone finds fault with the form of some, which is as good.
    assert {httpx.get(changed).status_code for changed in changes} <= {400, 403}


def test_a_link_whose_time_is_over_is_refused(rclone: S3Server) -> None:
    url = link(open_on(rclone), seconds=1)
    time.sleep(2.1)
    assert httpx.get(url).status_code in (400, 403)


def test_the_media_type_stays_with_the_object(server: S3Server) -> None:
    store = open_on(server)
    with store.writer("small", media_type="text/csv") as writer:
        writer.write(b"x")
    with store.writer("large", media_type="text/yaml") as writer:
        writer.write(bytes(9 * MIB))
    store.compose("joined", [Segment(key="large", offset=0, size=9 * MIB)], media_type="application/zip")
    client = client_with(server.environment)
    types = {
        key: client.head_object(Bucket=BUCKET, Key=store.url(key).removeprefix(f"s3://{BUCKET}/"))["ContentType"]
        for key in ("small", "large", "joined")
    }
    assert types == {"small": "text/csv", "large": "text/yaml", "joined": "application/zip"}


def test_large_runs_are_copied_inside_the_server(moto: S3Server) -> None:
    store = open_on(moto)
    put(store, "staging/body", bytes(20 * MIB))
    put(store, "staging/head", b"head")
    sent = []
    store._client.meta.events.register("before-send.s3", lambda request, **_: sent.append(request))
    cuts = [Segment(key="staging/head", offset=0, size=4), Segment(key="staging/body", offset=0, size=20 * MIB)]
    store.compose("final", cuts, media_type="text/csv")
    bodies = [len(request.body) for request in sent if request.method == "PUT" and isinstance(request.body, bytes)]
    copies = [request.headers["x-amz-copy-source-range"] for request in sent if "x-amz-copy-source" in request.headers]
    assert sum(bodies) <= 6 * MIB
    assert len(copies) == 1


def test_small_runs_between_large_ones_are_joined_inside_the_server_too(moto: S3Server) -> None:
    store = open_on(moto)
    body = random.Random(7).randbytes(40 * MIB)
    put(store, "staging/1/body", body)
    put(store, "staging/1/frame", b"frame")
    put(store, "staging/1/manifest", body[:MIB])
    sent = []
    store._client.meta.events.register("before-send.s3", lambda request, **_: sent.append(request))
    # As in an archive: large runs, bytes of the frame, small shares of members, all between each other.
    cuts = [
        Segment(key="staging/1/body", offset=0, size=12 * MIB),
        Segment(key="staging/1/frame", offset=0, size=2),
        Segment(key="staging/1/frame", offset=3, size=2),
        Segment(key="staging/1/body", offset=20 * MIB, size=100),
        Segment(key="staging/1/body", offset=22 * MIB, size=3 * MIB),
        Segment(key="staging/1/frame", offset=1, size=3),
        Segment(key="staging/1/body", offset=12 * MIB, size=6 * MIB),
        Segment(key="staging/1/frame", offset=0, size=4),
        Segment(key="staging/1/manifest", offset=0, size=MIB),
        Segment(key="staging/1/frame", offset=1, size=4),
        Segment(key="staging/1/body", offset=30 * MIB, size=9 * MIB),
        Segment(key="staging/1/frame", offset=0, size=1),
    ]
    store.compose("final", cuts, media_type="application/zip")
    sources = {"staging/1/body": body, "staging/1/frame": b"frame", "staging/1/manifest": body[:MIB]}
    expected = b"".join(sources[cut.key][cut.offset : cut.offset + cut.size] for cut in cuts)
    assert store._read(Segment(key="final", offset=0, size=len(expected))) == expected
    assert sum(len(request.body) for request in sent if isinstance(request.body, bytes)) < 100 * 1024
    # What was made on the way is in staging, where the sweep finds it.
    assert all(facts.key.startswith("staging/1/") or facts.key == "final" for facts in store.list(""))


def test_unfinished_uploads_are_dropped_by_prefix_and_age(server: S3Server) -> None:
    store = open_on(server)
    client = client_with(server.environment)
    for key in ("staging/a/1", "staging/b/1"):
        full = store.url(key).removeprefix(f"s3://{BUCKET}/")
        client.create_multipart_upload(Bucket=BUCKET, Key=full)
    # moto dates every upload 2010.
    assert store.abort_unfinished("staging/", older_than=datetime(2001, 1, 1, tzinfo=UTC)) == 0
    later = datetime.now(UTC) + timedelta(days=1)
    assert store.abort_unfinished("staging/a/", older_than=later) == 1
    assert store.abort_unfinished("staging/", older_than=later) == 1
    assert store.abort_unfinished("", older_than=later) == 0


def test_objects_of_others_in_the_bucket_are_left_alone(server: S3Server) -> None:
    store = open_on(server)
    put(store, "mine")
    folder = store.url("mine").removeprefix(f"s3://{BUCKET}/").removesuffix("mine")
    client_with(server.environment).put_object(Bucket=BUCKET, Key=f"{folder.rstrip('/')}-other/x", Body=b"")
    client_with(server.environment).put_object(Bucket=BUCKET, Key=f"{folder}.incomplete/x", Body=b"")
    assert [facts.key for facts in store.list("")] == ["mine"]


def every_call(store: S3Store) -> list:
    return [
        lambda: put(store, "key"),
        lambda: put(store, "key", bytes(9 * MIB)),
        lambda: store.compose("key", [Segment(key="other", offset=0, size=9 * MIB)], media_type="text/csv"),
        lambda: store.stat("key"),
        lambda: list(store.list("")),
        lambda: store.delete("key"),
        lambda: store.abort_unfinished("", older_than=datetime.now(UTC)),
        store.check_writable,
    ]


def assert_clean(error: ExportPipelinesError) -> None:
    text = f"{error} {error.__cause__}"
    assert SECRET_KEY not in text
    assert "Signature=" not in text
    assert BUCKET in str(error)


def test_wrong_credentials_are_a_setting_to_correct(rclone: S3Server) -> None:
    store = open_on(rclone, AWS_SECRET_ACCESS_KEY="wrong")
    for call in every_call(store):
        with pytest.raises(ValidationError, match="AWS_ACCESS_KEY_ID") as caught:
            call()
        assert_clean(caught.value)


def test_no_credentials_are_a_setting_to_correct(rclone: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    store = open_on(rclone, AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="")
    with pytest.raises(ValidationError, match="no AWS credentials were found"):
        store.check_writable()


def test_a_bucket_that_is_not_there_is_a_setting_to_correct(server: S3Server) -> None:
    store = S3Store(client_with(server.environment), bucket="no-such-bucket")
    for call in (lambda: put(store, "key"), lambda: list(store.list("")), store.check_writable):
        with pytest.raises(ValidationError, match=r"no-such-bucket.*EXPORT_PIPELINES_STORE_URL"):
            call()


def write_and_kill(store: S3Store, server: S3Server) -> None:
    with store.writer("large") as writer:
        writer.write(bytes(9 * MIB))
        server.kill()


def test_a_server_that_died_is_unavailable_within_seconds(tmp_path: Path) -> None:
    with rclone_server(tmp_path) as server:
        store = open_on(server)
        started = time.monotonic()
        with pytest.raises(StoreUnavailableError):
            write_and_kill(store, server)
        for call in every_call(store):
            with pytest.raises(StoreUnavailableError, match="AWS_ENDPOINT_URL_S3") as caught:
                call()
            assert_clean(caught.value)
        assert time.monotonic() - started < 60


def test_a_server_that_dies_while_it_is_read_is_unavailable(tmp_path: Path) -> None:
    with rclone_server(tmp_path) as server:
        store = open_on(server)
        put(store, "large", bytes(64 * MIB))
        with store.open("large") as file:
            file.read(10)
            server.kill()
            with pytest.raises(StoreUnavailableError):
                file.read()


def test_times_are_those_of_the_server(server: S3Server) -> None:
    store = open_on(server)
    put(store, "key")
    facts = store.stat("key")
    assert facts is not None
    now = parsedate_to_datetime(httpx.get(server.url).headers["date"])
    assert abs(now - facts.modified_at) < timedelta(seconds=10)
