"""Analysis results: one in force, whoever analyses at the same time."""

import threading
from collections import Counter

import pytest

from export_pipelines.core import evaluation as records
from export_pipelines.core.errors import NotFoundError, ValidationError
from export_pipelines.core.evaluation import AnalysisStatus
from export_pipelines.db.database import Database
from export_pipelines.db.evaluation import analysis, runs
from export_pipelines_tests.db.evaluation import samples
from export_pipelines_tests.db.evaluation.samples import LATER, NOW


@pytest.fixture
def run(database: Database) -> records.Run:
    return samples.run(database, samples.definition(database).id)


def analyse(database: Database, run_id: str, mark: int, analysis_type: str = "basic") -> records.AnalysisResult:
    return analysis.supersede_and_create(
        database,
        run_id=run_id,
        analysis_type=analysis_type,
        input_hash=f"{mark:064x}",
        code_version="1.0.0",
        output={"mark": mark},
        now=NOW,
    )


def test_analysing_again_supersedes_the_old_result(database: Database, run: records.Run) -> None:
    old = analyse(database, run.id, 1)
    new = analyse(database, run.id, 2)

    assert analysis.current(database, run.id, analysis_type="basic") == new
    assert analysis.get(database, old.id).status is AnalysisStatus.SUPERSEDED
    assert len(analysis.history(database, run.id)) == 2


def test_another_type_or_another_run_is_left_alone(database: Database, run: records.Run) -> None:
    other_run = samples.run(database, run.definition_id)
    kept = [analyse(database, run.id, 1, "inter_model"), analyse(database, other_run.id, 2)]

    analyse(database, run.id, 3)

    assert [analysis.get(database, result.id).status for result in kept] == [AnalysisStatus.CURRENT] * 2
    assert analysis.history(database, run.id, analysis_type="inter_model") == (kept[0],)


def test_analyses_at_once_leave_exactly_one_in_force(database: Database, run: records.Run) -> None:
    failed: list[BaseException] = []
    ready = threading.Barrier(6)

    def work(mark: int) -> None:
        # Every thread has a connection of its own.
        try:
            ready.wait()
            for again in range(5):
                analyse(database, run.id, mark * 10 + again)
        except BaseException as error:
            failed.append(error)
            raise

    threads = [threading.Thread(target=work, args=(mark,)) for mark in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    statuses = Counter(result.status for result in analysis.history(database, run.id))
    assert not failed
    assert statuses == {AnalysisStatus.CURRENT: 1, AnalysisStatus.SUPERSEDED: 29}


def test_a_result_that_cannot_be_stored_leaves_the_old_one_in_force(database: Database, run: records.Run) -> None:
    old = analyse(database, run.id, 1)

    with pytest.raises(ValidationError):
        analysis.supersede_and_create(
            database,
            run_id=run.id,
            analysis_type="basic",
            input_hash="x",
            code_version="1.0.0",
            output={"text": "\x00"},
            now=LATER,
        )

    assert analysis.current(database, run.id, analysis_type="basic") == old


@pytest.mark.parametrize("name", ["", "Basic", "../basic", "a b", "1st", "x" * 64])
def test_a_type_that_could_not_be_a_file_name_is_refused(database: Database, run: records.Run, name: str) -> None:
    with pytest.raises(ValidationError, match="type of analysis"):
        analyse(database, run.id, 1, name)


def test_a_run_without_analysis_says_so(database: Database, run: records.Run) -> None:
    result = analyse(database, run.id, 1)
    analysis.delete(database, result.id)

    with pytest.raises(NotFoundError, match="has no current basic analysis"):
        analysis.current(database, run.id, analysis_type="basic")


def test_a_deleted_run_is_not_analysed(database: Database, run: records.Run) -> None:
    runs.delete(database, run.id, now=LATER)

    with pytest.raises(NotFoundError, match="was deleted"):
        analyse(database, run.id, 1)
