"""``POST /api/exports/preview``: what an export would give, before it is asked for."""

from dataclasses import asdict

from pydantic import ConfigDict, Field

from export_pipelines.steps.expect import Expected, expect
from export_pipelines.steps.sample import Sample
from export_pipelines.web.api.bodies import Answer, problems
from export_pipelines.web.api.export_bodies import ExportBody
from export_pipelines.web.api.exports_shown import EstimateAnswer
from export_pipelines.web.api.resource import resource
from export_pipelines.web.callers import CallerOf
from export_pipelines.web.context import WebOf
from export_pipelines.web.problems import Problem, ProblemError

routes = resource("/exports", tag="exports")

_WAIT_SECONDS = 2
BUSY = Problem(
    status=503,
    code="unavailable",
    title="Too many previews at once",
    detail="Others are looking at previews; try again in some seconds, or ask for the export itself.",
    headers={"Retry-After": "5"},
)
_TOO_LONG = "The first rows did not come in time, so there is nothing to show; the export itself may take longer."


class MemberAnswer(Answer):
    """A member of an archive."""

    name: str
    head: str | None = Field(description="How its text begins; null where it is not shown.")


class PreviewAnswer(Answer):
    """What an export would give."""

    type: str
    title: str
    subject_id: str = Field(description="Id of the run or definition; the day, or the positions.")
    options: dict[str, bool | str] = Field(description="All options, those that were left out with their defaults.")
    file_format: str
    media_type: str
    columns: list[str] = Field(description="Of a table; empty for other files.")
    rows: list[list[str | None]] = Field(description="The first rows of a table; long cells are cut.")
    head: str | None = Field(description="How a text file begins; null of an archive.")
    members: list[MemberAnswer] = Field(description="Members of an archive, as far as the first rows bring them.")
    rows_read: int = Field(description="Rows of the export that this was made of.")
    whole: bool = Field(description="These are all its rows.")
    note: str | None = Field(description="Why there is nothing to see.")
    estimate: EstimateAnswer

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": "BULK_CSV",
                    "title": "Transcripts (CSV): Courtyard, many languages, April",
                    "subject_id": "c4yyvpdcu2ohltd2j2wix57oa",
                    "options": {"allow_partial": False, "compression": "none", "profile": "summary", "strict": False},
                    "file_format": "csv",
                    "media_type": "text/csv; charset=utf-8",
                    "columns": ["AI Model Name", "Freedom", "Decision Code"],
                    "rows": [["claude-sonnet-4", "1", "3"]],
                    "head": "AI Model Name,Freedom,Decision Code\r\nclaude-sonnet-4,1,3\r\n",
                    "members": [],
                    "rows_read": 1,
                    "whole": True,
                    "note": None,
                    "estimate": {"rows": 1, "bytes": 381, "seconds": 2.0, "counted": True},
                }
            ]
        }
    )


@routes.post(
    "/preview", summary="Look at an export before asking for it", responses=problems(400, 403, 404, 408, 413, 422)
)
def post_preview(body: ExportBody, web: WebOf, caller: CallerOf) -> PreviewAnswer:
    """The columns, the first rows or the head of the file, and an estimate, for the body of a request for an export.

    The first few rows are really rendered. Nothing is made, kept or counted.
    """
    order = body.order(caller)
    if not web.previews.acquire(timeout=_WAIT_SECONDS):
        raise ProblemError(BUSY)
    try:
        return _shown(expect(web.services, caller, order))
    finally:
        web.previews.release()


def _shown(expected: Expected) -> PreviewAnswer:
    seen = expected.sample or Sample()
    return PreviewAnswer(
        type=expected.type.name,
        title=expected.request.title,
        subject_id=expected.request.subject_id,
        options=dict(expected.request.options),
        file_format=expected.type.file_format,
        media_type=expected.type.media_type,
        columns=list(seen.columns),
        rows=[list(row) for row in seen.rows],
        head=seen.head,
        members=[MemberAnswer(name=member.name, head=member.head) for member in seen.members],
        rows_read=seen.rows_read,
        whole=seen.whole,
        note=_TOO_LONG if expected.sample is None else None,
        estimate=EstimateAnswer(**asdict(expected.estimate)),
    )
