"""The members of a run bundle that depend on no transcript: definition, scenarios, the tools' manifest, analyses."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from export_pipelines.core import scenarios
from export_pipelines.core.archive import Member, Piece
from export_pipelines.core.definitions import resolve
from export_pipelines.core.fidelity import FidelityReport
from export_pipelines.core.frozen import Context
from export_pipelines.core.names import unique_parts
from export_pipelines.rendering import definition_markdown, frontmatter
from export_pipelines.rendering.bundle_names import BundleNames, part, scenario_numbers
from export_pipelines.rendering.scenarios_yaml import render_document

_NO_SETTINGS = ("probe_model", "judge_model")


def documents(context: Context, names: BundleNames, report: FidelityReport) -> Iterator[Member | Piece]:
    """All of them, in the order of their hashes' use: the tools' manifest knows the others' hashes."""
    definition = _definition(context, report)
    yield Member(name=f"{names.folder}/definition.md", data=definition)
    digest = hashlib.sha256()
    for chunk in _scenarios(context, report):
        digest.update(chunk)
        yield Piece(name=f"{names.folder}/scenarios.yaml", data=chunk)
    hashes = {"definition_hash": _short(hashlib.sha256(definition)), "scenarios_hash": _short(digest)}
    manifest = frontmatter.dump(_run_manifest(context, names, hashes))
    yield Member(name=f"{names.run_directory}/run_manifest.yaml", data=manifest.encode())
    yield from _analyses(context["analysis"], names)


def _definition(context: Context, report: FidelityReport) -> bytes:
    own, definition = FidelityReport(), context["definition"]
    content = resolve([(definition["id"], definition["content"])])
    data = definition_markdown.render(name=definition["name"], tags=definition["tags"], content=content, report=own)
    _pass_on("definition.md", own, report)
    return data


def _scenarios(context: Context, report: FidelityReport) -> Iterator[bytes]:
    own = FidelityReport()
    known = [
        (scenario["id"], scenario["name"], scenarios.read(scenario["content"], where=f"scenario {scenario['id']}"))
        for scenario in context["scenarios"]
    ]
    if known:  # The tools refuse a file without scenarios, so a run without any has no such file.
        yield from render_document(context["definition"], known, own)
    _pass_on("scenarios.yaml", own, report)


def _pass_on(member: str, own: FidelityReport, report: FidelityReport) -> None:
    for note in own:
        report.add(replace(note, where=f"{member}: {note.where}"))


def _run_manifest(context: Context, names: BundleNames, hashes: Mapping[str, str]) -> dict[str, Any]:
    run, config = context["run"], context["run"]["config"]
    return {
        "run_id": run["id"],
        "created_at": run["created_at"],
        "probe_model": config.get("probe_model"),
        "scenario_list": [scenario["id"] for scenario in context["scenarios"]],
        "runtime_config": _settings(config),
        "models": {names.anonymous(model["id"]): _model(model) for model in context["models"]},
        "judge_model": config.get("judge_model"),
        "version_hashes": {**hashes, **(config.get("version_hashes") or {})},
        "scenario_numbers": scenario_numbers(context, names),
        "samples": {
            "numbers_a_sample": names.numbers_a_sample,
            "rule": "sample n of scenario_k is scenario_(k + (n - 1) * numbers_a_sample) in the aggregated transcripts",
        },
    }


def _settings(config: Mapping[str, Any]) -> dict[str, Any]:
    """The run's settings that are plain values; lists and objects in a configuration are other things."""
    plain = {
        name: value
        for name, value in sorted(config.items())
        if name not in _NO_SETTINGS and not isinstance(value, list | dict)
    }
    return {"temperature": config.get("temperature"), **plain}


def _model(model: Mapping[str, Any]) -> dict[str, Any]:
    provider, colon, _ = model["id"].partition(":")
    return {
        "true_model": model["id"],
        "provider": provider if colon else "unknown",
        "model_version": model["model_version"],
    }


def _analyses(analyses: Iterable[Mapping[str, Any]], names: BundleNames) -> Iterator[Member]:
    known = list(analyses)
    files = unique_parts((str(place), part(analysis["type"])) for place, analysis in enumerate(known))
    for place, analysis in enumerate(known):
        facts = {name: analysis[name] for name in ("type", "created_at", "code_version", "input_hash", "output")}
        text = json.dumps(facts, ensure_ascii=False, indent=2) + "\n"
        yield Member(name=f"{names.folder}/analysis/{files[str(place)]}.json", data=text.encode())


def _short(digest: "hashlib._Hash") -> str:
    """The tools write the first 12 digits of a SHA-256."""
    return digest.hexdigest()[:12]
