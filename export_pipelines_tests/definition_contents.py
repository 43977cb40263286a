"""Strategies for definitions: mostly plain, with every hostile text that the formats have rules for."""

from hypothesis import strategies as st

from export_pipelines.core.definitions import DefinitionContent, Dimension, Level

# Lone surrogates and NUL are left to tests of their own: nothing can keep them.
ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=12)
FRAGMENTS = st.sampled_from(
    [
        *["# ", "## ", "#", "\\# x", "\\", "|", ",", "---", "Score", "score", "`", '"', ":", "- ", "%"],
        *["&", "&#38;", "&#124;", "&#10;", "&#133;", "&empty;", "&amp;", "&#39;", "empty;", "#38;"],
        *["\n", "\r", "\r\n", "\n\n", "\t", " ", "  ", "\v", "\f", "\x1c", "\x1f", "\x85", "\u2028", "\u2029"],
        *["\ufeff", "\xa0", "\u3000", "é", "自由", "حرية", "🙂", "a", "word ", "[placeholder]"],
    ]
)
HOSTILE_TEXT = st.lists(FRAGMENTS, max_size=8).map("".join)
TEXT = st.one_of(HOSTILE_TEXT, ANY_TEXT, st.just("plain words"))

SCORES = st.one_of(
    st.integers(1, 5),
    st.integers(-3, 3),
    st.integers(-(10**25), 10**25),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([0.5, 1.5, 2.0, 1e300, -0.0, 10**310, 2**53 + 1]),
)
LEVELS = st.builds(
    Level,
    score=SCORES,
    label=TEXT,
    options=st.lists(TEXT, max_size=3).map(tuple),
    description=st.one_of(st.none(), st.none(), TEXT),
)
DIMENSIONS = st.builds(Dimension, name=TEXT, levels=st.lists(LEVELS, max_size=4).map(tuple))
CONTENTS = st.builds(
    DefinitionContent,
    preamble=TEXT,
    template=TEXT,
    dimensions=st.lists(DIMENSIONS, max_size=3).map(tuple),
    matching_rules=TEXT,
    base_id=st.one_of(st.none(), TEXT),
)
TAGS = st.lists(TEXT, max_size=3, unique=True)
