"""Checks an archive's members against its manifest: content, missing and added ones, records; in constant memory."""

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from heapq import merge
from itertools import zip_longest
from operator import attrgetter
from typing import BinaryIO, Protocol, TypeVar

from export_pipelines.core.errors import IntegrityError
from export_pipelines.packaging.archive_manifest import read_members
from export_pipelines.packaging.deflating import crc32
from export_pipelines.packaging.parquet_rows import count_parquet_rows
from export_pipelines.packaging.problems import Findings
from export_pipelines.packaging.sidecar import MemberFacts, MemberList, SidecarManifest
from export_pipelines.packaging.zip_reader import FoundMember, read_content, read_directory

OpenFile = Callable[[], BinaryIO]

_WAITING_MAX = 100_000
"""Members that wait for their counterpart; lists agree in order unless somebody changed one, so few ever do."""


def check_archive(open_file: OpenFile, findings: Findings, *, manifest: SidecarManifest) -> None:
    """Compare every member with what the manifest (or the archive's own, which it vouches for) lists."""
    with open_file() as directory, open_file() as data, open_file() as listing:
        check = _MemberCheck(data, findings)
        try:
            for found, stated in _paired(read_directory(directory), _listed(listing, manifest)):
                check.member(found, stated)
        except IntegrityError as error:
            findings.problem(f"the archive cannot be read any further: {error}")
    findings.checked(f"{check.members} members")
    if manifest.member_list is not None:
        findings.differ("the number of members", found=check.members, stated=manifest.member_list.count)
    findings.differ("the number of records", found=check.records, stated=manifest.record_count)


class _MemberCheck:
    """Checks one member after the other."""

    def __init__(self, data: BinaryIO, findings: Findings) -> None:
        self._data = data
        self._findings = findings
        self.members = 0
        self.records = 0

    def member(self, found: FoundMember | None, stated: MemberFacts | None) -> None:
        if found is not None and stated is not None:
            self.members += 1
            self.records += stated.records
            self._content(found, stated)
        elif stated is not None:
            self._findings.problem(f"member {stated.name} is missing")
        elif found is not None:
            self._findings.problem(f"member {found.name} was added")

    def _content(self, found: FoundMember, stated: MemberFacts) -> None:
        digest, crc, size = hashlib.sha256(), 0, 0
        try:
            for chunk in read_content(self._data, found):
                digest.update(chunk)
                crc = crc32(chunk, crc)
                size += len(chunk)
        except IntegrityError as error:
            self._findings.problem(f"member {stated.name} cannot be read: {error}")
            return
        name = f"member {stated.name}: its"
        self._findings.differ(f"{name} size", found=size, stated=stated.size)
        self._findings.differ(f"{name} SHA-256", found=digest.hexdigest(), stated=stated.sha256)
        if (size, crc) != (found.size, found.crc32):
            self._findings.problem(f"{name} size or CRC-32 is not what the archive's directory states")
        elif stated.rows is not None and digest.hexdigest() == stated.sha256:
            self._rows(found, stated)

    def _rows(self, found: FoundMember, stated: MemberFacts) -> None:
        """Compare the rows of a table; what its SHA-256 says is damaged has been named already, and is not opened."""
        try:
            count = count_parquet_rows(read_content(self._data, found))
        except IntegrityError as error:
            self._findings.problem(f"member {stated.name}: its rows cannot be counted: {error}")
            return
        self._findings.differ(f"member {stated.name}: its number of rows", found=count, stated=stated.rows)


def _listed(source: BinaryIO, manifest: SidecarManifest) -> Iterator[MemberFacts]:
    """The members that should be there, by name."""
    if manifest.members is not None:
        return iter(manifest.members)
    if manifest.member_list is None:
        raise IntegrityError("the manifest lists no members")
    stated = manifest.member_list
    return merge(_own_list(source, stated), [stated.manifest], key=attrgetter("name"))


def _own_list(source: BinaryIO, stated: MemberList) -> Iterator[MemberFacts]:
    """What the archive's own manifest lists; read only when its SHA-256 is the stated one."""
    name = stated.manifest.name
    found = next((member for member in read_directory(source) if member.name == name), None)
    if found is None:
        raise IntegrityError(f"member {name}, which lists the others, is missing")
    digest = hashlib.sha256()
    try:
        for chunk in read_content(source, found):
            digest.update(chunk)
    except IntegrityError as error:
        raise IntegrityError(f"member {name}, which lists the others, cannot be read: {error}") from error
    if digest.hexdigest() != stated.manifest.sha256:
        raise IntegrityError(f"member {name}, which lists the others, was changed: its SHA-256 differs")
    return read_members(read_content(source, found))


class _Named(Protocol):
    @property
    def name(self) -> str: ...


_N = TypeVar("_N", bound=_Named)


class _Waiting(OrderedDict[str, _N]):
    """Members without a counterpart yet, the oldest first."""

    def add(self, member: _N | None) -> Iterator[_N]:
        """Take one, if there is one; gives those that no longer wait: a second of one name, or the oldest of many."""
        if member is None:
            return
        if member.name in self:
            yield member
            return
        self[member.name] = member
        if len(self) > _WAITING_MAX:
            yield self.popitem(last=False)[1]


def _paired(
    found: Iterable[FoundMember], stated: Iterable[MemberFacts]
) -> Iterator[tuple[FoundMember | None, MemberFacts | None]]:
    """Match both lists by name, wherever they differ; what has no counterpart comes alone."""
    there: _Waiting[FoundMember] = _Waiting()
    listed: _Waiting[MemberFacts] = _Waiting()
    for one, other in zip_longest(found, stated):
        yield from ((member, None) for member in there.add(one))
        yield from ((None, member) for member in listed.add(other))
        for member in (one, other):
            if member is not None and member.name in there and member.name in listed:
                yield there.pop(member.name), listed.pop(member.name)
    yield from ((member, None) for member in there.values())
    yield from ((None, member) for member in listed.values())
