"""YAML frontmatter, key by key: one dump a document would take longer than all the rest of it."""

from typing import Any

import yaml

# Wide enough that no text is ever folded over lines; the C library takes 32 bits.
_WIDTH = 2**31 - 1


def line(key: str, value: str | float | None) -> str:
    """``key: value`` as a safe dumper writes it, with its newline; lines joined are the mapping, in their order."""
    return dump({key: value})


def dump(value: Any) -> str:  # noqa: ANN401  whatever YAML can hold
    """A document as the tools themselves write theirs: keys in order, text of every script as it is."""
    text: str = yaml.dump(value, Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True, width=_WIDTH)
    return text
