"""A dimension as a table of scores, labels and options in a definition's Markdown file."""

from export_pipelines.core.definitions import Dimension, Level
from export_pipelines.core.markdown_escapes import CELL, OPTION, VALUE
from export_pipelines.core.scores import read_by_others, write_score
from export_pipelines.rendering.markdown_fidelity import Escaper, is_read


def table(dimension: Dimension, where: str, escape: Escaper) -> str:
    """The heading and table of one dimension, rows in stored order.

    Descriptions get a column of their own when there are any; the command-line tools look at three columns only.
    """
    described = any(level.description is not None for level in dimension.levels)
    read = [read_by_others(level.score) for level in dimension.levels if is_read(level.score)]
    if not read:
        escape.note("dimension_dropped", where)
        # What is noted as a whole is not noted in parts as well.
        escape = escape.silent()
    elif read != sorted(read):
        escape.note("levels_reordered", f"{where}.levels")
    lines = [f"## {escape.cell(f'{where}.name', dimension.name, VALUE)}", ""]
    lines += ["| Score | Label | Options |" + " Description |" * described]
    lines += ["|-------|-------|---------|" + "-------------|" * described]
    for index, level in enumerate(dimension.levels):
        lines.append(_row(level, f"{where}.levels[{index}]", escape, described=described))
    return "\n".join([*lines, ""])


def keeps_order(dimension: Dimension) -> bool:
    """Whether sorting the levels by score leaves them where they are."""
    scores = [level.score for level in dimension.levels]
    return scores == sorted(scores)


def _row(level: Level, where: str, escape: Escaper, *, described: bool) -> str:
    escape.score(where, level.score)
    if not is_read(level.score):
        escape = escape.silent()
    label = escape.cell(f"{where}.label", level.label, CELL)
    options = [escape.cell(f"{where}.options[{index}]", text, OPTION) for index, text in enumerate(level.options)]
    # Readers drop empty cells before they count, and rows with fewer than three: a lone comma lists no options.
    cells = [write_score(level.score), label, ", ".join(options) or ","]
    if described:
        cells.append(escape.description(f"{where}.description", level.description))
    return f"| {' | '.join(cells)} |"
