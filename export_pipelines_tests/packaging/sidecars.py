"""Sidecars as hypothesis draws them, and the one that belongs to a file made in a test."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import strategies as st

from export_pipelines.core.fidelity import FidelityNote
from export_pipelines.core.frozen import SnapshotFacts
from export_pipelines.packaging.archive import ArchiveLayout
from export_pipelines.packaging.flat import FlatLayout
from export_pipelines.packaging.sidecar import (
    FileFacts,
    JobFacts,
    MemberFacts,
    MemberList,
    ShardFacts,
    SidecarManifest,
)

NOON = datetime(2025, 3, 1, 12, 30, 0, 250_000, tzinfo=UTC)

PLAIN = SidecarManifest(
    job=JobFacts(id="cjob", attempt=2, type="BULK_CSV", title="Ethics — März", user_id="cuser"),
    subject={"kind": "run", "id": "crun", "name": "日本"},
    options={"profile": "flat", "limits": [1, 2.5, None]},
    snapshot=SnapshotFacts(id="00000003-0000001B-1", taken_at=NOON, wal_lsn="0/16B3748"),
    versions={"export_pipelines": "0.1.0", "python": "3.11.7"},
    created_at=NOON,
    file=FileFacts(name="f.csv", size=3, sha256="ab", media_type="text/csv", format="csv"),
    record_count=0,
    counted_rows=0,
    partial=False,
    shards=(),
)

TEXT = st.text(max_size=12)
COUNTS = st.integers(0, 1 << 60)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)
TIMES = st.datetimes(timezones=st.just(UTC))
MEMBERS = st.builds(MemberFacts, name=TEXT, size=COUNTS, sha256=TEXT, record=st.booleans(), rows=st.none() | COUNTS)
SIDECARS = st.builds(
    SidecarManifest,
    job=st.builds(JobFacts, id=TEXT, attempt=COUNTS, type=TEXT, title=TEXT, user_id=TEXT),
    subject=st.dictionaries(TEXT, JSON, max_size=3),
    options=st.dictionaries(TEXT, JSON, max_size=3),
    snapshot=st.builds(SnapshotFacts, id=TEXT, taken_at=TIMES, wal_lsn=st.none() | TEXT),
    versions=st.dictionaries(TEXT, TEXT, max_size=3),
    created_at=TIMES,
    file=st.builds(
        FileFacts, name=TEXT, size=COUNTS, sha256=TEXT, media_type=TEXT, format=TEXT, codec=st.just("gzip") | TEXT
    ),
    record_count=COUNTS,
    counted_rows=COUNTS,
    partial=st.booleans(),
    shards=st.lists(
        st.builds(
            ShardFacts,
            index=COUNTS,
            rows=COUNTS,
            records=COUNTS,
            offset=st.none() | COUNTS,
            size=st.none() | COUNTS,
            sha256=st.none() | TEXT,
        ),
        max_size=2,
    ).map(tuple),
    fidelity=st.lists(
        st.builds(
            FidelityNote,
            kind=TEXT,
            where=TEXT,
            detail=TEXT,
            count=COUNTS,
            examples=st.lists(TEXT, max_size=2).map(tuple),
        ),
        max_size=2,
    ).map(tuple),
    members=st.none() | st.lists(MEMBERS, max_size=2).map(tuple),
    member_list=st.none() | st.builds(MemberList, count=COUNTS, manifest=MEMBERS),
)


def facts_of(data: bytes, *, format_name: str, codec: str = "none") -> FileFacts:
    return FileFacts(
        name="file",
        size=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        media_type="application/octet-stream",
        format=format_name,
        codec=codec,
    )


def of_flat(data: bytes, layout: FlatLayout, *, format_name: str, codec: str = "none") -> SidecarManifest:
    return replace(
        PLAIN,
        file=facts_of(data, format_name=format_name, codec=codec),
        record_count=layout.records,
        counted_rows=layout.records,
        shards=layout.shards,
    )


def of_archive(data: bytes, layout: ArchiveLayout) -> SidecarManifest:
    return replace(
        PLAIN,
        file=facts_of(data, format_name="zip"),
        record_count=layout.records,
        members=layout.listing,
        member_list=MemberList(count=layout.members, manifest=layout.manifest),
    )
