"""Escaping the values of a definition's Markdown file while noting what the command-line tools read otherwise."""

from export_pipelines.core.fidelity import FidelityReport
from export_pipelines.core.markdown_escapes import BLANKS, CellKind, Escaped, escape_text
from export_pipelines.core.markdown_escapes import CELL as _DESCRIPTION
from export_pipelines.core.scores import read_by_others

DETAILS = {
    "blanks_trimmed": "The text begins or ends with blanks or blank lines, which the command-line tools trim.",
    "character_replaced": "A NUL or a lone surrogate cannot stand in the file and became U+FFFD.",
    "description_unread": "The command-line tools have no descriptions; it stands in a fourth column they ignore.",
    "dimension_dropped": "No level has a score of 1 or more, and the command-line tools drop a dimension without rows.",
    "edge_blank_escaped": "A blank at either end would be trimmed; it is written as a character reference.",
    "empty_value": "An empty value would be dropped; the file says &empty; instead.",
    "header_word_escaped": "A row with the word Score is taken for a header; its S is written as &#83;.",
    "heading_escaped": "A line that begins with # and a blank would start a section; it has a backslash in front.",
    "level_dropped": "The command-line tools drop rows with a score below 1.",
    "levels_reordered": "The levels are not stored in order of score, and the command-line tools sort them.",
    "line_break_escaped": "The value has to be on one line; line breaks are written as character references.",
    "reference_escaped": "The text looks like one of the file's own escapes; its & is written as &#38;.",
    "score_changed": "The command-line tools read whole numbers only, and exact ones only up to 2^53.",
    "separator_escaped": "A | ends a cell and a comma ends an option; both are written as character references.",
}


class Escaper:
    """Writes values in their escaped form and notes each that the tools would not read back exactly."""

    def __init__(self, report: FidelityReport) -> None:
        self._report = report

    def silent(self) -> "Escaper":
        """The same for values inside something that is noted as a whole."""
        return Escaper(FidelityReport())

    def note(self, kind: str, where: str) -> None:
        """Note a difference of one of the kinds in :data:`DETAILS`."""
        self._report.note(kind, where, DETAILS[kind])

    def cell(self, where: str, text: str, kind: CellKind) -> str:
        """A single-line value."""
        return self._noted(where, kind.escape(text))

    def text(self, where: str, text: str) -> str:
        """The text of a section."""
        escaped = escape_text(text)
        if escaped.text != escaped.text.strip(BLANKS):
            self.note("blanks_trimmed", where)
        return self._noted(where, escaped)

    def description(self, where: str, text: str | None) -> str:
        """A level's description, which the tools do not read at all."""
        if text is None:
            return ""
        self.note("description_unread", where)
        return _DESCRIPTION.escape(text).text

    def score(self, where: str, score: float) -> None:
        """Note what the tools make of a score."""
        if not is_read(score):
            self.note("level_dropped", where)
        elif read_by_others(score) != score:
            self.note("score_changed", f"{where}.score")

    def _noted(self, where: str, escaped: Escaped) -> str:
        for cause in escaped.causes:
            self.note(cause, where)
        return escaped.text


def is_read(score: float) -> bool:
    """Whether the tools keep a row with this score."""
    return read_by_others(score) >= 1
