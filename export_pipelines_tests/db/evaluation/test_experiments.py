"""Experiments and the comparisons of their runs."""

import pytest

from export_pipelines.core.errors import NotFoundError, ValidationError
from export_pipelines.db.database import Database
from export_pipelines.db.evaluation import comparisons, experiments, runs
from export_pipelines_tests.db.evaluation import samples
from export_pipelines_tests.db.evaluation.samples import LATER, NOW


def test_an_experiment_is_read_back_and_changed(database: Database) -> None:
    made = experiments.create(database, name="Languages", hypothesis="None of it matters.", plan={"a": 1}, now=NOW)

    assert experiments.get(database, made.id) == made
    changed = experiments.update_experiment(database, made.id, plan={"b": [2]}, now=LATER)
    assert (changed.name, changed.hypothesis, changed.plan) == ("Languages", "None of it matters.", {"b": [2]})


def test_runs_are_put_into_an_experiment_and_out_again(database: Database) -> None:
    made = experiments.create(database, name="Languages", now=NOW)
    definition = samples.definition(database)
    first, second = samples.run(database, definition.id), samples.run(database, definition.id)

    for run in (first, second):
        experiments.assign_run(database, run.id, experiment_id=made.id, now=LATER)
    experiments.assign_run(database, second.id, experiment_id=None, now=LATER)

    assert [run.id for run in experiments.runs_of(database, made.id)] == [first.id]


def test_a_deleted_experiment_is_not_found_but_its_runs_stay(database: Database) -> None:
    made = experiments.create(database, name="Languages", now=NOW)
    run = samples.run(database, samples.definition(database).id)
    experiments.assign_run(database, run.id, experiment_id=made.id, now=LATER)

    experiments.delete(database, made.id, now=LATER)

    assert experiments.list_all(database) == ()
    with pytest.raises(NotFoundError, match="was deleted"):
        experiments.get(database, made.id)
    with pytest.raises(NotFoundError, match="was deleted"):
        experiments.assign_run(database, run.id, experiment_id=made.id, now=LATER)
    assert runs.get(database, run.id).id == run.id


def test_an_experiment_needs_a_name(database: Database) -> None:
    with pytest.raises(ValidationError, match="name is empty"):
        experiments.create(database, name="", now=NOW)


def test_a_comparison_is_found_from_both_runs_and_the_experiment(database: Database) -> None:
    definition = samples.definition(database)
    base, other = samples.run(database, definition.id), samples.run(database, definition.id)
    study = experiments.create(database, name="Languages", now=NOW)

    made = comparisons.create(
        database,
        baseline_run_id=base.id,
        comparison_run_id=other.id,
        experiment_id=study.id,
        result={"difference": 0.5},
        now=NOW,
    )

    assert comparisons.get(database, made.id) == made
    assert comparisons.list_for_run(database, base.id) == (made,)
    assert comparisons.list_for_run(database, other.id) == (made,)
    assert comparisons.list_for_experiment(database, study.id) == (made,)
    assert comparisons.update_result(database, made.id, result={"difference": 0}).result == {"difference": 0}
    comparisons.delete(database, made.id)
    with pytest.raises(NotFoundError):
        comparisons.get(database, made.id)


def test_a_run_is_not_compared_with_itself_or_with_a_deleted_one(database: Database) -> None:
    definition = samples.definition(database)
    base, gone = samples.run(database, definition.id), samples.run(database, definition.id)
    runs.delete(database, gone.id, now=LATER)

    with pytest.raises(ValidationError, match="itself"):
        comparisons.create(database, baseline_run_id=base.id, comparison_run_id=base.id, result={}, now=NOW)
    with pytest.raises(NotFoundError, match="was deleted"):
        comparisons.create(database, baseline_run_id=base.id, comparison_run_id=gone.id, result={}, now=NOW)
