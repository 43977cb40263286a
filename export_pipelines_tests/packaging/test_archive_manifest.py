"""The archive's own manifest: YAML to everybody, lines to us."""

import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from export_pipelines.core.archive import Absent
from export_pipelines.packaging.archive_manifest import absent_text, head_text, member_text, read_members
from export_pipelines.packaging.sidecar import MemberFacts
from export_pipelines_tests.packaging.archive_entries import ABSENCES, NAMES

# YAML writes no lone surrogate, and UTF-8 neither; PostgreSQL's text holds none.
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
SCALARS = TEXT | st.integers() | st.none() | st.booleans() | st.just("no") | st.just("2025-01-01")
HEADS = st.dictionaries(
    TEXT.filter(bool), SCALARS | st.dictionaries(TEXT, SCALARS | st.lists(SCALARS, max_size=3), max_size=3), max_size=3
)
MEMBERS = st.lists(
    st.builds(
        MemberFacts,
        name=NAMES,
        size=st.integers(0, 1 << 50),
        sha256=st.text("0123456789abcdef", min_size=64, max_size=64),
        record=st.booleans(),
        rows=st.none() | st.integers(0, 1 << 50),
    ),
    max_size=6,
)


def text_of(head: dict[str, object], members: list[MemberFacts], absent: list[Absent]) -> str:
    records = sum(member.record for member in members)
    return "".join(
        [
            head_text(head, members=len(members), records=records, absent=len(absent)),
            *map(member_text, members),
            *absent_text(absent),
        ]
    )


@given(head=HEADS, members=MEMBERS, absent=st.lists(ABSENCES, max_size=4))
@example(head={"next\x85line": "\x85", "a": ["\u2028", "b\r\nc", "\u2029d\n"]}, members=[], absent=[])
def test_any_yaml_reader_takes_it_whole(head, members, absent) -> None:
    found = yaml.safe_load(text_of(head, members, absent))
    counts = {"members": len(members), "records": sum(member.record for member in members), "absent": len(absent)}
    assert {**head, "counts": counts}.items() <= found.items() or set(head) & {"counts", "members", "absent"}
    assert found["members"] == [
        {"name": member.name, "size": member.size, "sha256": member.sha256}
        | ({"record": True} if member.record else {})
        | ({} if member.rows is None else {"rows": member.rows})
        for member in members
    ]
    assert found["absent"] == [{"id": row.id, "reason": row.reason} for row in absent]


@given(head=HEADS, members=MEMBERS, absent=st.lists(ABSENCES, max_size=4), cut=st.integers(1, 60))
def test_our_reader_takes_it_line_by_line(head, members, absent, cut) -> None:
    data = text_of(head, members, absent).encode()
    assert list(read_members(data[at : at + cut] for at in range(0, len(data), cut))) == members


def test_it_reads_like_something_a_person_wrote() -> None:
    member = MemberFacts(name="run/é.md", size=3, sha256="0" * 64, record=True)
    assert text_of({"run": {"id": "r1", "name": "Crème"}}, [member], [Absent("t9", "expired")]) == (
        "run:\n  id: r1\n  name: Crème\n"
        "counts:\n  members: 1\n  records: 1\n  absent: 1\n"
        f'members:\n- {{name: "run/é.md", size: 3, sha256: "{"0" * 64}", record: true}}\n'
        'absent:\n- {id: "t9", reason: "expired"}\n'
    )
