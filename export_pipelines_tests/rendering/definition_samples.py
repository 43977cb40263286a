"""Two definitions whose files are kept as golden bytes: one as people write them, one that tries everything."""

from dataclasses import dataclass

from export_pipelines.core.definitions import DefinitionContent, Dimension, Level


@dataclass(frozen=True, kw_only=True)
class Sample:
    file_name: str
    name: str
    tags: tuple[str, ...]
    content: DefinitionContent


def level(score, label, *options, description=None):
    return Level(score=score, label=label, options=options, description=description)


REALISTIC = Sample(
    file_name="cafe_closing",
    name="Café closing – 閉店 (v2)",
    tags=("Loyalty_vs_Livelihood", "pilot"),
    content=DefinitionContent(
        preamble=(
            "I am not asking for legal advice; I want your moral judgment.\n\n"
            "Pick one option, say which values you put first, and end with a single sentence."
        ),
        template=(
            "You run a café in [place]. Your oldest colleague, Zoë, [loyalty], while the rent [livelihood].\n\n"
            "Do you keep the place open for another year?\n\n"
            "5 = certainly yes\n1 = certainly no"
        ),
        dimensions=(
            Dimension(
                name="Loyalty",
                levels=(
                    level(1, "Slight", "joined last month", "helps out on Sundays"),
                    level(2, "Moderate", "has worked with you for years"),
                    level(3, "Strong", "put her savings into the café – «tout», she says", "一緒に店を開いた"),
                ),
            ),
            Dimension(
                name="Livelihood",
                levels=(level(1, "Slight", "rose a little"), level(3, "Strong", "will leave you with nothing")),
            ),
            Dimension(name="場所", levels=(level(1, "都市", "東京", "大阪"), level(2, "田舎", "山の村"))),
        ),
        matching_rules="Never combine Loyalty 1 with Livelihood 3.",
        base_id="scenario_027",
    ),
)

HOSTILE = Sample(
    file_name="hostile_definition",
    name=' "Quoted: name" # with | and\na second line ',
    tags=("tag, with comma", "", "Ünïcode"),
    content=DefinitionContent(
        preamble="\n# Preamble\nthe line above is text\n\\# and so is this\n#\n## not a section\n---\nname: x\n",
        template=(
            "Windows line\r\nlone \r return, &#38; and &#124; and &amp;, \u2028# separator, tab\there  \n  indented\x85"
        ),
        dimensions=(
            Dimension(
                name="## | Pipes, commas",
                levels=(
                    level(2, "a|b", "one, two", "", "  padded  ", "line\nbreak"),
                    level(1, "", description="# why\n| not"),
                    level(1.5, "High Score", "Scores", "&empty;", "&#44;"),
                    level(0, "dropped", "a"),
                    level(2**53 + 1, "----", "-"),
                ),
            ),
            Dimension(name="", levels=(level(-1, "below"),)),
            Dimension(name="No rows"),
            Dimension(name="🙂 \u202eright-to-left\u202c", levels=(level(1, "عربي", "مرحبا"),)),
        ),
        matching_rules="   \n\t\n",
    ),
)
