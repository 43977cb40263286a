"""Transcripts of a run, one by one or many at once; exports read them in bulk elsewhere, in ``db/sources``."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from export_pipelines.core import evaluation as records
from export_pipelines.core.errors import ValidationError
from export_pipelines.core.ids import new_id
from export_pipelines.core.transcripts import read_turns
from export_pipelines.db.database import Database
from export_pipelines.db.evaluation.rows import listed, live, record_of, records_of
from export_pipelines.db.tables import Run, Scenario, Transcript


def add_all(
    database: Database, run_id: str, new: Sequence[records.NewTranscript], *, now: datetime
) -> tuple[records.Transcript, ...]:
    """Add transcripts to a run: all of them, or none.

    Raises:
        NotFoundError: the run does not exist or is deleted.
        ValidationError: a scenario is not one of the run's definition.
        ContentError: content has an unknown version or a wrong shape.
    """
    with database.transaction() as session:
        run = live(session, Run, run_id)
        _check_scenarios(session, run, new)
        rows = [{**asdict(item), "id": new_id(), "run_id": run.id, "created_at": now} for item in new]
        for row in rows:
            if row["content"] is not None:
                read_turns(row["content"], where=f"the new transcript of scenario {row['scenario_id']}")
        if not rows:
            return ()
        session.execute(insert(Transcript), rows)
        made = session.scalars(select(Transcript).where(Transcript.id.in_([row["id"] for row in rows])))
        by_id = {row.id: record_of(records.Transcript, row) for row in made}
        return tuple(by_id[row["id"]] for row in rows)


def get(database: Database, transcript_id: str) -> records.Transcript:
    """The transcript, its dialogue read from whichever shape it was stored in.

    Raises:
        NotFoundError: it, or its run, does not exist or is deleted.
        ContentError: its content has an unknown version.
    """
    with database.transaction() as session:
        row = live(session, Transcript, transcript_id)
        live(session, Run, row.run_id)
        return record_of(records.Transcript, row)


def list_for_run(
    database: Database, run_id: str, *, limit: int = 1000, after: str | None = None
) -> tuple[records.Transcript, ...]:
    """Live transcripts of a run by id, a page at a time.

    Args:
        database: where.
        run_id: which run.
        limit: at most so many.
        after: id of the last one of the page before.

    Raises:
        NotFoundError: the run does not exist or is deleted.
    """
    query = select(Transcript).where(Transcript.run_id == run_id, Transcript.deleted_at.is_(None))
    order = Transcript.id.collate("C")
    if after is not None:
        query = query.where(order > after)
    with database.transaction() as session:
        live(session, Run, run_id)
        return records_of(session, records.Transcript, query.order_by(order).limit(limit))


def set_decision(database: Database, transcript_id: str, *, code: str | None, text: str | None) -> records.Transcript:
    """Write down how the decision was read; None for both takes a reading back.

    Raises:
        NotFoundError: it does not exist or is deleted.
    """
    with database.transaction() as session:
        row = live(session, Transcript, transcript_id, lock=True)
        row.decision_code, row.decision_text = code, text
        return record_of(records.Transcript, row)


def expire_content(database: Database, *, now: datetime) -> int:
    """Drop the content of every transcript whose time for it is over; returns how many that were."""
    due = (Transcript.content_expires_at <= now, Transcript.content.is_not(None))
    with database.transaction() as session:
        dropped = session.execute(update(Transcript).where(*due).values(content=None).returning(Transcript.id))
        return len(dropped.all())


def delete(database: Database, transcript_id: str, *, now: datetime) -> None:
    """Mark the transcript deleted; no export holds it from now on.

    Raises:
        NotFoundError: it does not exist or is deleted already.
    """
    with database.transaction() as session:
        live(session, Transcript, transcript_id, lock=True).deleted_at = now


def _check_scenarios(session: Session, run: Run, new: Sequence[records.NewTranscript]) -> None:
    wanted = {item.scenario_id for item in new}
    query = select(Scenario.id).where(Scenario.definition_id == run.definition_id, Scenario.id.in_(wanted))
    strangers = sorted(wanted.difference(session.scalars(query)))
    if strangers:
        raise ValidationError(
            f"Run {run.id} is of definition {run.definition_id}, which has no scenarios {listed(strangers)}; "
            "check the scenario ids."
        )
