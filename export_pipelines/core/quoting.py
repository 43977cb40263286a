"""How messages quote what somebody gave: on one line, and cut where it would bury the rest of the message."""

LONGEST = 100


def quoted(value: object) -> str:
    """The value as Python writes it, at most about so many characters of it."""
    return cut(repr(value))


def cut(text: str) -> str:
    """The text, or its beginning and how long it is."""
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}... ({len(text)} characters)"
