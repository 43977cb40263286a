"""The table: on the terminal, in ``results.json``, and between two marks in ``RESULTS.md``, whose rest people write."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from benchmarks.figure import Figure
from benchmarks.options import Options

FOLDER = Path(__file__).parent
RESULTS_JSON = FOLDER / "results.json"
RESULTS_MD = FOLDER / "RESULTS.md"
BEGIN, END = "<!-- written by make bench: begin -->", "<!-- written by make bench: end -->"


def lines(figures: Iterable[Figure]) -> Iterator[str]:
    """The table for a terminal."""
    rows = [("FIGURE", "", "MUST", "AIM", "", "OF WHAT"), *map(_row, figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(6)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
    yield ""
    yield from (f"{figure.name}: {figure.detail}" for figure in figures if figure.detail)


def write_json(figures: Iterable[Figure], path: Path = RESULTS_JSON) -> None:
    """Only figures that must be something; what could not be measured has no ratio and is not right."""
    said = {
        figure.name: {
            "seconds" if figure.unit == " s" else "ratio": None if figure.value is None else round(figure.value, 4),
            "must": figure.must,
            "aim": figure.aim,
            "ok": figure.ok,
        }
        for figure in figures
        if figure.must is not None or figure.value is None
    }
    path.write_text(json.dumps(said, indent=2) + "\n")


def write_markdown(
    figures: Sequence[Figure],
    options: Options,
    machine: Mapping[str, str],
    *,
    at: datetime,
    seconds: float,
    path: Path = RESULTS_MD,
) -> None:
    """Put the table between its marks; what stands around them is kept.

    Raises:
        ValueError: the marks are gone.
    """
    before, begin, rest = path.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{path.name} has lost the marks that the table stands between; restore it from git")
    table = "\n".join(_markdown(figures, options, machine, at=at, seconds=seconds))
    path.write_text(f"{before}{BEGIN}\n\n{table}\n\n{END}{after}", encoding="utf-8")


def _markdown(
    figures: Sequence[Figure], options: Options, machine: Mapping[str, str], *, at: datetime, seconds: float
) -> Iterator[str]:
    sizes = ", ".join(map(str, options.sizes))
    yield f"Measured on {at:%Y-%m-%d}, in {seconds / 60:.0f} minutes, medians of {options.rounds} interleaved rounds,"
    yield f"{options.rows} transcripts where nothing else is said; sizes {sizes}."
    yield ""
    yield from (f"* {name}: {value}" for name, value in machine.items())
    yield ""
    yield "| figure | of what | measured | must | aim | |"
    yield "|---|---|---|---|---|---|"
    for figure in figures:
        name, value, must, aim, verdict, title = _row(figure)
        yield f"| `{name}` | {title} | **{value}** | {must} | {aim} | {verdict} |"
    yield ""
    yield "What the figures were made of:"
    yield ""
    yield from (f"* `{figure.name}`: {figure.detail}" for figure in figures if figure.detail)


def _row(figure: Figure) -> tuple[str, str, str, str, str, str]:
    value = "failed" if figure.value is None else f"{_number(figure.value)}{figure.unit}"
    return (
        figure.name,
        value,
        _limit(figure, figure.must),
        _limit(figure, figure.aim),
        _verdict(figure),
        figure.title,
    )


def _verdict(figure: Figure) -> str:
    if not figure.ok:
        return "MISSED"
    if figure.must is None:
        return "shown only"
    return "aim reached" if figure.reaches_aim else "ok"


def _limit(figure: Figure, limit: float | None) -> str:
    return "" if limit is None else f"{'≥' if figure.at_least else '≤'} {limit:g}{figure.unit}"


def _number(value: float) -> str:
    if value >= 100:
        return f"{value:.0f}"
    return f"{value:.2f}" if value >= 0.01 or value == 0 else f"{value:.1e}"
