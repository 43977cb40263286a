"""Errors' messages as sentences, without what only the command line could do about them."""

_HINT = " See: export-pipelines"
_MOST_CHARACTERS = 1000
"""Of a reason that quotes what came, which may be long."""


def sentence(error: Exception, *, instead: str = "") -> str:
    """The message; where the hint of a command goes, ``instead`` comes."""
    text, hint, _ = str(error)[:_MOST_CHARACTERS].partition(_HINT)
    # An address is written as it is, also in the beginning.
    first = text if "@" in text.partition(" ")[0] else text[:1].upper() + text[1:]
    return first + (instead if hint else "")
