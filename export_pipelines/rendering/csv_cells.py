"""Cells and lines of CSV, on bytes: quoted as RFC 4180 says, and made safe for spreadsheets where asked for."""

from collections.abc import Iterable

from export_pipelines.core.fidelity import FidelityNote, FidelityReport

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
END_OF_LINE = b"\r\n"
EXCEL_LIMIT = 32_767
"""UTF-16 units in one cell of Excel (Microsoft, "Excel specifications and limits"); it cuts what is longer."""

# What makes a spreadsheet run a cell as a formula (OWASP, "CSV Injection"), also in the full-width and small forms that
# East Asian versions take for the same signs.
_FORMULA_SIGNS = "=+-@\t\r＝＋－＠﹦﹢﹣﹫"
FORMULA_STARTS = tuple(sign.encode() for sign in _FORMULA_SIGNS)
_FIRST_BYTES = frozenset(sign[:1] for sign in FORMULA_STARTS)

FORMULA_KIND = "formula_neutralised"
_FORMULA_DETAIL = "a spreadsheet would run the cell as a formula, so an apostrophe stands before it"
_LIMIT_KIND = "cell_over_excel_limit"
_LIMIT_DETAIL = f"the text is whole in the file, but Excel shows only the first {EXCEL_LIMIT} characters of a cell"


def quoted(text: bytes) -> bytes:
    """The text as a cell: in quotes when it holds one, a comma, or either half of a line end."""
    if b'"' in text:
        return b'"' + text.replace(b'"', b'""') + b'"'
    if b"," in text or b"\n" in text or b"\r" in text:
        return b'"' + text + b'"'
    return text


def exact(text: bytes | None) -> bytes:
    """The cell of a value for programs; an empty text is ``""``, so that it differs from NULL, which is nothing."""
    return b"" if text is None else quoted(text) or b'""'


def header(names: Iterable[bytes]) -> bytes:
    """The line of column names."""
    return b",".join(map(quoted, names)) + END_OF_LINE


def safe_name(name: str) -> bytes:
    """A column's name that no spreadsheet runs as a formula."""
    text = name.encode()
    return b"'" + text if text.startswith(FORMULA_STARTS) else text


def notes_on_names(names: Iterable[str]) -> tuple[FidelityNote, ...]:
    """What :func:`safe_name` changes of these names."""
    return tuple(
        FidelityNote(kind=FORMULA_KIND, where=f"header {name}", detail=_FORMULA_DETAIL)
        for name in names
        if safe_name(name) != name.encode()
    )


def safe_cell(text: bytes) -> bytes:
    """The cell of a text that needs no report; nothing when it needs one, or is empty."""
    return b"" if text.startswith(FORMULA_STARTS) or len(text) > EXCEL_LIMIT else quoted(text)


class SafeCells:
    """Cells for spreadsheets: never a formula; what a spreadsheet will show differently is reported."""

    def __init__(self, report: FidelityReport) -> None:
        self._report = report

    def cell(self, text: bytes, column: str, id_: bytes) -> bytes:
        """The cell of a text in the named column of the transcript ``id_``."""
        if text.isalnum() and len(text) <= EXCEL_LIMIT:
            return text
        if text[:1] in _FIRST_BYTES and text.startswith(FORMULA_STARTS):
            self._report.note(FORMULA_KIND, f"column {column}", _FORMULA_DETAIL, example=id_.decode())
            text = b"'" + text
        # A UTF-16 unit takes at least one byte in UTF-8, so that most cells need no counting.
        if len(text) > EXCEL_LIMIT and len(text.decode().encode("utf-16-le")) // 2 > EXCEL_LIMIT:
            self._report.note(_LIMIT_KIND, f"column {column}", _LIMIT_DETAIL, example=id_.decode())
        return quoted(text)
