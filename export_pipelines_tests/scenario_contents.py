"""Strategies for sets of scenarios: keys that collide, scores of every kind, texts that YAML finds hard."""

from hypothesis import strategies as st

from export_pipelines.core.scenarios import ScenarioContent
from export_pipelines_tests.definition_contents import ANY_TEXT, FRAGMENTS

# NUL included: YAML holds it between double quotes. Lone surrogates have tests of their own.
YAML_TEXT = st.one_of(
    st.lists(
        st.one_of(
            FRAGMENTS,
            st.sampled_from(
                ["\x00", "\x07", "\x7f", "\x80", "\ufffe", "\uffff", "\U0010ffff", "- a", "? ", "...", "'"]
            ),
            st.sampled_from(
                ["null", "yes", "1e3", "0x1f", "1_000", "2024-01-01", "<<", "=", "*a", "&a ", "!t ", "@", "{"]
            ),
        ),
        max_size=8,
    ).map("".join),
    ANY_TEXT,
    st.lists(st.sampled_from(["a", " a", "\ta", "", " ", "  ", "\t", "a b", "#"]), max_size=8).map("\n".join),
)
NAMES = st.one_of(
    YAML_TEXT,
    st.sampled_from(
        ["a b", "a_b", "a-b", "a_b_2", "scenario_1", "scenario_012_Freedom1_Harmony2", "scenario 12 Freedom1"]
    ),
    st.sampled_from(["scenario_1_Physical_Safety1", "y", "no", "123", "_", "x" * 1500, "scenario_1_Freedom-1"]),
)
DIMENSION_NAMES = st.one_of(
    st.sampled_from(["Freedom", "Harmony", "Self Direction", "SelfDirection", "Égalité", "自由", "和", "Value2", ""]),
    ANY_TEXT,
)
SCORES = st.one_of(
    st.integers(1, 5),
    st.integers(-3, 10**12),
    st.sampled_from([1.0, 2.5, -0.0, 1e300, "high", "", "3"]),
    st.floats(-9, 9),
)
OPTIONAL_TEXT = st.one_of(st.none(), st.none(), YAML_TEXT)
CONTENTS = st.builds(
    ScenarioContent,
    prompt=YAML_TEXT,
    dimensions=st.dictionaries(DIMENSION_NAMES, SCORES, max_size=3),
    preamble=OPTIONAL_TEXT,
    subject=OPTIONAL_TEXT,
    category=OPTIONAL_TEXT,
    base_id=OPTIONAL_TEXT,
)
SCENARIOS = st.lists(st.tuples(NAMES, CONTENTS), min_size=1, max_size=5).map(
    lambda scenarios: [(f"s{index}", name, content) for index, (name, content) in enumerate(scenarios)]
)
