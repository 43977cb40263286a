import yaml
from hypothesis import given
from hypothesis import strategies as st

from export_pipelines.rendering import frontmatter
from export_pipelines_tests.rendering.hostile import TEXTS


@given(st.dictionaries(st.from_regex(r"[a-z_]{1,8}", fullmatch=True), TEXTS | st.integers() | st.none(), max_size=5))
def test_lines_joined_are_the_mapping_in_order(values):
    text = "".join(frontmatter.line(key, value) for key, value in values.items())
    assert list((yaml.safe_load(text) or {}).items()) == list(values.items())
    assert text == (frontmatter.dump(values) if values else "")


@given(TEXTS)
def test_no_value_ends_the_frontmatter_early(text):
    written = frontmatter.line("key", text)
    assert not written.startswith("---")
    assert "\n---" not in written


def test_text_of_every_script_stands_as_it_is():
    assert frontmatter.line("a", "日本 é") == "a: 日本 é\n"


def test_long_values_are_not_folded():
    assert frontmatter.line("a", "word " * 100 + "end").count("\n") == 1
