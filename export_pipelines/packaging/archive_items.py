"""An archive's lines of records, and its members, as items to compare; in constant memory."""

import json
from collections.abc import Callable, Iterator
from typing import BinaryIO

from export_pipelines.core.errors import IntegrityError, ValidationError
from export_pipelines.packaging.archive_manifest import read_members
from export_pipelines.packaging.records import Item, read_items
from export_pipelines.packaging.sidecar import MemberFacts, MemberList
from export_pipelines.packaging.zip_reader import FoundMember, read_content, read_directory

MEMBER = "member"
LINES = "/transcripts.jsonl"
"""The member whose lines are the records; the others are made of the same rows and what stands beside them."""

OpenFile = Callable[[], BinaryIO]


def archive_items(open_file: OpenFile, *, member_list: MemberList, id_name: str) -> Iterator[Item]:
    """Every line, then every other member by the SHA-256 that the archive's own manifest states of it.

    Raises:
        IntegrityError: the archive is damaged, or has no lines of records.
    """
    with open_file() as source:
        lines = _find(source, lambda name: name.endswith(LINES))
        yield from read_items(read_content(source, lines), format_name="jsonl", id_name=id_name)
        own = _find(source, lambda name: name == member_list.manifest.name)
        for member in read_members(read_content(source, own)):
            if member.name != lines.name:
                yield _item(member)
    yield _item(member_list.manifest)


def require_lines(open_file: OpenFile) -> None:
    """Refuse an archive whose records are not lines of a member.

    Raises:
        ValidationError: it is one.
    """
    with open_file() as source:
        if not any(member.name.endswith(LINES) for member in read_directory(source)):
            raise ValidationError(
                f"an archive without {LINES[1:]} cannot be compared record by record; verify it without."
            )


def _find(source: BinaryIO, wanted: Callable[[str], bool]) -> FoundMember:
    for member in read_directory(source):
        if wanted(member.name):
            return member
    raise IntegrityError("the archive lacks a member that lists its records or members")


def _item(member: MemberFacts) -> Item:
    return Item(kind=MEMBER, id=member.name, data=json.dumps({"content": member.sha256}).encode())
