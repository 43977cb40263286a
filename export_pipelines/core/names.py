"""Names for files and YAML keys, made from names that people chose."""

import re
from collections.abc import Iterable

_WINDOWS_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*.\s]')
_WINDOWS_DEVICES = re.compile(r"(?i)(con|prn|aux|nul|com[0-9]|lpt[0-9])")


def document_stem(name: str) -> str:
    """A definition's file name without its ending: anything outside ``[A-Za-z0-9_-]`` is ``_``, cut at 50."""
    stem = re.sub(r"_+", "_", re.sub(r"[^A-Za-z0-9_-]", "_", name))[:50]
    return stem or "_"


def base_id_of(name: str) -> str:
    """The base id of a definition whose content states none."""
    return "scenario_" + re.sub(r"[^A-Za-z0-9]", "_", name)[:20]


def yaml_key(name: str) -> str:
    """A scenario's key: its name with anything outside ``[A-Za-z0-9_]`` as ``_``."""
    return re.sub(r"[^A-Za-z0-9_]", "_", name) or "_"


def file_part(text: str) -> str:
    """One dot-free component of a transcript's file name, legal on Windows too; the exact id stands inside the file."""
    part = _WINDOWS_FORBIDDEN.sub("-", text) or "-"
    return f"{part}-" if _WINDOWS_DEVICES.fullmatch(part) else part


def unique_parts(wanted: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Give each id a name of its own: the wanted one, or that with ``-2``, ``-3``, ... where names collide.

    Names that differ only in case collide, since they do on Windows and macOS.

    Args:
        wanted: ``(id, wanted name)`` in the order that decides who keeps the plain name; the order must be stable.
    """
    names: dict[str, str] = {}
    taken: set[str] = set()
    for key, name in wanted:
        candidate, number = name, 1
        while candidate.casefold() in taken:
            number += 1
            candidate = f"{name}-{number}"
        taken.add(candidate.casefold())
        names[key] = candidate
    return names
