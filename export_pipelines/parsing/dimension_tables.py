"""The tables of scores, labels and options under a definition file's ``# Dimensions``."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from export_pipelines.core.definitions import Dimension, Level
from export_pipelines.core.errors import ImportFileError
from export_pipelines.core.markdown_escapes import BLANKS, unescape_cell
from export_pipelines.core.scores import read_score
from export_pipelines.parsing.markdown_sections import Section

_HEADING = re.compile(r"##(?!#)(.*)", re.DOTALL)
_RULE = re.compile(r"[-:|\s]+")
_NARROW, _WIDE = 3, 4


@dataclass(kw_only=True)
class _Table:
    """A dimension while its lines are read; ``columns`` is 0 before the header."""

    name: str
    line: int
    columns: int = 0
    levels: list[Level] = field(default_factory=list)

    def read(self, row: str, number: int) -> None:
        cells = _cells(row)
        if cells[0].lower() == "score":
            self._header(cells, number)
        elif not self.columns:
            raise ImportFileError("a table begins with the row | Score | Label | Options |.", line=number)
        elif not _RULE.fullmatch(row):
            self.levels.append(_level(cells, self.columns, number))

    def _header(self, cells: Sequence[str], number: int) -> None:
        titles = [cell.lower() for cell in cells]
        if self.columns:
            raise ImportFileError(
                f"dimension '{self.name[:60]}' has a second table; give it a ## heading.", line=number
            )
        if titles not in (["score", "label", "options"], ["score", "label", "options", "description"]):
            raise ImportFileError("the columns have to be Score, Label, Options.", line=number)
        self.columns = len(cells)

    def finished(self, *, keep_order: bool) -> Dimension:
        if not self.columns:
            raise ImportFileError(f"dimension '{self.name[:60]}' has no table of scores.", line=self.line)
        levels = self.levels if keep_order else sorted(self.levels, key=lambda level: level.score)
        return Dimension(name=self.name, levels=tuple(levels))


def read(section: Section, *, verbatim: frozenset[str]) -> tuple[Dimension, ...]:
    """The dimensions in the order of the file; rows are sorted by score.

    Args:
        section: the lines under ``# Dimensions``.
        verbatim: holds ``dimensions[0].levels`` when the first table's rows are to stay as they stand.

    Raises:
        ImportFileError: a broken row, header or heading, with its line.
    """
    return tuple(
        table.finished(keep_order=f"dimensions[{index}].levels" in verbatim)
        for index, table in enumerate(_tables(section))
    )


def _tables(section: Section) -> Iterator[_Table]:
    table: _Table | None = None
    for number, line in enumerate(section.lines, start=section.line + 1):
        heading = _HEADING.fullmatch(line)
        if heading:
            if table:
                yield table
            table = _Table(name=_name(heading[1], number), line=number)
        elif "|" in line:
            if table is None:
                raise ImportFileError("a table needs a heading above it, like ## Freedom.", line=number)
            table.read(line.strip(BLANKS), number)
    if table:
        yield table


def _name(rest: str, number: int) -> str:
    name = rest.strip(BLANKS)
    if not name:
        raise ImportFileError("a dimension has no name; write it behind the ##.", line=number)
    if rest[0] not in BLANKS:
        raise ImportFileError("a heading needs a blank behind the ##.", line=number)
    return unescape_cell(name)


def _cells(row: str) -> list[str]:
    inner = row.removeprefix("|").removesuffix("|")
    return [cell.strip(BLANKS) for cell in inner.split("|")]


def _level(cells: Sequence[str], columns: int, number: int) -> Level:
    if not _NARROW <= len(cells) <= columns:
        raise ImportFileError(
            f"the row has {len(cells)} cells in place of {columns}; inside a cell, write a | as &#124;.", line=number
        )
    score = read_score(cells[0])
    if score is None:
        raise ImportFileError(f"the score '{cells[0][:60]}' is not a whole number.", line=number)
    if not cells[1]:
        raise ImportFileError("the row has no label.", line=number)
    options = (option.strip(BLANKS) for option in cells[2].split(","))
    described = len(cells) == _WIDE and cells[3]
    return Level(
        score=score,
        label=unescape_cell(cells[1]),
        options=tuple(unescape_cell(option) for option in options if option),
        description=unescape_cell(cells[3]) if described else None,
    )
