"""Text put where the command-line tools look for markers: whatever they would take for one is escaped.

The judge and the analysis step cut a transcript at ``**Probe:**``, ``**Target:**``, ``#### Turn`` and ``## Scenario:``,
wherever these stand, also in the middle of a line and (the second) in any case. A response that speaks of them would
lose its end. A backslash inside breaks the marker: the tools then read the text whole, and Markdown shows it nearly as
it was, where leaving it alone would feed a judge half an answer.
"""

import re

# The colon alone is matched, not what is around it: in ``**Probe:**Target:**`` two markers share their asterisks.
_SPEAKER = re.compile(r"(?:(?<=\*\*probe)|(?<=\*\*target)):(?=\*\*)", re.IGNORECASE)
_HEADING = re.compile(r"####(?=\s*Turn)|##(?=\s*Scenario:)")
_LINE_END = re.compile("\\s*[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]\\s*")


def escaped(text: str) -> str:
    """The text without anything that the tools take for a marker; most texts come back as they are."""
    # One character is found many times quicker than two or three, and most texts have neither.
    if "*" in text and ":**" in text:
        text = _SPEAKER.sub(r"\\:", text)
    if "#" in text and "##" in text:
        text = _HEADING.sub(lambda found: rf"{found[0][:-1]}\#", text)
    return text


def one_line(text: str) -> str:
    """The text on one line, for a heading: a blank for every line end and the blanks around it."""
    return _LINE_END.sub(" ", text)
