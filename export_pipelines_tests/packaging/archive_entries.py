"""Entries as hypothesis draws them: legal names, any content, members that several shards make up."""

from hypothesis import strategies as st

from export_pipelines.core.archive import Absent, Entry, Member, Piece
from export_pipelines.core.errors import IntegrityError
from export_pipelines.packaging.member_names import encode_name

SPANNING = ("all/transcripts.jsonl", "zz.md", "A")


def _legal(name: str) -> bool:
    try:
        encode_name(name)
    except IntegrityError:
        return False
    return True


NAMES = st.text(min_size=1, max_size=12).filter(_legal) | st.sampled_from(
    ["a", "run/x", "z/manifest", "run/é.md", "日/本"]
)
DATA = st.binary(max_size=300) | st.text(max_size=200).map(lambda text: text.encode(errors="replace") * 20)
PIECES = st.builds(Piece, name=st.sampled_from(SPANNING), data=DATA)
ABSENCES = st.builds(
    Absent, id=st.text(st.characters(exclude_categories=["Cs"]), max_size=5), reason=st.just("expired")
)


def _members(name: str) -> st.SearchStrategy[Member]:
    return st.builds(Member, name=st.just(name), data=DATA, record=st.booleans(), rows=st.none(), stored=st.booleans())


@st.composite
def shards(draw: st.DrawFn) -> list[list[Entry]]:
    """Entries of one to four shards, no name twice."""
    taken = {name.casefold() for name in SPANNING} | {"run/manifest.yaml"}
    found: list[list[Entry]] = [[] for _ in range(draw(st.integers(1, 4)))]
    for name in draw(st.lists(NAMES, max_size=10, unique_by=str.casefold)):
        if name.casefold() not in taken:
            draw(st.sampled_from(found)).append(draw(_members(name)))
    for entry in draw(st.lists(PIECES | ABSENCES, max_size=10)):
        draw(st.sampled_from(found)).append(entry)
    return found


def contents(shards: list[list[Entry]]) -> dict[str, bytes]:
    """What the archive must hold besides its manifest."""
    found: dict[str, bytes] = {}
    for entry in (entry for shard in shards for entry in shard):
        if isinstance(entry, Member):
            found[entry.name] = entry.data
        elif isinstance(entry, Piece):
            found[entry.name] = found.get(entry.name, b"") + entry.data
    return found
