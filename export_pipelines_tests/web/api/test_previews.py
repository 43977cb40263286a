"""Previews: how the file would begin, for every type, with nothing made of it."""

from collections.abc import Mapping

import pytest

from export_pipelines.db.seed import SHOWCASE_DAY, SHOWCASE_DEFINITION_ID, SHOWCASE_RUN_ID
from export_pipelines_tests.web.api_site import ApiSite

OF = {"runId": SHOWCASE_RUN_ID, "definitionId": SHOWCASE_DEFINITION_ID, "day": SHOWCASE_DAY, "positions": None}
TABLES = {
    "BULK_CSV": "Transcript ID",
    "BULK_JSONL": "transcript_id",
    "BULK_PARQUET": "transcript_id",
    "BULK_DAY_JSONL": "run_id",
    "AUDIT_JSONL": "position",
}


def preview(api: ApiSite, type_: Mapping[str, str]) -> dict[str, object]:
    body = {"type": type_["name"]} | ({type_["field"]: of} if (of := OF[type_["field"]]) else {})
    answer = api.clients["administrator"].post("/api/exports/preview", json=body)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def test_every_type_shows_how_its_file_begins_and_makes_nothing(api: ApiSite) -> None:
    api.job()
    types = {type_["name"]: type_ for type_ in api.owner.get("/api/types").json()["items"]}
    shown = {name: preview(api, type_) for name, type_ in types.items()}
    assert all(each["rows_read"] and each["estimate"]["rows"] for each in shown.values())  # type: ignore[index]
    for name, column in TABLES.items():
        assert column in shown[name]["columns"]  # type: ignore[operator]
        assert {len(row) for row in shown[name]["rows"]} == {len(shown[name]["columns"])}  # type: ignore[attr-defined, arg-type]
    assert shown["DEFINITION_MD"]["head"].startswith("---\nname: Courtyard")  # type: ignore[attr-defined]
    assert shown["SCENARIOS_YAML"]["head"].startswith("preamble:")  # type: ignore[attr-defined]
    assert shown["BULK_CSV"]["head"].startswith("AI Model Name,")  # type: ignore[attr-defined]
    members = {each["name"].partition("/")[2]: each["head"] for each in shown["RUN_BUNDLE"]["members"]}  # type: ignore[attr-defined]
    assert members["definition.md"].startswith("---\nname:")
    assert any(name.startswith("transcripts/transcript.") for name in members)
    assert api.clients["administrator"].get("/api/exports", params={"all": "true"}).json()["items"][1:] == []


def test_options_are_looked_at_and_filled_in(api: ApiSite) -> None:
    body = {"type": "BULK_CSV", "runId": SHOWCASE_RUN_ID, "options": {"profile": "flat", "compression": "gzip"}}
    shown = api.owner.post("/api/exports/preview", json=body).json()
    assert shown["columns"][0] == "transcript_id"
    assert shown["options"] == {"allow_partial": False, "compression": "gzip", "profile": "flat", "strict": False}
    assert shown["head"].startswith("transcript_id,")
    assert (shown["whole"], shown["note"]) == (False, None)


def test_what_takes_too_long_shows_nothing_and_says_so(api: ApiSite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("export_pipelines.steps.sample.SECONDS", 1)
    with api.services.database.raw_connection() as connection:
        # Whoever alters a table holds it; the estimate gives up after a second as well, and then guesses.
        connection.execute("LOCK TABLE evaluation.scenarios IN ACCESS EXCLUSIVE MODE")
        shown = api.owner.post("/api/exports/preview", json={"type": "BULK_CSV", "runId": SHOWCASE_RUN_ID}).json()
    assert (shown["columns"], shown["head"], shown["rows_read"]) == ([], None, 0)
    assert "did not come in time" in shown["note"]
    assert shown["estimate"]["rows"] == 93


def test_what_could_not_be_exported_has_no_preview(api: ApiSite) -> None:
    wrong = (
        ({"type": "AUDIT_JSONL"}, 403),
        ({"type": "BULK_CSV"}, 422),
        ({"type": "BULK_CSV", "runId": "no such run"}, 404),
        ({"type": "BULK_DAY_JSONL", "day": "2999-01-01"}, 422),
    )
    for body, status in wrong:
        assert api.owner.post("/api/exports/preview", json=body).status_code == status
