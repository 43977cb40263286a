"""Signatures: any changed byte is found, by us and by openssl; keys come in as people have them."""

import base64
import hashlib
import json
import re
import shutil
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from export_pipelines.core.errors import ValidationError
from export_pipelines.core.fidelity import FidelityNote
from export_pipelines.packaging import sidecar
from export_pipelines.packaging.problems import Findings
from export_pipelines.packaging.signing import (
    PublicKey,
    SigningKey,
    check_signature,
    read_public_key,
    read_signing_key,
    sign,
)
from export_pipelines_tests.packaging.sidecars import PLAIN, SIDECARS

KEY = SigningKey(raw=bytes(range(32)))
OTHER = SigningKey(raw=b"\7" * 32)
SIGNED = sign(sidecar.build(PLAIN), KEY)
DOCS = Path(__file__).parents[2] / "docs" / "manifest.md"


def problems(data: bytes, *keys: PublicKey, allow_unsigned: bool = False) -> tuple[str, ...]:
    findings = Findings()
    check_signature(findings, data, keys={key.id: key for key in keys or (KEY.public,)}, allow_unsigned=allow_unsigned)
    return findings.verification().problems


@given(manifest=SIDECARS)
def test_a_signed_manifest_reads_as_before_and_has_no_problem(manifest) -> None:
    data = sign(sidecar.build(manifest), KEY)
    assert sidecar.read(data) == manifest
    assert problems(data) == ()
    assert sign(sidecar.build(manifest), KEY) == data


@given(st.data())
def test_any_changed_byte_of_the_manifest_is_found(data) -> None:
    at = data.draw(st.integers(0, len(SIGNED) - 1))
    changed = SIGNED[:at] + bytes([SIGNED[at] ^ data.draw(st.integers(1, 255))]) + SIGNED[at + 1 :]
    try:
        sidecar.read(changed)
    except ValidationError:
        return
    assert problems(changed)


@given(at=st.integers(0, len(SIGNED)), more=st.sampled_from([b" ", b"\n", b"\t", b"0", b"="]))
def test_any_added_blank_is_found(at, more) -> None:
    changed = SIGNED[:at] + more + SIGNED[at:]
    try:
        sidecar.read(changed)
    except ValidationError:
        return
    assert problems(changed)


def test_every_single_flipped_bit_is_found() -> None:
    for at in range(len(SIGNED)):
        for bit in range(8):
            changed = SIGNED[:at] + bytes([SIGNED[at] ^ 1 << bit]) + SIGNED[at + 1 :]
            try:
                sidecar.read(changed)
            except ValidationError:
                continue
            assert problems(changed), changed


def test_a_manifest_with_other_facts_and_the_old_signature_is_named_as_changed() -> None:
    found = json.loads(SIGNED)
    found["file"]["sha256"] = hashlib.sha256(b"forged").hexdigest()
    [problem] = problems(sidecar.canonical(found))
    assert "changed after it was signed" in problem


def test_another_key_is_named_and_a_signature_under_a_borrowed_name_does_not_pass() -> None:
    [problem] = problems(SIGNED, OTHER.public)
    assert f"signed by key {KEY.public.id}, which is not known here" in problem
    found = json.loads(sign(sidecar.build(PLAIN), OTHER))
    found["signature"]["key_id"] = KEY.public.id
    [problem] = problems(sidecar.canonical(found))
    assert "changed after it was signed" in problem


def test_no_signature_is_a_problem_unless_it_is_allowed() -> None:
    bare = sidecar.build(PLAIN)
    assert "is not signed" in problems(bare)[0]
    assert problems(bare, allow_unsigned=True) == ()
    # What is there must be right all the same.
    assert problems(SIGNED, OTHER.public, allow_unsigned=True)


@pytest.mark.parametrize(
    "signature",
    [
        None,
        "x",
        [],
        {},
        {"algorithm": "none", "key_id": KEY.public.id, "value": ""},
        {"algorithm": "Ed25519", "key_id": KEY.public.id, "value": "", "more": 1},
        {"algorithm": "Ed25519", "key_id": KEY.public.id, "value": "no base64"},
        {"algorithm": "Ed25519", "key_id": KEY.public.id, "value": None},
        {"algorithm": "Ed25519", "key_id": ["x"], "value": "AAAA"},
    ],
)
def test_what_is_no_signature_is_named(signature) -> None:
    assert len(problems(sidecar.canonical({**json.loads(SIGNED), "signature": signature}))) == 1


@pytest.mark.parametrize("number", [b"NaN", b"1e999", b"-Infinity"])
def test_numbers_that_are_none_are_found(number) -> None:
    assert problems(SIGNED.replace(b"2.5", number))


def test_the_public_half_and_its_id_are_those_of_rfc_8032() -> None:
    key = SigningKey(raw=bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"))
    raw = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
    assert key.public == PublicKey(raw=raw)
    assert key.sign(b"").hex().startswith("e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155")
    assert key.public.id == hashlib.sha256(raw).hexdigest()[:16]
    assert "9d61" not in repr(key)


def test_a_private_key_comes_as_base64_as_pem_or_as_its_body_alone() -> None:
    pem = (
        Ed25519PrivateKey.from_private_bytes(KEY.raw)
        .private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        .decode()
    )
    body = "".join(pem.splitlines()[1:-1])
    for text in (base64.b64encode(KEY.raw).decode(), pem, pem.replace("\n", "\\n"), body, f" {body}\n"):
        assert read_signing_key(text, where="THE_SETTING") == KEY


@pytest.mark.parametrize("text", ["", "hunter2", "aHVudGVyMg==", "-----BEGIN PRIVATE KEY-----\nhunter2\n", "é" * 44])
def test_what_is_no_private_key_is_refused_without_being_shown(text) -> None:
    with pytest.raises(ValidationError, match="THE_SETTING holds no key that signs") as caught:
        read_signing_key(text, where="THE_SETTING")
    assert "hunter" not in str(caught.value)
    assert "aHVu" not in str(caught.value)


def test_keys_of_another_kind_are_refused() -> None:
    other = X25519PrivateKey.generate()
    private = other.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = other.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    with pytest.raises(ValidationError, match="another kind"):
        read_signing_key(private.decode(), where="x")
    for text in (private, public):
        with pytest.raises(ValidationError, match=r"no public key|another kind"):
            read_public_key(text.decode(), where="x")


def test_a_public_key_comes_as_base64_or_pem_and_nothing_else() -> None:
    for text in (KEY.public.base64, KEY.public.base64 + "\n", KEY.public.pem().decode()):
        assert read_public_key(text, where="x") == KEY.public
    for text in (
        "",
        "nofile.pem",
        KEY.public.base64[:-2],
        "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
    ):
        with pytest.raises(ValidationError, match=r"no public key|another kind"):
            read_public_key(text, where="x")


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")
@pytest.mark.parametrize("manifest", [SIGNED, SIGNED.replace(b"cjob", b"cjib")], ids=["as it was", "changed"])
def test_the_documented_way_with_openssl_says_the_same(manifest, tmp_path) -> None:
    (tmp_path / "f.csv.manifest.json").write_bytes(manifest)
    (tmp_path / "key.pem").write_bytes(KEY.public.pem())
    text = DOCS.read_text()
    [program] = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    [command] = re.findall(r"```sh\n(openssl .*?)\n```", text, re.DOTALL)
    subprocess.run([sys.executable, "-c", program, "f.csv.manifest.json"], cwd=tmp_path, check=True)
    done = subprocess.run(command.split(), cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ("Verified Successfully" in done.stdout, done.returncode == 0) == ((manifest == SIGNED,) * 2)


def test_every_field_of_the_manifest_is_documented() -> None:
    text = DOCS.read_text()
    for name, value in json.loads(SIGNED).items():
        assert re.search(rf"`{name}(\[\])?[.`]", text), name
        if isinstance(value, dict) and name not in ("subject", "options", "versions"):
            assert all(f"`{name}.{inner}`" in text for inner in value), name
    for kind in (sidecar.ShardFacts, sidecar.MemberFacts, sidecar.MemberList, FidelityNote):
        assert all(f"`{field.name}`" in text for field in fields(kind)), kind
