"""A run bundle put together from its entries, as packaging would, but in memory and in a folder."""

from dataclasses import dataclass, field

from export_pipelines.core.archive import Absent, Member
from export_pipelines.core.fidelity import FidelityReport
from export_pipelines.rendering.bundle import RunBundle
from export_pipelines_tests.rendering.copy_rows import Big, row
from export_pipelines_tests.rendering.sample_transcripts import CLAUDE, GPT

COLUMNS = [
    "id", "scenario_id", "target_model", "model_version", "content", "turn_count", "token_count", "duration_ms",
    "estimated_cost", "decision_code", "decision_text", "created_at", "content_expires_at", "sample",
]  # fmt: skip


@dataclass
class Bundle:
    files: dict[str, bytes] = field(default_factory=dict)
    records: list[str] = field(default_factory=list)
    absent: list[Absent] = field(default_factory=list)
    report: FidelityReport = field(default_factory=FidelityReport)

    def notes(self):
        """What the report says of transcripts; the documents beside them have tests of their own."""
        return [note for note in self.report if not note.where.startswith(("definition.md", "scenarios.yaml"))]

    def unpack(self, folder):
        """Write it below a folder; the run directory."""
        for name, data in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        [top] = {name.split("/")[0] for name in self.files}
        return folder / top / "transcripts"


def scenario(id_, name, **content):
    return {"id": id_, "name": name, "content": {"prompt": "Choose.", **content}}


def bundle_context(**changes):
    return {
        "options": {},
        "run": {
            "id": "crun1",
            "name": "A run",
            "status": "COMPLETED",
            "created_at": "2026-01-02T03:04:05.678900Z",
            "started_at": None,
            "completed_at": "2026-01-02T04:04:05.678900Z",
            "config": {
                "models": [GPT, CLAUDE],
                "scenario_ids": ["s1", "s.2"],
                "temperature": 0.7,
                "probe_model": "openai:gpt-4.1",
                "judge_model": "anthropic:claude-sonnet-4-20250514",
                "samples": 2,
            },
        },
        "definition": {
            "id": "cdef1",
            "name": "Night bakery",
            "tags": ["work"],
            "content": {
                "schema_version": 2,
                "preamble": "Answer with a number.",
                "template": "The oven [Freedom]",
                "dimensions": [{"name": "Freedom", "levels": [{"score": 1, "label": "Low", "options": ["is off"]}]}],
                "matching_rules": "",
            },
        },
        "scenarios": [
            scenario("s1", "Bakery 1", dimensions={"Freedom": 1, "Harmony": 2}),
            scenario("s.2", "Bakery 2", subject="The oven — at night", dimensions={"Freedom": 2}),
        ],
        "models": [{"id": GPT, "model_version": "2025-04-14"}, {"id": CLAUDE, "model_version": None}],
        "analysis": [
            {
                "type": "win_rates",
                "output": {"rates": {"Freedom": 0.5}, "note": "égal"},
                "input_hash": "ab12",
                "code_version": "1.2.0",
                "created_at": "2026-01-03T00:00:00.000000Z",
            }
        ],
    } | changes


def bundle(shards, context):
    """The bundle of shards of transcripts (dicts by column), each shard rendered by itself."""
    whole = Bundle()
    for index, shard in enumerate(shards):
        rows = iter([row(*(transcript[name] for name in COLUMNS)) for transcript in shard])
        for entry in RunBundle().entries(rows, context, whole.report, shard=index):
            _take(whole, entry)
    return whole


def with_samples(transcripts):
    """The transcripts in the order of an export, samples counted, ids made unique."""
    counts = {}
    ordered = sorted(transcripts, key=lambda t: (t["target_model"].encode(), t["scenario_id"].encode()))
    for number, transcript in enumerate(ordered):
        key = transcript["target_model"], transcript["scenario_id"]
        counts[key] = counts.get(key, 0) + 1
        yield transcript | {"id": f"ct{number:03d}", "sample": Big(counts[key])}


def _take(whole, entry):
    if isinstance(entry, Absent):
        whole.absent.append(entry)
    elif isinstance(entry, Member):
        assert entry.name not in whole.files
        whole.files[entry.name] = entry.data
        if entry.record:
            whole.records.append(entry.name)
    else:
        whole.files[entry.name] = whole.files.get(entry.name, b"") + entry.data
