"""An archive's records, and its members, as items to compare; in constant memory."""

import json
from collections.abc import Callable, Iterator
from typing import BinaryIO

import orjson

from export_pipelines.core.errors import IntegrityError, ValidationError
from export_pipelines.packaging.archive_manifest import read_head, read_members
from export_pipelines.packaging.parquet_items import Window, parquet_items
from export_pipelines.packaging.records import PART, RECORD, Item, read_items
from export_pipelines.packaging.sidecar import MemberFacts, MemberList
from export_pipelines.packaging.zip_reader import FoundMember, read_content, read_directory, stored_at

MEMBER = "member"
LINES = "/transcripts.jsonl"
"""The member whose lines are the records; the others are made of the same rows and what stands beside them."""
TABLE = ".parquet"
"""How members are called whose rows are the records, where there are no lines."""

OpenFile = Callable[[], BinaryIO]


def archive_items(open_file: OpenFile, *, member_list: MemberList, id_name: str) -> Iterator[Item]:
    """Every record, then every other member by the SHA-256 that the archive's own manifest states of it.

    Of tables the rows alone are compared: where files end, and which release of a library wrote them, shows in their
    bytes and in the archive's own manifest, and is no difference of the data. What that manifest says of the data
    besides its members is.

    Raises:
        IntegrityError: the archive is damaged, or has no records.
    """
    with open_file() as source:
        lines = next((member for member in read_directory(source) if member.name.endswith(LINES)), None)
    if lines is None:
        yield from _of_tables(open_file, member_list, id_name=id_name)
    else:
        yield from _of_lines(open_file, lines, member_list, id_name=id_name)


def require_records(open_file: OpenFile) -> None:
    """Refuse an archive whose records are neither lines of a member nor rows of tables.

    Raises:
        ValidationError: it is one.
    """
    with open_file() as source:
        if not any(member.name.endswith((LINES, TABLE)) for member in read_directory(source)):
            raise ValidationError(
                f"an archive without {LINES[1:]} or *{TABLE} cannot be compared record by record; verify it without."
            )


def _of_lines(open_file: OpenFile, lines: FoundMember, member_list: MemberList, *, id_name: str) -> Iterator[Item]:
    with open_file() as source:
        yield from read_items(read_content(source, lines), format_name="jsonl", id_name=id_name)
        own = _find(source, member_list.manifest.name)
        for member in read_members(read_content(source, own)):
            if member.name != lines.name:
                yield _item(member)
    yield _item(member_list.manifest)


def _of_tables(open_file: OpenFile, member_list: MemberList, *, id_name: str) -> Iterator[Item]:
    with open_file() as directory, open_file() as data:
        first = True
        for member in read_directory(directory):
            if member.name.endswith(TABLE):
                table = Window(data, offset=stored_at(data, member), size=member.size)
                # All tables of an archive have the same columns.
                yield from (item for item in parquet_items(table, id_name=id_name) if first or item.kind == RECORD)
                first = False
        own = _find(data, member_list.manifest.name)
        for name, facts in read_head(read_content(data, own)).items():
            yield Item(kind=PART, id=name, data=orjson.dumps(facts, default=str))
        for stated in read_members(read_content(data, own)):
            if stated.rows is None:
                yield _item(stated)


def _find(source: BinaryIO, name: str) -> FoundMember:
    for member in read_directory(source):
        if member.name == name:
            return member
    raise IntegrityError(f"the archive lacks {name}, the member that lists the others")


def _item(member: MemberFacts) -> Item:
    return Item(kind=MEMBER, id=member.name, data=json.dumps({"content": member.sha256}).encode())
