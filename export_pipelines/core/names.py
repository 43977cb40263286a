"""Names for files and YAML keys, made from names that people chose."""

import re
from collections.abc import Iterable

_WINDOWS_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*.\s]')
_SCENARIO_KEY = re.compile(r"scenario_([0-9]+)((?:_[A-Za-z]+-?[0-9]+)+)")
_KEY_START = re.compile(r"scenario_([0-9]+)(?:_(.*))?")
_KEY_TOKEN = re.compile(r"([A-Za-z]+)(-?[0-9]{1,400})")
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


def is_scenario_key(key: str) -> bool:
    """Whether the key is ``scenario_<digits>_<Word><int>_<Word><int>...`` throughout."""
    return _SCENARIO_KEY.fullmatch(key) is not None


def key_number(key: str) -> str | None:
    """The digits of a key that begins ``scenario_<digits>``, None where it does not."""
    match = _KEY_START.match(key)
    return match[1] if match else None


def key_variables(key: str) -> dict[str, int]:
    """The scores that the analysis step reads out of a scenario's key, by the words in it.

    Any key that begins ``scenario_<digits>`` carries some; of a part between underscores only its beginning counts, and
    the last of two parts with the same word.
    """
    match = _KEY_START.match(key)
    tokens = (_KEY_TOKEN.match(part) for part in (match[2] or "").split("_")) if match else ()
    return {token[1]: int(token[2]) for token in tokens if token}


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
