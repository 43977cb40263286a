"""What a run executed again passed over is rendered before the file is packaged."""

from export_pipelines.catalog.run_bundle import RUN_BUNDLE
from export_pipelines.steps.begin import begin
from export_pipelines.steps.load import load
from export_pipelines.steps.missing import render_missing
from export_pipelines.steps.package import package
from export_pipelines.steps.render import render
from export_pipelines.steps.services import Services
from export_pipelines.steps.submit import submit
from export_pipelines_tests.steps.orders import order


def test_shards_that_nobody_rendered_are_rendered_and_the_others_left_as_they_are(services: Services) -> None:
    job = begin(services, submit(services, order("RUN_BUNDLE")).id, dagster_run_id=None)
    frozen = load(services, RUN_BUNDLE, job)
    assert len(frozen.shards) > 3
    first, second, *_ = (render(services, RUN_BUNDLE, task) for task in frozen.tasks()[:2])

    parts = render_missing(services, RUN_BUNDLE, frozen, [second])

    assert sorted(part.shard_index for part in parts) == [shard.index for shard in frozen.shards]
    assert {part.shard_index: part for part in parts}[0] == first
    assert package(services, RUN_BUNDLE, frozen, parts).record_count == sum(part.records for part in parts)


def test_nothing_is_rendered_when_nothing_is_missing(services: Services) -> None:
    job = begin(services, submit(services, order("RUN_BUNDLE")).id, dagster_run_id=None)
    frozen = load(services, RUN_BUNDLE, job)
    parts = tuple(render(services, RUN_BUNDLE, task) for task in frozen.tasks())
    services.store.delete(frozen.shards[0].staged.key)

    assert render_missing(services, RUN_BUNDLE, frozen, parts) == parts
