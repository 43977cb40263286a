"""The deployment's keys: made once, rotated without a file losing its proof, set from outside."""

import base64
import json
from dataclasses import replace
from pathlib import Path

import pytest

from export_pipelines.core.errors import ConflictError, ValidationError
from export_pipelines.core.settings import Settings
from export_pipelines.packaging.signing import PublicKey, SigningKey
from export_pipelines.steps import signing
from export_pipelines.steps.export import run_export
from export_pipelines.steps.services import Services
from export_pipelines.steps.submit import submit
from export_pipelines.steps.verify import Trust, verify_job, verify_path
from export_pipelines_tests.steps.orders import order

SET = base64.b64encode(b"k" * 32).decode()


def export(services: Services) -> Path:
    job = run_export(services, submit(services, order("DEFINITION_MD")).id)
    assert job.output_path is not None
    path = services.store.local_path(job.output_path)
    assert path is not None
    assert verify_job(services, job.id).problems == ()
    return path


def signed_by(path: Path) -> str:
    return str(json.loads(Path(f"{path}.manifest.json").read_bytes())["signature"]["key_id"])


def trusting(*keys: PublicKey) -> Trust:
    return Trust(keys={key.id: key for key in keys})


def test_files_signed_before_a_rotation_still_verify_and_new_ones_have_the_new_key(services: Services) -> None:
    settings = services.settings
    before = export(services)
    first = signing.current(settings)
    second = signing.rotate(settings)
    after = export(services)
    assert first is not None
    assert (signed_by(before), signed_by(after)) == (first.id, second.id)
    known = Trust(keys=signing.known_keys(settings))
    assert verify_path(before, trust=known).problems == verify_path(after, trust=known).problems == ()
    assert [(found.key, found.signs) for found in signing.trusted(settings)] == [(first, False), (second, True)]
    assert verify_path(before, trust=trusting(first)).problems == ()
    [problem] = verify_path(before, trust=trusting(second)).problems
    assert f"signed by key {first.id}, which is not known here" in problem


def test_a_key_whose_public_half_was_removed_is_trusted_no_longer(services: Services) -> None:
    path = export(services)
    signing.rotate(services.settings)
    (services.settings.home / "signing-keys" / f"{signed_by(path)}.pem").unlink()
    assert verify_path(path, trust=Trust(keys=signing.known_keys(services.settings))).problems


def test_a_forged_file_with_all_checksums_made_anew_is_found(services: Services) -> None:
    import hashlib

    from export_pipelines.packaging import sidecar

    path = export(services)
    beside = Path(f"{path}.manifest.json")
    forged = path.read_bytes().replace(b"# Preamble", b"# Preambel")
    manifest = json.loads(beside.read_bytes())
    manifest["file"]["sha256"] = manifest["shards"][0]["sha256"] = hashlib.sha256(forged).hexdigest()
    path.write_bytes(forged)
    beside.write_bytes(sidecar.canonical(manifest))
    assert verify_path(path).problems == ()
    trust = Trust(keys=signing.known_keys(services.settings))
    [problem] = verify_path(path, trust=trust).problems
    assert "changed after it was signed" in problem
    del manifest["signature"]
    beside.write_bytes(sidecar.canonical(manifest))
    [problem] = verify_path(path, trust=trust).problems
    assert "is not signed" in problem
    assert verify_path(path, trust=replace(trust, allow_unsigned=True)).problems == ()


def test_a_key_that_is_set_signs_and_stays_known_when_the_setting_changes(services: Services) -> None:
    outside = replace(services, settings=replace(services.settings, signing_key=SET))
    path = export(outside)
    assert signed_by(path) == SigningKey(raw=b"k" * 32).public.id
    assert not (services.settings.home / "signing.key").exists()
    assert verify_path(path, trust=Trust(keys=signing.known_keys(services.settings))).problems == ()
    for change in (signing.create, signing.rotate):
        with pytest.raises(ValidationError, match="EXPORT_PIPELINES_SIGNING_KEY is set"):
            change(outside.settings)


def test_a_setting_that_is_no_key_fails_before_there_is_a_job(services: Services) -> None:
    from export_pipelines.db import jobs

    wrong = replace(services, settings=replace(services.settings, signing_key="hunter2"))
    with pytest.raises(ValidationError, match="EXPORT_PIPELINES_SIGNING_KEY holds no key") as caught:
        submit(wrong, order("DEFINITION_MD"))
    assert "hunter2" not in str(caught.value)
    assert jobs.list_jobs(services.database) == ()


def test_a_key_is_created_once_and_nothing_is_made_by_looking(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    assert signing.current(settings) is None
    assert signing.trusted(settings) == ()
    assert signing.known_keys(settings) == {}
    assert list(tmp_path.iterdir()) == []
    created = signing.create(settings)
    assert signing.current(settings) == created
    with pytest.raises(ConflictError, match="rotate"):
        signing.create(settings)


def test_rotating_without_a_key_makes_the_first(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    made = signing.rotate(settings)
    assert [(found.key, found.signs) for found in signing.trusted(settings)] == [(made, True)]


def test_a_file_among_the_public_keys_that_is_none_is_named(tmp_path: Path) -> None:
    signing.create(Settings(home=tmp_path))
    (tmp_path / "signing-keys" / "friend.pem").write_bytes(b"\xff")
    with pytest.raises(ValidationError, match=r"friend\.pem is no public key"):
        signing.known_keys(Settings(home=tmp_path))
