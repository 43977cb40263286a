import math
import struct
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from export_pipelines.core.errors import IntegrityError
from export_pipelines.rendering import fields
from export_pipelines_tests.rendering.copy_rows import EPOCH, Big, Jsonb, field

INSTANTS = st.datetimes(timezones=st.just(UTC))


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_text_is_utf8(value):
    assert fields.text(field(value)) == value


@given(st.integers(-(2**31), 2**31 - 1))
def test_integers_of_four_bytes(value):
    assert fields.int4(field(value)) == value
    assert fields.int_texts()[field(value)] == str(value).encode()


@given(st.integers(-(2**63), 2**63 - 1))
def test_integers_of_eight_bytes(value):
    assert fields.int8(field(Big(value))) == value


@given(st.floats())
def test_floats_are_written_as_the_shortest_text_that_reads_back_equal(value):
    written = fields.float_texts()[field(value)].decode()
    assert fields.float8(field(value)) == value or math.isnan(value)
    assert float(written) == value or (math.isnan(value) and written == "NaN")


def test_infinite_floats_are_written_as_postgresql_does():
    texts = fields.float_texts()
    assert [texts[field(value)] for value in (math.inf, -math.inf, math.nan)] == [b"Infinity", b"-Infinity", b"NaN"]


def test_booleans():
    assert [fields.boolean(field(value)) for value in (True, False)] == [True, False]


@given(INSTANTS)
def test_times_are_iso_utc_with_six_decimals_always(moment):
    assert fields.timestamptz(field(moment)) == moment.strftime("%Y-%m-%dT%H:%M:%S.%f").zfill(26) + "Z"


def test_times_beyond_what_python_knows():
    day = 86_400_000_000
    assert fields.timestamptz(field(Big(0))) == "2000-01-01T00:00:00.000000Z"
    assert fields.timestamptz(field(Big(-1))) == "1999-12-31T23:59:59.999999Z"
    after_9999 = (datetime(9999, 12, 31, tzinfo=UTC) - EPOCH) // timedelta(microseconds=1) + day
    assert fields.timestamptz(field(Big(after_9999))) == "+010000-01-01T00:00:00.000000Z"
    # PostgreSQL's own ends, to_char'ed there: 294276-12-31 and 4714-11-24 BC, which is the year -4713.
    assert fields.timestamptz(field(Big(9223371331200000000 - 1))) == "+294276-12-31T23:59:59.999999Z"
    assert fields.timestamptz(field(Big(-211813488000000000))) == "-004713-11-24T00:00:00.000000Z"


def test_infinite_times_keep_postgresqls_words():
    assert fields.timestamptz(field(Big(2**63 - 1))) == "infinity"
    assert fields.timestamptz(field(Big(-(2**63)))) == "-infinity"


def test_jsonb_is_its_text():
    assert fields.jsonb(field(Jsonb(text='{"a": "é"}'))) == '{"a": "é"}'.encode()


@pytest.mark.parametrize(
    ("read", "damaged"),
    [
        (fields.int4, b"\x00" * 3),
        (fields.int8, b"\x00" * 4),
        (fields.float8, b""),
        (fields.boolean, b"\x02"),
        (fields.timestamptz, b"\x00" * 7),
        (fields.jsonb, b"\x02{}"),
        (fields.jsonb, b""),
        (fields.text, b"\xff"),
    ],
)
def test_fields_that_are_not_of_their_type_are_integrity_errors(read, damaged):
    with pytest.raises(IntegrityError):
        read(damaged)


def test_caches_stay_small():
    texts, times = fields.int_texts(), fields.Timestamps()
    for number in range(3 * fields.KEPT_TEXTS):
        assert texts[struct.pack(">i", number)] == b"%d" % number
        times.text(struct.pack(">q", number * 1_000_000))
    assert len(texts) <= fields.KEPT_TEXTS
    assert len(times) <= fields.KEPT_TEXTS
