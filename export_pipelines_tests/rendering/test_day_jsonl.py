"""Lines of a day are the lines of the runs' own exports."""

import json

from hypothesis import given
from hypothesis import strategies as st

from export_pipelines.core.fidelity import FidelityReport
from export_pipelines.rendering.day_jsonl import COLUMNS, DayJsonl
from export_pipelines.rendering.jsonl import TranscriptsJsonl
from export_pipelines.rendering.transcript_lines import COLUMNS as OF_ONE_RUN
from export_pipelines_tests.golden_files import assert_golden
from export_pipelines_tests.rendering.contexts import SCENARIOS, run_context
from export_pipelines_tests.rendering.copy_rows import row
from export_pipelines_tests.rendering.sample_transcripts import samples

RUNS = {"crun1": "cdef1", "crun2": "cdef2", "crun3": None}


def rendered(runs):
    """The sample transcripts, once for each of the runs."""
    context = {"options": {}, "day": "2026-04-15", "runs": RUNS, "scenarios": SCENARIOS}
    rows = (row(*(({"run_id": run} | sample)[name] for name in COLUMNS)) for run in runs for sample in samples())
    format_, report = DayJsonl(), FidelityReport()
    return format_.head(context) + b"".join(format_.body(rows, context, report)) + format_.tail(context)


def of_run(run):
    context = run_context() | {"run": {"id": run}, "definition": {"id": RUNS[run]}}
    rows = (row(*(sample[name] for name in OF_ONE_RUN)) for sample in samples())
    return b"".join(TranscriptsJsonl().body(rows, context, FidelityReport()))


@given(st.lists(st.sampled_from([*RUNS]), unique=True))
def test_a_day_is_its_runs_lines_one_run_after_the_other(runs):
    assert rendered(runs) == b"".join(map(of_run, runs))


def test_golden():
    assert_golden("day_transcripts.jsonl", rendered(["crun1", "crun2"]))


def test_every_line_names_its_own_run_and_definition():
    lines = [json.loads(line) for line in rendered(RUNS).splitlines()]
    found = {(line["run_id"], line["definition_id"]) for line in lines}
    assert found == set(RUNS.items())
