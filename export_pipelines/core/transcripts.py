"""Transcripts: the three shapes their content has been stored in, read into turns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from export_pipelines.core.errors import ContentError

FIRST_LABEL = "scenario_prompt"
KNOWN_VERSIONS = (0, 1)


@dataclass(frozen=True, kw_only=True)
class Turn:
    """One exchange: what the probe asked, what the target model answered, both as stored (not stripped)."""

    number: int
    label: str
    probe: str
    target: str


def content_version(content: Mapping[str, Any], *, where: str) -> int:
    """The content's version, 0 when it states none.

    Raises:
        ContentError: the version is not one we know; ``where`` names the row.
    """
    version = content.get("schema_version", 0)
    if isinstance(version, bool) or version not in KNOWN_VERSIONS:
        raise ContentError(f"{where} has content of schema_version {version!r}; known are 0 and 1. Correct the row.")
    return int(version)


def read_turns(content: Mapping[str, Any], *, where: str) -> tuple[Turn, ...]:
    """The dialogue in any stored shape; ``{}`` gives no turns.

    Shapes: ``{"turns": [...]}``; ``{"schema_version": 1, "messages": [...], "model_response"?, "raw_output"?}``; and
    the latter without ``schema_version`` (version 0).

    Args:
        content: the stored JSON.
        where: names the row in errors, like ``transcript c123``.

    Raises:
        ContentError: unknown version or wrong shape.
    """
    content_version(content, where=where)
    if "turns" in content:
        return tuple(
            _read_turn(turn, number, where) for number, turn in enumerate(_list(content["turns"], where), start=1)
        )
    answer = content.get("model_response") or content.get("raw_output") or ""
    exchanges = _exchanges(_list(content.get("messages") or [], where), where)
    if answer and isinstance(answer, str):
        _add_answer(exchanges, answer)
    return tuple(
        Turn(number=number, label=label_of(number), probe=probe, target=target)
        for number, (probe, target) in enumerate(exchanges, start=1)
    )


def label_of(number: int) -> str:
    """The label of a turn that carries none of its own."""
    return FIRST_LABEL if number == 1 else f"follow_up_{number - 1}"


def _read_turn(turn: object, number: int, where: str) -> Turn:
    if not isinstance(turn, Mapping):
        raise ContentError(f"{where}, turns[{number - 1}] is not an object; correct the row.")
    stated = turn.get("turnNumber")
    return Turn(
        number=stated if isinstance(stated, int) and not isinstance(stated, bool) else number,
        label=_text(turn.get("promptLabel") or label_of(number), where),
        probe=_text(turn.get("probePrompt") or "", where),
        target=_text(turn.get("targetResponse") or "", where),
    )


def _exchanges(messages: Sequence[object], where: str) -> list[tuple[str, str]]:
    """Pair what comes before an answer (system and user messages, joined by a blank line) with the answer."""
    exchanges: list[tuple[str, str]] = []
    asked: list[str] = []
    for index, message in enumerate(messages):
        if not isinstance(message, Mapping):
            raise ContentError(f"{where}, messages[{index}] is not an object; correct the row.")
        text = _text(message.get("content") or "", where)
        if message.get("role") == "assistant":
            exchanges.append(("\n\n".join(asked), text))
            asked = []
        else:
            asked.append(text)
    if asked:
        exchanges.append(("\n\n".join(asked), ""))
    return exchanges


def _add_answer(exchanges: list[tuple[str, str]], answer: str) -> None:
    """Older rows keep the last answer beside the messages instead of among them."""
    if not exchanges:
        exchanges.append(("", answer))
    elif not exchanges[-1][1]:
        exchanges[-1] = (exchanges[-1][0], answer)


def _list(value: object, where: str) -> Sequence[object]:
    if not isinstance(value, list):
        raise ContentError(f"{where} has {type(value).__name__} where a list of turns or messages belongs; correct it.")
    return value


def _text(value: object, where: str) -> str:
    if not isinstance(value, str):
        raise ContentError(f"{where} has {type(value).__name__} where text belongs; correct the row.")
    return value
