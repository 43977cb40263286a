"""Options are read by their own rules, and nothing unknown slips through."""

import pytest

from export_pipelines.catalog.options import ALLOW_PARTIAL, COMPRESSION, STRICT, read_options
from export_pipelines.core.errors import ValidationError

OFFERED = (STRICT, ALLOW_PARTIAL, COMPRESSION)


def test_what_is_not_given_has_its_default_and_names_are_sorted() -> None:
    assert list(read_options(OFFERED, {}).items()) == [
        ("allow_partial", False),
        ("compression", "none"),
        ("strict", False),
    ]


@pytest.mark.parametrize("text", ["true", "TRUE", " yes ", "1", True])
def test_a_switch_understands_what_people_type(text: object) -> None:
    assert read_options(OFFERED, {"strict": text})["strict"] is True


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"strict": "maybe"}, "true or false"),
        ({"compression": "rar"}, "none, gzip, zstd"),
        ({"stric": "true"}, "allow_partial, compression, strict"),
    ],
)
def test_a_wrong_value_is_refused_with_what_is_allowed(given: dict[str, object], named: str) -> None:
    with pytest.raises(ValidationError, match=named):
        read_options(OFFERED, given)
