"""The seeded runs and their transcripts: every story of a run put to every model, as often as the run samples."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from export_pipelines.core.definitions import DefinitionContent, to_json
from export_pipelines.db.seed.answers import Answer, Asked, answer
from export_pipelines.db.seed.draw import between, fixed_id, fixed_timed_id
from export_pipelines.db.seed.shapes import stored
from export_pipelines.db.seed.stories import Story

# How long content was kept where it has expired since; all other content is kept for good.
CONTENT_KEPT = timedelta(days=14)


@dataclass(frozen=True, kw_only=True)
class Setting:
    """A run about to be told: its entry in the data, what it asks, and the voices that answer.

    Attributes:
        experiment: key of the experiment it belongs to, if any.
    """

    entry: Mapping[str, Any]
    stories: Sequence[Story]
    definition: DefinitionContent
    family: Mapping[str, Any]
    voices: Mapping[str, Any]
    experiment: str | None

    @property
    def key(self) -> str:
        """The run's key."""
        return str(self.entry["key"])

    @property
    def id(self) -> str:
        """The run's id."""
        return fixed_id("run", self.key)


def run_row(setting: Setting, *, answered: int) -> dict[str, Any]:
    """The run's row, as it is after so many answers."""
    entry = setting.entry
    asked = len(list(_questions(setting)))
    # The dry run, in which nobody answered, had nothing left to ask.
    total = answered if entry["status"] == "COMPLETED" else asked
    failed = total - answered if entry["status"] == "FAILED" else 0
    return {
        "id": setting.id,
        "definition_id": fixed_id("definition", entry["definition"]),
        "experiment_id": setting.experiment and fixed_id("experiment", setting.experiment),
        "name": entry["name"],
        "status": entry["status"],
        "config": _config(setting),
        "progress": {"total": total, "completed": answered, "failed": failed},
        "created_at": entry["created_at"],
        "started_at": entry.get("started_at"),
        "completed_at": entry.get("completed_at"),
        "updated_at": entry.get("deleted_at") or entry.get("completed_at") or entry["created_at"],
        "deleted_at": entry.get("deleted_at"),
    }


def transcript_rows(setting: Setting) -> Iterator[dict[str, Any]]:
    """The run's transcripts in the order in which they were made."""
    questions = list(_questions(setting))[: setting.entry.get("stopped_after")]
    step = _span(setting.entry) / max(len(questions), 1)
    for number, asked in enumerate(questions):
        given = answer(asked, preamble=setting.definition.preamble, family=setting.family, voices=setting.voices)
        made = setting.entry["started_at"] + step * (number + between(0.2, 0.8, "moment", asked.key))
        yield _row(setting, number, asked, given, made.replace(microsecond=made.microsecond // 1000 * 1000))


def _row(setting: Setting, number: int, asked: Asked, given: Answer, made: datetime) -> dict[str, Any]:
    odd = setting.entry["odd"]
    shape = setting.entry["shapes"][number % len(setting.entry["shapes"])]
    expired, empty = number in odd.get("expired", ()), number in odd.get("empty", ())
    content: Mapping[str, Any] | None = {} if empty else stored(given.turns, shape=shape)
    return {
        "id": fixed_timed_id("transcript", asked.key, made),
        "run_id": setting.id,
        "scenario_id": asked.story.id,
        "target_model": asked.voice["id"],
        "model_version": asked.voice["version"],
        "definition_snapshot": to_json(setting.definition),
        "content": None if expired else content,
        "content_expires_at": made + CONTENT_KEPT if expired else None,
        "decision_code": None if empty else given.code,
        "decision_text": None if empty else given.text,
        "created_at": made,
        "deleted_at": setting.entry["completed_at"] if number in odd.get("deleted", ()) else None,
        **_measures(asked, () if empty else given.turns),
    }


def _measures(asked: Asked, turns: Sequence[Any]) -> dict[str, Any]:
    tokens = sum(len(turn.target.encode()) // 4 + 1 for turn in turns)
    wait = between(300, 900, "wait", asked.key)
    return {
        "turn_count": len(turns),
        "token_count": tokens,
        "duration_ms": round(wait + tokens * asked.voice["milliseconds_per_token"]),
        "estimated_cost": round(tokens * asked.voice["dollars_per_thousand_tokens"] / 1000, 6),
    }


def _questions(setting: Setting) -> Iterator[Asked]:
    """Scenario by scenario, model by model, sample by sample; stories written by hand are asked once."""
    entry, odd = setting.entry, setting.entry["odd"]
    voices = {voice["id"]: voice for voice in setting.voices["models"]}
    number = 0
    for story in setting.stories:
        for index, model in enumerate(entry["models"]):
            for sample in range(1 if story.answers else entry["samples"]):
                yield Asked(
                    story=story,
                    voice=voices[model],
                    model_index=index,
                    sample=sample,
                    turns=entry["turns"][number % len(entry["turns"])],
                    key=f"{setting.key}/{story.name}/{model}/{sample}",
                    refused=number in odd.get("refused", ()),
                    undecided=number in odd.get("undecided", ()),
                )
                number += 1


def _config(setting: Setting) -> dict[str, Any]:
    entry = setting.entry
    return {
        "models": entry["models"],
        "scenario_ids": [story.id for story in setting.stories],
        "samples_per_scenario": entry["samples"],
        "temperature": entry["temperature"],
        "max_tokens": 1024,
        "seed": entry["seed"],
        "probe_model": "scripted-probe-v2",
        "judge_model": "first-digit-v2",
        "definition_snapshot": to_json(setting.definition),
    }


def _span(entry: Mapping[str, Any]) -> timedelta:
    end = entry.get("completed_at") or entry.get("started_at", entry["created_at"]) + timedelta(minutes=20)
    span: timedelta = end - entry.get("started_at", entry["created_at"])
    return span
