"""All rows of the demonstration data, by table, in an order in which they can be inserted."""

from collections.abc import Mapping, Sequence
from typing import Any

from export_pipelines.db.seed import runs, studies
from export_pipelines.db.seed.draw import fixed_id
from export_pipelines.db.seed.stories import Story, definitions_of, read_data, read_families, resolved, stories_of

Rows = dict[str, list[dict[str, Any]]]
"""Rows by table; each row by column."""


def all_rows() -> Rows:
    """The whole of it; two calls give equal rows, on any machine."""
    families, study = read_families(), read_data("studies")
    definitions = definitions_of(families)
    stories = list(stories_of(families))
    run_rows, transcript_rows = _runs(families, definitions, stories, study)
    return {
        "users": [_user(entry) for entry in read_data("people")["users"]],
        "definitions": [_definition(entry) for entry in definitions.values()],
        **_tags(definitions),
        "scenarios": [_scenario(story) for story in stories],
        "experiments": [_experiment(entry) for entry in study["experiments"]],
        "runs": run_rows,
        "transcripts": transcript_rows,
        **_studies(study, transcript_rows),
    }


def _user(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": fixed_id("user", entry["key"]),
        **{name: entry[name] for name in ("email", "name", "password_hash", "created_at")},
        "updated_at": entry["created_at"],
    }


def _definition(entry: Mapping[str, Any]) -> dict[str, Any]:
    parent = entry.get("parent")
    return {
        "id": fixed_id("definition", entry["key"]),
        "parent_id": parent and fixed_id("definition", parent),
        **{name: entry[name] for name in ("name", "content", "created_at")},
        "version": 1,
        "updated_at": entry.get("deleted_at") or entry["created_at"],
        "deleted_at": entry.get("deleted_at"),
    }


def _tags(definitions: Mapping[str, Mapping[str, Any]]) -> Rows:
    tags: dict[str, dict[str, Any]] = {}
    links = []
    for key, entry in definitions.items():
        for name in entry["tags"]:
            # A tag is as old as the first definition that was filed under it.
            tag = {"id": fixed_id("tag", name), "name": name, "created_at": entry["created_at"]}
            tags.setdefault(name, tag)
            links.append(
                {
                    "definition_id": fixed_id("definition", key),
                    "tag_id": fixed_id("tag", name),
                    "created_at": entry["created_at"],
                }
            )
    return {"tags": list(tags.values()), "definition_tags": links}


def _scenario(story: Story) -> dict[str, Any]:
    return {
        "id": story.id,
        "definition_id": fixed_id("definition", story.definition),
        "name": story.name,
        "content": dict(story.content),
        "created_at": story.created_at,
        "updated_at": story.deleted_at or story.created_at,
        "deleted_at": story.deleted_at,
    }


def _experiment(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": fixed_id("experiment", entry["key"]),
        **{name: entry[name] for name in ("name", "hypothesis", "plan", "created_at")},
        "updated_at": entry["created_at"],
        "deleted_at": None,
    }


def _runs(
    families: Mapping[str, Any],
    definitions: Mapping[str, Mapping[str, Any]],
    stories: Sequence[Story],
    study: Mapping[str, Any],
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    voices = read_data("voices")
    family_of = {item["key"]: family for family in families.values() for item in family["definitions"]}
    experiment_of = {run: entry["key"] for entry in study["experiments"] for run in entry["runs"]}
    run_rows, transcript_rows = [], []
    for entry in read_data("runs")["runs"]:
        setting = runs.Setting(
            entry=entry,
            stories=[story for story in stories if story.definition == entry["definition"]],
            definition=resolved(definitions, entry["definition"]),
            family=family_of[entry["definition"]],
            voices=voices,
            experiment=experiment_of.get(entry["key"]),
        )
        answered = list(runs.transcript_rows(setting))
        run_rows.append(runs.run_row(setting, answered=len(answered)))
        transcript_rows.extend(answered)
    return run_rows, transcript_rows


def _studies(study: Mapping[str, Any], transcripts: Sequence[Mapping[str, Any]]) -> Rows:
    def of(run: str) -> list[Mapping[str, Any]]:
        return [row for row in transcripts if row["run_id"] == fixed_id("run", run)]

    return {
        "analysis_results": [studies.analysis_row(entry, of(entry["run"])) for entry in study["analyses"]],
        "run_comparisons": [
            studies.comparison_row(entry, of(entry["baseline"]), of(entry["compared"]))
            for entry in study["comparisons"]
        ],
        "rubrics": [
            {
                "id": fixed_id("rubric", entry["key"]),
                **{name: entry[name] for name in ("name", "version", "content", "created_at")},
            }
            for entry in study["rubrics"]
        ],
    }
