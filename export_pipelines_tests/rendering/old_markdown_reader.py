"""The command-line tools' reader of definitions, written anew from its rules; shares no code with the product.

It follows ECMAScript where that differs from Python: what ``trim`` removes, that ``.`` stops at line separators, how
``parseInt`` and double-precision numbers behave. Dropped rows and dimensions stay in place as None, so that a test can
tell which value of the original a reading belongs to; :func:`read` is what the tools themselves would see.
"""

import re
from dataclasses import dataclass

TRIMMED = (
    "\t\n\v\f\r \xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000\ufeff"
)
ANY = r"[^\n\r\u2028\u2029]"
BLANK = f"[{TRIMMED}]"
FRONT = re.compile(rf"([A-Za-z0-9_]+):{BLANK}*({ANY}+)")
SECTION = re.compile(rf"#{BLANK}+({ANY}+)")
DIMENSION = re.compile(rf"(?:\A|(?<=[\n\r\u2028\u2029]))##{BLANK}+")


@dataclass
class Row:
    score: float
    label: str
    options: list[str]


@dataclass
class Reading:
    front: dict[str, str]
    texts: dict[str, str]
    dimensions: list[tuple[str, list[Row | None]]]

    def kept_dimensions(self):
        """As the tools have them: rows sorted by score, dimensions without rows gone."""
        for name, rows in self.dimensions:
            kept = [row for row in rows if row]
            if kept and name:
                yield name, sorted(kept, key=lambda row: row.score)


def read(data: bytes) -> Reading:
    lines = data.decode("utf-8").split("\n")
    assert trim(lines[0]) == "---"
    end = next(i for i, line in enumerate(lines) if i and trim(line) == "---")
    front = {match[1]: trim(match[2]) for line in lines[1:end] if (match := FRONT.fullmatch(line))}
    sections: dict[str, list[str]] = {}
    current: list[str] | None = None
    for line in lines[end + 1 :]:
        if match := SECTION.fullmatch(line):
            current = sections[match[1].lower()] = []
        elif current is not None:
            current.append(line)
    texts = {title: trim("\n".join(body)) for title, body in sections.items()}
    chunks = [chunk for chunk in DIMENSION.split("\n".join(sections.get("dimensions", []))) if trim(chunk)]
    return Reading(
        front={
            "name": front.get("name") or "unnamed",
            "base_id": front.get("base_id") or "scenario_001",
            "category": front.get("category") or "",
        },
        texts=texts,
        dimensions=[read_dimension(chunk) for chunk in chunks],
    )


def read_dimension(chunk: str) -> tuple[str, list[Row | None]]:
    name, *lines = chunk.split("\n")
    rows: list[Row | None] = []
    in_table = False
    for line in lines:
        if "|" in line and "Score" in line:
            # A second line with the word is a row that the tools lose.
            if in_table:
                rows.append(None)
            in_table = True
        elif re.fullmatch(rf"\|[-|{TRIMMED}]+\|", line):
            continue
        elif in_table and "|" in line:
            rows.append(read_row(line))
    return trim(name), rows


def read_row(line: str) -> Row | None:
    cells = [cell for cell in map(trim, line.split("|")) if cell]
    if len(cells) < 3:
        return None
    score = parse_int(cells[0])
    options = [option for option in map(trim, cells[2].split(",")) if option]
    return Row(score, cells[1], options) if score > 0 else None


def parse_int(text: str) -> float:
    match = re.match(r"[+-]?[0-9]+", text)
    try:
        return float(int(match[0])) if match else 0
    except OverflowError:
        return float("inf")


def trim(text: str) -> str:
    return text.strip(TRIMMED)
