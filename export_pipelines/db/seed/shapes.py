"""The three shapes in which a dialogue has been stored over time."""

from typing import Any

from export_pipelines.core.transcripts import Turn


def stored(turns: tuple[Turn, ...], *, shape: str) -> dict[str, Any]:
    """The dialogue as a transcript's content.

    Args:
        turns: the dialogue.
        shape: ``turns``, ``messages`` (version 1) or ``legacy`` (the same without a version).
    """
    if shape == "turns":
        return {"turns": [_turn(turn) for turn in turns]}
    if shape == "messages":
        return {"schema_version": 1, "messages": _messages(turns), "model_response": turns[-1].target}
    # The oldest rows keep the last answer only beside the messages.
    return {"messages": _messages(turns)[:-1], "raw_output": turns[-1].target}


def _turn(turn: Turn) -> dict[str, Any]:
    return {
        "turnNumber": turn.number,
        "promptLabel": turn.label,
        "probePrompt": turn.probe,
        "targetResponse": turn.target,
    }


def _messages(turns: tuple[Turn, ...]) -> list[dict[str, str]]:
    messages = []
    for turn in turns:
        messages.append({"role": "user", "content": turn.probe})
        messages.append({"role": "assistant", "content": turn.target})
    return messages
