"""The catalog is consistent: names, jobs and forms follow from it."""

import re

import pytest

from export_pipelines.catalog.types import EXPORT_TYPES, export_type
from export_pipelines.core.errors import ValidationError


def test_the_exports_of_evaluation_data_and_the_audit_log_are_on_offer() -> None:
    assert [type_.name for type_ in EXPORT_TYPES] == [
        "DEFINITION_MD",
        "SCENARIOS_YAML",
        "RUN_BUNDLE",
        "BULK_JSONL",
        "BULK_CSV",
        "BULK_PARQUET",
        "BULK_DAY_JSONL",
        "AUDIT_JSONL",
    ]


@pytest.mark.parametrize("type_", EXPORT_TYPES, ids=lambda type_: type_.name)
def test_every_type_is_fit_for_a_row_a_job_and_a_form(type_) -> None:
    assert re.fullmatch("[A-Z][A-Z0-9_]{0,62}", type_.name)
    assert re.fullmatch("[a-z][a-z0-9_]*", type_.job_name)
    assert type_.extension.startswith(".")
    assert type_.description.endswith(".")
    assert len({option.name for option in type_.options}) == len(type_.options)
    assert "strict" in {option.name for option in type_.options}


def test_a_type_is_found_in_any_case() -> None:
    assert export_type("bulk_csv").name == "BULK_CSV"


def test_an_unknown_type_is_refused_with_the_list_of_known_ones() -> None:
    with pytest.raises(ValidationError, match="DEFINITION_MD, SCENARIOS_YAML"):
        export_type("BULK_XML")
