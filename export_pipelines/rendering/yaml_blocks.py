"""Text as YAML scalars that every loader, old or new, gives back exactly.

Written by hand, since a dumper falls back to quotes for trailing blanks, leading blanks and tabs, which a block with an
indentation indicator holds well, and because it is an order of magnitude faster. The block forms follow YAML 1.2,
sections 8.1.1 to 8.1.3; a block's final line break belongs to the block and never to the text.
"""

import re
from functools import cache

_NO_TEXT = re.compile("[\ud800-\udfff]")
# No block holds these right for everybody: loaders of YAML 1.1 turn CR and U+0085 into LF and begin a new line at
# U+2028 and U+2029, which loaders of YAML 1.2 take for ordinary characters; the rest is not printable in either.
_NOT_IN_BLOCKS = "[^\t\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
_NAMED_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r", "\x00": "\\0"}
_BREAKS = re.compile(r"(\n+)")
_PLAIN = re.compile(r"[^\W\d_](?:[\w ,.'()/+&!?;%–—-]*[\w.')!?%])?")
_NOT_TEXT = frozenset(["null", "true", "false", "yes", "no", "on", "off", "y", "n"])
_BLANK = " \t\n"


def keepable(text: str) -> str:
    """The text with lone surrogates, which UTF-8 cannot hold, as U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return _NO_TEXT.sub("\ufffd", text)
    # Encoding finds out twenty times faster than a search for what is nearly never there.
    return text


def literal(text: str, *, indent: int) -> str:
    """A literal block (``|``), from its indicator to its last line break; quoted where no block can hold the text.

    Args:
        text: what a loader gives back, plus the block's final line break.
        indent: spaces before each line; two more than the key has.
    """
    return _block("|", text, text, indent)


def folded(text: str, *, indent: int) -> str:
    """A folded block (``>``), likewise; lines are not wrapped, and each break stands as the blank line it takes."""
    parts = _BREAKS.split(text)
    for index in range(1, len(parts), 2):
        if _folds(parts[index - 1]) and _folds(parts[index + 1]):
            parts[index] += "\n"
    return _block(">", text, "".join(parts), indent)


def flow(text: str) -> str:
    """A scalar on one line: plain where that is safe, else double-quoted."""
    if _PLAIN.fullmatch(text) and text.lower() not in _NOT_TEXT:
        return text
    return quoted(text)


def quoted(text: str) -> str:
    """A double-quoted scalar on one line, for any text without lone surrogates."""
    return f'"{_to_escape().sub(_escape, text)}"'


def _block(style: str, text: str, lines: str, indent: int) -> str:
    if not text.strip(_BLANK) or _not_in_blocks().search(text):
        return f"{quoted(text)}\n"
    # Without the indicator a loader takes the first line's own blanks for indentation.
    indicator = "2" if text[0] in _BLANK else ""
    chomping = "+" if text[-1] == "\n" else ""
    margin = " " * indent
    indented = "\n".join([margin + line if line else "" for line in lines.split("\n")])
    return f"{style}{indicator}{chomping}\n{indented}\n"


# Both take milliseconds to compile, which whoever writes no YAML need not wait for.
@cache
def _not_in_blocks() -> re.Pattern[str]:
    return re.compile(_NOT_IN_BLOCKS)


@cache
def _to_escape() -> re.Pattern[str]:
    return re.compile(f'["\\\\\t\n]|{_NOT_IN_BLOCKS}')


def _folds(line: str) -> bool:
    """Whether a single break next to this line would become a space."""
    return line != "" and line[0] not in _BLANK


def _escape(match: re.Match[str]) -> str:
    char = match[0]
    code = ord(char)
    if char in _NAMED_ESCAPES:
        return _NAMED_ESCAPES[char]
    if code <= 0xFF:
        return f"\\x{code:02X}"
    return f"\\u{code:04X}" if code <= 0xFFFF else f"\\U{code:08X}"
