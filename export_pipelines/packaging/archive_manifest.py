"""The archive's own ``manifest.yaml``: the data's facts, then every member and absence, a line each, as they stream by.

The lines are YAML flow mappings on purpose: any YAML reader takes the file whole, and ours takes a million members line
by line without holding them.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import takewhile
from typing import Any

import yaml

from export_pipelines.core.archive import Absent
from export_pipelines.core.errors import IntegrityError
from export_pipelines.packaging.codecs import blocks
from export_pipelines.packaging.deflate_runs import RunDeflater
from export_pipelines.packaging.deflating import END_OF_STREAM, crc32
from export_pipelines.packaging.part_index import MemberEntry
from export_pipelines.packaging.sidecar import MemberFacts
from export_pipelines.packaging.staging import CHUNK_BYTES, Writer

_PLAIN = re.compile(r"[ !#-\[\]-~]*")
_OTHER_LINE_ENDS = re.compile("[\r\x85\u2028\u2029]")
_LINE = re.compile(
    r'- \{name: "([^"\\]*)", size: ([0-9]+), sha256: "([0-9a-f]{64})"(, record: true)?(?:, rows: ([0-9]+))?\}'
)


class DeflatedText:
    """Deflates text on its way to a writer, and knows what the directory must say of it."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._deflater = RunDeflater()
        self._digest = hashlib.sha256()
        self._waiting = bytearray()
        self.crc32 = 0
        self.size = 0
        self.packed = 0

    @property
    def sha256(self) -> str:
        """Of the content; whole after :meth:`end`."""
        return self._digest.hexdigest()

    def write(self, text: str) -> None:
        """Take more text."""
        self._waiting += text.encode()
        if len(self._waiting) >= CHUNK_BYTES:
            self._pass_on()

    def end(self) -> None:
        """Close the stream."""
        self._pass_on()
        self._emit(self._deflater.end() + END_OF_STREAM)

    def _pass_on(self) -> None:
        data = bytes(self._waiting)
        self._waiting.clear()
        self._digest.update(data)
        self.crc32 = crc32(data, self.crc32)
        self.size += len(data)
        self._emit(self._deflater.compress(data))

    def _emit(self, data: bytes) -> None:
        self._writer.write(data)
        self.packed += len(data)


def head_text(head: Mapping[str, Any], *, members: int, records: int, absent: int) -> str:
    """Everything before the list of members; ``head`` comes first, JSON types in the order to be shown."""
    facts = {**head, "counts": {"members": members, "records": records, "absent": absent}}
    return _dump(facts) + ("members:\n" if members else "members: []\n")


def member_text(member: MemberFacts | MemberEntry) -> str:
    """One line of the list of members."""
    record = ", record: true" if member.record else ""
    rows = "" if member.rows is None else f", rows: {member.rows}"
    return f'- {{name: {_quoted(member.name)}, size: {member.size}, sha256: "{member.sha256}"{record}{rows}}}\n'


def absent_text(rows: Iterable[Absent]) -> Iterator[str]:
    """The list of absences, its heading included."""
    heading = "absent:\n"
    for row in rows:
        yield f"{heading}- {{id: {_quoted(row.id)}, reason: {_quoted(row.reason)}}}\n"
        heading = ""
    if heading:
        yield "absent: []\n"


def read_head(chunks: Iterable[bytes]) -> dict[str, Any]:
    """What a manifest says before its list of members, the counts left out.

    Raises:
        IntegrityError: it is no YAML mapping.
    """
    lines = takewhile(lambda line: not line.startswith("members:"), _lines(chunks))
    try:
        facts = yaml.safe_load("\n".join(lines))
        return {name: value for name, value in facts.items() if name != "counts"}
    except (yaml.YAMLError, AttributeError) as error:
        raise IntegrityError("the archive's own manifest does not begin like one") from error


def read_members(chunks: Iterable[bytes]) -> Iterator[MemberFacts]:
    """The members that a manifest lists, in constant memory.

    Raises:
        IntegrityError: a line of the list is not one that we write.
    """
    listing = False
    for line in _lines(chunks):
        if listing and not line.startswith("- "):
            return
        if listing:
            yield _read_member(line)
        listing = listing or line == "members:"


def _read_member(line: str) -> MemberFacts:
    match = _LINE.fullmatch(line)
    if match:
        name, size, sha256, record, rows = match.groups()
        return MemberFacts(
            name=name,
            size=int(size),
            sha256=sha256,
            record=record is not None,
            rows=None if rows is None else int(rows),
        )
    try:
        ((facts),) = yaml.safe_load(line)
        return MemberFacts(**facts)
    except (yaml.YAMLError, TypeError, ValueError) as error:
        raise IntegrityError(f"the archive's own manifest has a line that lists no member: {line[:200]}") from error


def _lines(chunks: Iterable[bytes]) -> Iterator[str]:
    rest = b""
    for block in blocks(chunks, CHUNK_BYTES):
        lines = (rest + block).split(b"\n")
        rest = lines.pop()
        yield from (line.decode(errors="replace") for line in lines)
    if rest:
        yield rest.decode(errors="replace")


def _quoted(text: str) -> str:
    if _PLAIN.fullmatch(text):
        return f'"{text}"'
    # The dumper ends a bare scalar's document with a line break of its own.
    return _dump(text, style='"').rstrip("\n")


def _dump(value: object, *, style: str | None = None) -> str:
    return str(
        yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=float("inf"), default_style=style)
    )


class _Dumper(yaml.SafeDumper):
    """Quotes line ends other than LF, which the library would write bare and read back as LF."""


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"' if _OTHER_LINE_ENDS.search(text) else None)


_Dumper.add_representer(str, _represent_text)
