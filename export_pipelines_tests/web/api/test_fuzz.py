"""A short run of what ``make fuzz`` does at length."""

from pathlib import Path

from export_pipelines.steps.services import Services
from export_pipelines_tests.fuzz.driving import drive
from export_pipelines_tests.fuzz.site import driven_site


def test_every_call_answers_as_it_is_described_whatever_is_sent(services: Services, tmp_path: Path) -> None:
    with driven_site(services) as site:
        # Without cases that build on each other, of which `make fuzz` has most.
        went = drive(
            site.api.url,
            key=site.api.keys["owner"],
            examples=1,
            seed=5,
            folder=tmp_path,
            ids=site.ids,
            phases="examples,coverage,fuzzing",
        )
    assert went.failures == 0, went.said
    assert went.cases > 300
