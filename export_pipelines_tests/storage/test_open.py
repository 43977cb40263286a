"""From URL to store."""

from pathlib import Path

import pytest

from export_pipelines.core.errors import ValidationError
from export_pipelines.core.settings import Settings
from export_pipelines.storage.open import open_store
from export_pipelines_tests.s3_servers import aws_variables, client_with


@pytest.fixture(scope="module")
def client() -> object:
    return client_with(aws_variables("http://127.0.0.1:1"))


@pytest.mark.parametrize("name", ["store", "with space", "ü #1 100%", "a?b"])
def test_a_file_url_is_a_folder(tmp_path: Path, name: str) -> None:
    store = open_store((tmp_path / name).as_uri())
    assert store.local_path("a/b") == tmp_path / name / "a" / "b"
    assert store.url("a/b") == (tmp_path / name / "a" / "b").as_uri()
    # Opening touches nothing.
    assert not (tmp_path / name).exists()


def test_the_default_is_a_folder_under_home(tmp_path: Path) -> None:
    store = open_store(Settings(home=tmp_path).effective_store_url)
    assert store.local_path("x") == tmp_path / "store" / "x"


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("s3://bucket", "s3://bucket/k"), ("s3://bucket/", "s3://bucket/k"), ("s3://my.bucket/a", "s3://my.bucket/a/k"),
        ("s3://bucket/a/b/", "s3://bucket/a/b/k"),
    ],
)  # fmt: skip
def test_an_s3_url_is_a_bucket_and_a_prefix(client: object, url: str, address: str) -> None:
    store = open_store(url, s3_client=client)
    assert store.url("k") == address
    assert store.local_path("k") is None


@pytest.mark.parametrize(
    "url",
    [
        "", "exports", "/srv/exports", "file:", "file:exports", "file://exports", "file://host/exports", "http://h/x",
        "s3:", "s3://", "s3:bucket", "s3://UPPER", "s3://b", "s3://bucket?x=y", "s3://bucket#x", "s3://bucket/a//b",
        "s3://bucket/../x", "s3://" + "b" * 64, "s3://bucket/" + "p/" * 200, "file:///a%00b", "file:///a?x", "s3://[",
    ],
)  # fmt: skip
def test_anything_else_is_refused_with_the_forms_that_work(client: object, url: str) -> None:
    with pytest.raises(ValidationError, match=r"EXPORT_PIPELINES_STORE_URL|The key"):
        open_store(url, s3_client=client)


def test_credentials_in_the_url_are_refused_and_not_repeated() -> None:
    with pytest.raises(ValidationError, match="AWS variables") as caught:
        open_store("s3://AKIA:sesame@bucket/prefix")
    assert "sesame" not in str(caught.value)


def test_aws_settings_that_make_no_client_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in aws_variables("not a url").items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError, match="AWS_ENDPOINT_URL_S3"):
        open_store("s3://bucket")
