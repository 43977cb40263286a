"""``export-pipelines keys signing`` from outside."""

import base64
from pathlib import Path

from export_pipelines_tests.deployments import Deployment

NO_DATABASE = "postgresql://nobody@127.0.0.1:9/nothing"


def keys(deployment: Deployment, home: Path, *arguments: str, **more: str):
    settings = {"EXPORT_PIPELINES_HOME": str(home), "EXPORT_PIPELINES_DATABASE_URL": NO_DATABASE}
    return deployment.run("keys", "signing", *arguments, **{**settings, **more})


def test_keys_are_created_shown_and_rotated_without_a_database(shared: Deployment, tmp_path: Path) -> None:
    assert "No keys yet" in keys(shared, tmp_path, "list").out
    assert keys(shared, tmp_path, "public").status == 2
    first = keys(shared, tmp_path, "create")
    assert (first.status, len(first.out.strip())) == (0, 16)
    again = keys(shared, tmp_path, "create")
    assert (again.status, again.out) == (2, "")
    assert "keys signing rotate" in again.err
    second = keys(shared, tmp_path, "rotate").out.strip()
    header, older, newer = keys(shared, tmp_path, "list").out.splitlines()
    assert header.split()[:2] == ["KEY", "ID"]
    assert (older.split()[:2], newer.split()[:2]) == ([first.out.strip(), "verifies"], [second, "signs"])
    public = keys(shared, tmp_path, "public").out
    assert len(base64.b64decode(public)) == 32
    assert public.strip() == newer.split()[-1]
    assert keys(shared, tmp_path, "public", first.out[:8]).out.strip() == older.split()[-1]
    pem = keys(shared, tmp_path, "public", "--pem").out
    assert pem.startswith("-----BEGIN PUBLIC KEY-----\n")
    private = (tmp_path / "signing.key").read_bytes()
    for said in (first, again, keys(shared, tmp_path, "list"), keys(shared, tmp_path, "rotate")):
        assert base64.b64encode(private).decode() not in said.out + said.err


def test_a_key_that_is_set_is_not_ours_to_make_or_to_show(shared: Deployment, tmp_path: Path) -> None:
    secret = base64.b64encode(b"s" * 32).decode()
    refused = keys(shared, tmp_path, "rotate", EXPORT_PIPELINES_SIGNING_KEY=secret)
    assert (refused.status, refused.out) == (2, "")
    wrong = keys(shared, tmp_path, "public", EXPORT_PIPELINES_SIGNING_KEY="hunter2")
    assert wrong.status == 2
    shown = keys(shared, tmp_path, "public", EXPORT_PIPELINES_SIGNING_KEY=secret)
    assert shown.status == 0
    for said in (refused, wrong, shown):
        assert secret not in said.out + said.err
        assert "hunter2" not in said.out + said.err
