"""The command-line tools' readers of a run directory, written anew from the rules they are known by."""

import re
from dataclasses import dataclass

import yaml

FRONT = re.compile(r"\A---\s*\n(.*?)\n---\s*", re.DOTALL)
SCENARIO = re.compile(r"^##\s*Scenario:\s+(scenario_\d+)\s+—\s+(.+)$", re.MULTILINE)
TURN = re.compile(r"^####\s*Turn\s+(\d+)", re.MULTILINE)
TARGET = re.compile(r"\*\*Target:\*\*(.*?)(?=\*\*Probe:\*\*|####\s*Turn|\Z)", re.DOTALL)
SAID = re.compile(r"\*\*target:\*\*(.*)", re.IGNORECASE)


@dataclass
class Judged:
    """What the judge sees of one scenario: its id, its subject, and ``(number, response)`` of each turn."""

    id: str
    subject: str
    turns: list[tuple[int, str]]


def transcripts(directory):
    """Scenario part, model part and path of each transcript, as the analysis step lists them."""
    found = []
    for path in sorted(directory.glob("transcript.*.md")):
        parts = path.stem.split(".")
        if parts[0] == "transcript" and len(parts) >= 3:
            found.append((parts[1], parts[2], path))
    return found


def frontmatter(text):
    found = FRONT.match(text)
    return yaml.safe_load(found[1]), text[found.end() :]


def judge(path):
    """Frontmatter and scenarios of an aggregated file."""
    front, body = frontmatter(path.read_text(encoding="utf-8"))
    headings = list(SCENARIO.finditer(body))
    ends = [*(heading.start() for heading in headings), len(body)][1:]
    return front, [
        Judged(heading[1], heading[2].strip(), _turns(body[heading.end() : end]))
        for heading, end in zip(headings, ends, strict=True)
    ]


def decision_line(path):
    """What the analysis step takes the decision from; None when nobody answered."""
    for line in path.read_text(encoding="utf-8").splitlines():
        found = SAID.search(line)
        if found:
            return found[1].strip()
    return None


def _turns(block):
    headings = list(TURN.finditer(block))
    ends = [*(heading.start() for heading in headings), len(block)][1:]
    return [
        (int(heading[1]), "\n\n".join(said[1].strip() for said in TARGET.finditer(block[heading.end() : end])))
        for heading, end in zip(headings, ends, strict=True)
    ]
