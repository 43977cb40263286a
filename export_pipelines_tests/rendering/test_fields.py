import math
import struct
import tracemalloc
from datetime import UTC, datetime, timedelta
from decimal import Decimal

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
    assert fields.int_text(field(value)) == str(value).encode()


@given(st.integers(-(2**63), 2**63 - 1))
def test_integers_of_eight_bytes(value):
    assert fields.int8(field(Big(value))) == value


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_floats_are_written_as_the_shortest_text_that_reads_back_equal(value):
    assert fields.float8(field(value)) == value
    written = fields.float_text(field(value)).decode()
    assert float(written) == value
    assert Decimal(written) == Decimal(repr(value))


def test_floats_that_are_not_finite_have_postgresqls_words():
    values = [field(value) for value in (math.inf, -math.inf, math.nan)]
    assert [fields.float_text(value) for value in values] == [b"", b"", b""]
    assert [fields.non_finite_text(value) for value in values] == [b"Infinity", b"-Infinity", b"NaN"]


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
    texts, times = fields.Texts(fields.int_text, null=b"none"), fields.Timestamps()
    for number in range(2 * fields.KEPT_TEXTS):
        assert texts[struct.pack(">i", number)] == b"%d" % number
        assert texts[None] == b"none"
        times.text(struct.pack(">q", number * 86_400_000_000))
    assert len(texts) <= fields.KEPT_TEXTS + 1
    assert len(times) <= fields.KEPT_TEXTS


@given(INSTANTS)
def test_times_can_be_quoted(moment):
    times = fields.Timestamps(quote=b'"', null=b"null")
    assert times.text(field(moment)) == f'"{fields.timestamptz(field(moment))}"'.encode()
    assert times.text(None) == b"null"
    assert times.text(field(Big(2**63 - 1))) == b'"infinity"'


def test_damage_met_in_passing_becomes_an_integrity_error():
    for cause in (lambda: fields.int_text(b"1"), b"\xff".decode):
        with pytest.raises(IntegrityError, match="a frozen row is damaged"), fields.damaged_rows_named():
            cause()


def test_a_kept_text_takes_no_more_memory_than_its_bytes() -> None:
    texts = fields.Texts(fields.int_text, null=b"")
    packed = [struct.pack(">i", number) for number in range(1000)]
    tracemalloc.start()
    for one in packed:
        assert texts[one] == b"%d" % struct.unpack(">i", one)
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 150 * len(packed)
