"""``/api/types``, ``/api/runs`` and ``/api/definitions``: what may be exported, and how."""

from typing import Annotated

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field

from export_pipelines.catalog.export_type import Subject
from export_pipelines.core.evaluation import RunStatus
from export_pipelines.db.evaluation.search import COUNTED_TO
from export_pipelines.steps import choices
from export_pipelines.steps.offers import Offer, offers
from export_pipelines.web.api.bodies import Answer, Moment, problems
from export_pipelines.web.api.resource import resource
from export_pipelines.web.callers import CallerOf
from export_pipelines.web.context import WebOf

routes = resource("", tag="what to export")

_COUNTED = f"At most {COUNTED_TO}, after which nobody counts on."


class OptionAnswer(Answer):
    """An option of a type."""

    name: str
    description: str
    values: list[bool | str]
    default: bool | str


class TypeAnswer(Answer):
    """An export type."""

    name: str
    title: str
    description: str
    of: Subject
    field: str = Field(description="The field of a request that says which one.")
    options: list[OptionAnswer]
    file_format: str
    extension: str
    media_type: str
    allowed: bool = Field(description="Whether you may export it.")

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "BULK_JSONL",
                    "title": "Transcripts (JSON Lines)",
                    "description": "One JSON object per transcript, whole.",
                    "of": "run",
                    "field": "runId",
                    "options": [
                        {
                            "name": "strict",
                            "description": "Fail rather than lose anything.",
                            "values": [True, False],
                            "default": False,
                        }
                    ],
                    "file_format": "jsonl",
                    "extension": "jsonl",
                    "media_type": "application/x-ndjson",
                    "allowed": True,
                }
            ]
        }
    )


class TypeList(Answer):
    """All export types; there are too few for pages."""

    items: list[TypeAnswer]


class RunAnswer(Answer):
    """A run that may be exported."""

    id: str
    name: str | None
    status: RunStatus
    definition_id: str
    definition_name: str
    created_at: Moment
    completed_at: Moment | None
    transcripts: int = Field(description=_COUNTED)

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "c4yyvpdcu2ohltd2j2wix57oa",
                    "name": "Courtyard, many languages, April",
                    "status": "COMPLETED",
                    "definition_id": "ca2gvt2k6f0x4m6n1b8z7c3hd",
                    "definition_name": "Courtyard",
                    "created_at": "2026-04-01T08:00:00.000Z",
                    "completed_at": "2026-04-01T09:12:31.402Z",
                    "transcripts": 93,
                }
            ]
        }
    )


class RunPage(Answer):
    """Runs, the newest first."""

    items: list[RunAnswer]
    next_cursor: str | None


class DefinitionAnswer(Answer):
    """A definition that may be exported."""

    id: str
    name: str
    version: int
    created_at: Moment
    updated_at: Moment
    scenarios: int = Field(description=_COUNTED)
    runs: int = Field(description=_COUNTED)

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "ca2gvt2k6f0x4m6n1b8z7c3hd",
                    "name": "Courtyard",
                    "version": 3,
                    "created_at": "2026-01-05T09:00:00.000Z",
                    "updated_at": "2026-02-10T16:20:00.000Z",
                    "scenarios": 12,
                    "runs": 4,
                }
            ]
        }
    )


class DefinitionPage(Answer):
    """Definitions, the newest first."""

    items: list[DefinitionAnswer]
    next_cursor: str | None


class SearchQuery(BaseModel):
    """What is searched for."""

    q: Annotated[str, Field(max_length=200)] = Field(
        default="", description="A piece of the name, in any case, or the beginning of the id."
    )
    cursor: Annotated[str, Field(max_length=1000)] | None = Field(
        default=None, description="`next_cursor` of the page before."
    )
    limit: int = Field(default=20, ge=1, le=choices.MOST)

    model_config = ConfigDict(extra="forbid")


class RunQuery(SearchQuery):
    """What is searched for among runs; a piece of their definition's name finds them too."""

    status: RunStatus | None = Field(default=None, description="Only of this status; COMPLETED ones can be exported.")


@routes.get("/types", summary="What can be exported?", responses=problems())
def get_types(caller: CallerOf) -> TypeList:
    """Every export type with its options, and whether the caller may use it."""
    return TypeList(items=[_type(offer) for offer in offers(caller)])


@routes.get("/runs", summary="Search runs", responses=problems(422))
def get_runs(query: Annotated[RunQuery, Query()], web: WebOf, caller: CallerOf) -> RunPage:
    """Runs by a piece of their name, or of their definition's, or by the beginning of their id."""
    found = choices.runs(web.services, query.q, status=query.status, cursor=query.cursor, limit=query.limit)
    return RunPage(items=[RunAnswer.model_validate(run) for run in found.items], next_cursor=found.next_cursor)


@routes.get("/definitions", summary="Search definitions", responses=problems(422))
def get_definitions(query: Annotated[SearchQuery, Query()], web: WebOf, caller: CallerOf) -> DefinitionPage:
    """Definitions by a piece of their name, or by the beginning of their id."""
    found = choices.definitions(web.services, query.q, cursor=query.cursor, limit=query.limit)
    items = [DefinitionAnswer.model_validate(definition) for definition in found.items]
    return DefinitionPage(items=items, next_cursor=found.next_cursor)


def _type(offer: Offer) -> TypeAnswer:
    type_ = offer.type
    options = [
        OptionAnswer(
            name=option.name,
            description=option.description,
            values=list(option.choices or (True, False)),
            default=option.default,
        )
        for option in type_.options
    ]
    return TypeAnswer(
        name=type_.name,
        title=type_.title,
        description=type_.description,
        of=type_.subject,
        field=type_.request_field,
        options=options,
        file_format=type_.file_format,
        extension=type_.extension,
        media_type=type_.media_type,
        allowed=offer.allowed,
    )
