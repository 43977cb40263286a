r"""How a definition's Markdown file writes what its plain form cannot hold, and how that is read back.

Two notations, both plain text to a reader that knows neither, and both what Markdown itself shows as the character:

* a character reference, ``&#124;`` for ``|``, for characters that would end a cell, an option or a line, or be trimmed;
* a backslash before a heading mark, ``\# Rules``, where a line of text would start a section.

Only what needs it is written so, and only references to characters that may ever need it are read, so ``&#39;`` or
``&amp;`` in somebody's text stay what they are. Text that looks like one of the notations is itself escaped.

Readers disagree on what a blank is and on what ends a line: ECMAScript's ``trim`` takes U+FEFF and leaves U+0085 and
the separators U+001C to U+001F, Python's ``strip`` the other way round. What only some of them would change is escaped.
"""

import re
from dataclasses import dataclass

LINE_BREAKS = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"
_DISPUTED_BLANKS = "\x1c\x1d\x1e\x1f\x85\ufeff"
BLANKS = (
    "\t\n\v\f\r \x1c\x1d\x1e\x1f\x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000\ufeff"
)
"""Everything that some reader trims."""

EMPTY = "&empty;"
"""An empty value where nothing at all would make a reader drop the cell, the option or the line."""

# PostgreSQL stores neither NUL nor a lone surrogate, so no stored text holds them and none may be imported.
_UNKEEPABLE = re.compile("[\x00\ud800-\udfff]")
_CELL_CODES = "|".join(str(ord(char)) for char in sorted({*BLANKS, *"&|,#S"}))
_TEXT_CODES = "|".join(str(ord(char)) for char in sorted({*_DISPUTED_BLANKS, "&"}))
_CELL_REFERENCE = re.compile(f"&#({_CELL_CODES});")
_TEXT_REFERENCE = re.compile(f"&#({_TEXT_CODES});")
_TEXT_NEEDS = re.compile(f"&(?=#(?:{_TEXT_CODES});)|^[{_DISPUTED_BLANKS}]|[{_DISPUTED_BLANKS}](?!.)", re.DOTALL)
_BEFORE_HEADING = re.compile(rf"(?<![^{LINE_BREAKS}])(?=\\*#(?:[{BLANKS}]|\Z))")
_ESCAPED_HEADING = re.compile(rf"(?<![^{LINE_BREAKS}])\\(?=\\*#(?:[{BLANKS}]|\Z))")


def _cell_pattern(separators: str, *, in_row: bool) -> re.Pattern[str]:
    alternatives = [
        f"&(?=#(?:{_CELL_CODES});)",
        rf"\A&(?={EMPTY[1:]}\Z)",
        f"[{LINE_BREAKS}{re.escape(separators)}]",
        rf"\A[{BLANKS}]|[{BLANKS}]\Z",
    ]
    if in_row:
        # A row that holds the word is taken for the table's header.
        alternatives.append("S(?=core)")
    return re.compile("|".join(alternatives))


@dataclass(frozen=True, slots=True)
class Escaped:
    """A text as the file writes it.

    Attributes:
        text: the written form.
        causes: why it is not the text itself, sorted; empty when it is.
    """

    text: str
    causes: tuple[str, ...] = ()


@dataclass(frozen=True)
class CellKind:
    """One kind of single-line value, by the characters that must not stand in it."""

    pattern: re.Pattern[str]

    def escape(self, text: str) -> Escaped:
        """The text on one line, without this kind's separators, blanks at its ends, or nothing in it."""
        if not text:
            return Escaped(EMPTY, ("empty_value",))
        causes: set[str] = set()

        def reference(match: re.Match[str]) -> str:
            causes.add(_cause(match[0]))
            return f"&#{ord(match[0])};"

        written = self.pattern.sub(reference, _keepable(text, causes))
        return Escaped(written, tuple(sorted(causes)))


VALUE = CellKind(_cell_pattern("", in_row=False))
"""A frontmatter value or a dimension's name."""
VALUE_OF_LIST = CellKind(_cell_pattern(",", in_row=False))
"""One of several frontmatter values on a line."""
CELL = CellKind(_cell_pattern("|", in_row=True))
"""A label or a description."""
OPTION = CellKind(_cell_pattern("|,", in_row=True))
"""One of the options in a cell."""


def unescape_cell(written: str) -> str:
    """What :meth:`CellKind.escape` was given; one function for every kind."""
    if written == EMPTY:
        return ""
    return _CELL_REFERENCE.sub(lambda match: chr(int(match[1])), written)


def escape_text(text: str) -> Escaped:
    """Text of a section, so that no line of it starts another and no reader disputes where it ends."""
    causes: set[str] = set()

    def reference(match: re.Match[str]) -> str:
        causes.add("reference_escaped" if match[0] == "&" else "edge_blank_escaped")
        return f"&#{ord(match[0])};"

    written = _TEXT_NEEDS.sub(reference, _keepable(text, causes))
    written, headings = _BEFORE_HEADING.subn(r"\\", written)
    if headings:
        causes.add("heading_escaped")
    return Escaped(written, tuple(sorted(causes)))


def unescape_text(written: str) -> str:
    """What :func:`escape_text` was given."""
    return _TEXT_REFERENCE.sub(lambda match: chr(int(match[1])), _ESCAPED_HEADING.sub("", written))


def _keepable(text: str, causes: set[str]) -> str:
    kept, replaced = _UNKEEPABLE.subn("\ufffd", text)
    if replaced:
        causes.add("character_replaced")
    return kept


def _cause(char: str) -> str:
    if char in LINE_BREAKS:
        return "line_break_escaped"
    return {
        "&": "reference_escaped",
        "S": "header_word_escaped",
        "|": "separator_escaped",
        ",": "separator_escaped",
    }.get(char, "edge_blank_escaped")
