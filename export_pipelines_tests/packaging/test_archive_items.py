"""An archive's lines and members as items, read from archives of our own making."""

import json

import pytest

from export_pipelines.core.archive import Entry, Member, Piece
from export_pipelines.core.errors import IntegrityError, ValidationError
from export_pipelines.packaging.archive_items import MEMBER, archive_items, require_records
from export_pipelines.packaging.records import RECORD
from export_pipelines.packaging.sidecar import MemberFacts, MemberList
from export_pipelines_tests.packaging.memory_staging import make_archive, opener

LINES = Piece(name="run/transcripts.jsonl", data=b'{"id": "a"}\n{"id": "b"}\n')
TEXT = Member(name="run/a.md", data=b"text", record=True)


def made(*entries: Entry) -> tuple[bytes, MemberList]:
    data, layout = make_archive([entries])
    return data, MemberList(count=layout.members, manifest=layout.manifest)


def test_lines_are_records_and_every_other_member_is_known_by_its_digest() -> None:
    data, member_list = made(LINES, TEXT)
    found = list(archive_items(opener(data), member_list=member_list, id_name="id"))
    assert [(item.kind, item.id) for item in found] == [
        (RECORD, "a"),
        (RECORD, "b"),
        (MEMBER, "run/a.md"),
        (MEMBER, "run/manifest.yaml"),
    ]
    assert json.loads(found[-1].data) == {"content": member_list.manifest.sha256}


def test_an_archive_without_lines_or_tables_is_refused() -> None:
    data, _ = made(TEXT)
    with pytest.raises(ValidationError, match=r"without transcripts\.jsonl or \*\.parquet"):
        require_records(opener(data))
    require_records(opener(made(LINES)[0]))


def test_an_archive_without_its_own_manifest_is_damaged() -> None:
    data, _ = made(LINES)
    elsewhere = MemberList(count=2, manifest=MemberFacts(name="gone.yaml", size=0, sha256=""))
    with pytest.raises(IntegrityError, match=r"lacks gone\.yaml"):
        list(archive_items(opener(data), member_list=elsewhere, id_name="id"))
