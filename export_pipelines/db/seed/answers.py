"""What a model answers to a story, turn by turn, and how its decision is read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from export_pipelines.core.transcripts import Turn, label_of
from export_pipelines.db.seed.draw import between, pick
from export_pipelines.db.seed.stories import Story


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A whole dialogue and the decision in it; code and text are None where nobody has read it yet."""

    turns: tuple[Turn, ...]
    code: str | None
    text: str | None


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One question: which story, which model (its voice and its place in the run), which sample, how many turns."""

    story: Story
    voice: Mapping[str, Any]
    model_index: int
    sample: int
    turns: int
    key: str
    refused: bool = False
    undecided: bool = False


def answer(asked: Asked, *, preamble: str, family: Mapping[str, Any], voices: Mapping[str, Any]) -> Answer:
    """The dialogue for what was asked, the same on every machine."""
    code, first = _first_answer(asked, family, voices)
    turns = [
        Turn(number=1, label=label_of(1), probe=f"{preamble}\n\n{asked.story.prompt}", target=first),
        *_follow_ups(asked, code, voices["follow_ups"]),
    ]
    if asked.undecided:
        return Answer(turns=tuple(turns), code=None, text=None)
    if asked.refused:
        return Answer(turns=tuple(turns), code="other", text="declines to choose")
    return Answer(turns=tuple(turns), code=str(code), text=voices["labels"][code])


def _first_answer(asked: Asked, family: Mapping[str, Any], voices: Mapping[str, Any]) -> tuple[int, str]:
    if asked.refused:
        return 3, pick(voices["refusals"], asked.key)
    if asked.story.answers:
        written = asked.story.answers[asked.model_index]
        return written["code"], written["text"]
    code = _decide(asked, family["weights"], family["definitions"][0]["content"]["dimensions"])
    head = pick(asked.voice["heads"], "head", asked.key).format(code=code, label=voices["labels"][code])
    reason = _fill(pick(family["reasons"][code], "reason", asked.key), asked.story.phrases)
    closing = pick(asked.voice["closings"], "closing", asked.key)
    return code, "\n\n".join(filter(None, (head, reason, closing)))


def _decide(asked: Asked, weights: Mapping[str, float], dimensions: Sequence[Mapping[str, Any]]) -> int:
    """A digit from 1 to 5: the story's scores weighed round their middle, the model's leaning, a little chance."""
    steps = {item["name"]: len(item.get("levels") or item.get("values") or ()) for item in dimensions}
    pull: float = sum(weights[name] * (place - (steps[name] - 1) / 2) for name, place in asked.story.place.items())
    wanted = 3 + pull + float(asked.voice["leaning"]) + between(-0.9, 0.9, "mood", asked.key)
    return max(1, min(5, round(wanted)))


def _follow_ups(asked: Asked, code: int, follow_ups: Sequence[Mapping[str, Any]]) -> list[Turn]:
    return [
        Turn(
            number=number,
            label=label_of(number),
            probe=follow_up["probe"],
            target=pick(follow_up["answers"], "follow-up", number, asked.key).format(code=code),
        )
        for number, follow_up in enumerate(follow_ups[: asked.turns - 1], start=2)
    ]


def _fill(reason: str, phrases: Mapping[str, str]) -> str:
    """The reason with the story's phrases in place, a capital where a phrase begins a sentence."""
    for name, phrase in phrases.items():
        mark = "{" + name + "}"
        for before in (". ", "? "):
            reason = reason.replace(before + mark, before + phrase[0].upper() + phrase[1:])
        if reason.startswith(mark):
            reason = phrase[0].upper() + phrase[1:] + reason[len(mark) :]
        reason = reason.replace(mark, phrase)
    return reason
