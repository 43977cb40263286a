"""The frontmatter and the level-1 sections of a definition's Markdown file, still as lines."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from export_pipelines.core.errors import ImportFileError
from export_pipelines.core.markdown_escapes import BLANKS, unescape_text

TITLES = ("preamble", "template", "dimensions", "matching rules")
REQUIRED = TITLES[:3]
_FRONT_LINE = re.compile(r"(\w+):(.*)")
_HEADING = re.compile(r"#\s+(\S.*)")


@dataclass(frozen=True, kw_only=True)
class FrontValue:
    """What one line of frontmatter says; blanks around it are gone."""

    text: str
    line: int


@dataclass(frozen=True, kw_only=True)
class Section:
    """The lines between one section's heading and the next.

    Attributes:
        line: 1-based line of the heading.
        lines: what follows it.
    """

    line: int
    lines: Sequence[str]

    def text(self, *, verbatim: bool) -> str:
        """Its text: trimmed at both ends, or exactly, without the one blank line on either side."""
        if not verbatim:
            return unescape_text("\n".join(self.lines).strip(BLANKS))
        start = 1 if self.lines and not self.lines[0] else 0
        end = len(self.lines) - 1 if len(self.lines) > start and not self.lines[-1] else len(self.lines)
        return unescape_text("\n".join(self.lines[start:end]))


def split(text: str) -> tuple[Mapping[str, FrontValue], Mapping[str, Section]]:
    """The frontmatter by key, and the sections by lower-case title.

    Raises:
        ImportFileError: no or unfinished frontmatter; a key or section that is given twice, unknown or missing.
    """
    lines = text.split("\n")
    if lines[0].endswith("\r"):
        # A file that Windows wrote; our own keep a carriage return only where the text has one.
        lines = [line.removesuffix("\r") for line in lines]
    front, first = _frontmatter(lines)
    return front, _sections(lines, first)


def _frontmatter(lines: Sequence[str]) -> tuple[dict[str, FrontValue], int]:
    if lines[0].strip() != "---":
        raise ImportFileError("the file has to begin with frontmatter between two lines of ---.", line=1)
    found: dict[str, FrontValue] = {}
    for number, line in enumerate(lines[1:], start=2):
        if line.strip() == "---":
            return found, number
        match = _FRONT_LINE.fullmatch(line)
        if match is None:
            # Readers pass over what is no "word: value"; so do we.
            continue
        if match[1] in found:
            raise ImportFileError(f"{match[1]} stands in the frontmatter twice; keep one.", line=number)
        found[match[1]] = FrontValue(text=match[2].strip(BLANKS), line=number)
    raise ImportFileError("the frontmatter has no closing line of ---.", line=len(lines))


def _sections(lines: Sequence[str], first: int) -> dict[str, Section]:
    headings = [
        (index, match[1].strip(BLANKS).lower())
        for index, line in enumerate(lines[first:], start=first)
        if (match := _HEADING.fullmatch(line))
    ]
    for index in range(first, headings[0][0] if headings else len(lines)):
        if lines[index].strip():
            raise ImportFileError("text stands before the first section; move it into one.", line=index + 1)
    _check_titles(headings, len(lines))
    ends = [index for index, _ in headings[1:]] + [len(lines)]
    return {
        title: Section(line=index + 1, lines=lines[index + 1 : end])
        for (index, title), end in zip(headings, ends, strict=True)
    }


def _check_titles(headings: Sequence[tuple[int, str]], last: int) -> None:
    seen: set[str] = set()
    for index, title in headings:
        if title not in TITLES:
            raise ImportFileError(
                f"there is no section '{title[:60]}'; text that begins with # needs a backslash in front: \\#.",
                line=index + 1,
            )
        if title in seen:
            raise ImportFileError(f"the section '{title}' is there twice; keep one.", line=index + 1)
        seen.add(title)
    for title in REQUIRED:
        if title not in seen:
            raise ImportFileError(f"the section '# {title.title()}' is missing; add it.", line=last)
