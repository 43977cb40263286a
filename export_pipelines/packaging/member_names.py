"""Names inside an archive: which are refused, and how two that mean one file are found among millions."""

import re
from array import array
from collections import Counter

from export_pipelines.core.errors import IntegrityError

# Controls, the backslash (a separator on Windows), and surrogates, which UTF-8 cannot carry.
_FORBIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\\\\\ud800-\udfff]")
_BAD_COMPONENTS = frozenset({"", ".", ".."})
_NAME_BYTES_MAX = 0xFFFF


def encode_name(name: str) -> bytes:
    """The name as it stands in the archive, UTF-8.

    Raises:
        IntegrityError: an unpacker could be led outside its folder by it, or cannot store it.
    """
    if _FORBIDDEN.search(name):
        raise IntegrityError(f"Archive member {name!r} has a control character, a backslash or half a surrogate pair.")
    if not _BAD_COMPONENTS.isdisjoint(name.split("/")):
        raise IntegrityError(f"Archive member {name!r} is absolute, or has an empty, '.' or '..' component.")
    if name[1:2] == ":":
        raise IntegrityError(f"Archive member {name!r} begins with a drive letter.")
    encoded = name.encode()
    if len(encoded) > _NAME_BYTES_MAX:
        raise IntegrityError(f"Archive member {name[:60]!r}... has a name of more than {_NAME_BYTES_MAX} bytes.")
    return encoded


class NameClashes:
    """Finds names that differ in case only, in 8 bytes a name: hashes first, exact names only for those that clash."""

    def __init__(self) -> None:
        self._buckets = [array("q") for _ in range(256)]

    def add(self, name: str) -> None:
        """Take one name."""
        code = hash(name.casefold())
        self._buckets[code & 0xFF].append(code)

    def suspects(self) -> frozenset[int]:
        """Hashes that came more than once; nearly always none."""
        found: set[int] = set()
        for bucket in self._buckets:
            if len(set(bucket)) < len(bucket):
                found.update(code for code, times in Counter(bucket).items() if times > 1)
        return frozenset(found)


class SuspectNames:
    """The second look: keeps the names with a suspect hash, and says which of them clash."""

    def __init__(self, suspects: frozenset[int]) -> None:
        self._suspects = suspects
        self._names: dict[str, list[str]] = {}

    def add(self, name: str) -> None:
        """Take one name."""
        folded = name.casefold()
        if hash(folded) in self._suspects:
            self._names.setdefault(folded, []).append(name)

    def clashes(self) -> tuple[str, ...]:
        """One line for every group of names that are one file on Windows and macOS."""
        return tuple(" and ".join(names) for names in self._names.values() if len(names) > 1)
