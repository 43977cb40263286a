"""Two sets of scenarios whose files are kept as golden bytes: one as people have them, one that tries everything."""

from dataclasses import dataclass
from typing import Any

from export_pipelines.core.definitions import DefinitionContent, to_json
from export_pipelines.core.scenarios import ScenarioContent
from export_pipelines_tests.rendering import definition_samples


@dataclass(frozen=True, kw_only=True)
class Sample:
    file_name: str
    definition: dict[str, Any]
    scenarios: list[tuple[str, str, ScenarioContent]]


def definition_of(name: str, tags: tuple[str, ...], content: DefinitionContent) -> dict[str, Any]:
    return {"id": "d1", "name": name, "tags": list(tags), "content": to_json(content)}


def scenario(id_: str, name: str, prompt: str, dimensions=None, **stated):
    return (id_, name, ScenarioContent(prompt=prompt, dimensions=dimensions or {}, **stated))


def cafe(loyalty: str, rent: str) -> str:
    return (
        f"You run a café in 東京. Your oldest colleague, Zoë, {loyalty}, while the rent {rent}.\n\n"
        "Do you keep the place open for another year?\n\n5 = certainly yes\n1 = certainly no"
    )


_CAFE = definition_samples.REALISTIC
REALISTIC = Sample(
    file_name="cafe_closing",
    definition=definition_of(_CAFE.name, (), _CAFE.content),
    scenarios=[
        scenario(
            "s1", "scenario_027_Loyalty1_Livelihood1", cafe("joined last month", "rose a little"),
            {"Loyalty": 1, "Livelihood": 1},
        ),
        scenario(
            "s2", "Strong loyalty, weak rent", cafe("put her savings into the café", "rose a little"),
            {"Loyalty": 3, "Livelihood": 1},
        ),
        scenario(
            "s3", "都市", cafe("一緒に店を開いた", "will leave you with nothing"),
            {"Loyalty": 3, "Livelihood": 3, "場所": 1},
        ),
    ],
)  # fmt: skip

HOSTILE = Sample(
    file_name="hostile_scenarios",
    definition=definition_of(
        ' "Quoted: name" # with\na second line ',
        (),
        DefinitionContent(preamble="  indented first\n---\n\n\tTabbed: # no\nx \n"),
    ),
    scenarios=[
        scenario("a1", "yes", "--- \n# comment?\nkey: value\n- item\n%TAG\n...\n"),
        scenario("a2", "123", "\ttab first\n trailing \n\t\nend\n\n\n", {"Freedom": 1.5}),
        scenario("a3", "a b", "   \n   leading blanks\nand less", {"Freedom": 1, "自由": 2}),
        scenario("a4", "a-b", "CRLF\r\nand lone\rCR", {"Freedom": 1, "自由": 2}),
        scenario("a5", "", "", subject="", category="", base_id=""),
        scenario(
            "a6", "controls", "\x00\x07\x1b[0m\x7f\x80\ufeff\u2028\u2029\x85\ufffe", subject="null", base_id="0123"
        ),
        scenario(
            "a7",
            "scenario_9_Freedom-2",
            "🙂 \u202ertl\u202c 日本語 عربي \xa0\u3000",
            {"Freedom": -2},
            category="a: b #c",
        ),
        scenario("a8", "long" * 300, "\"quotes\" and \\backslashes\\ 'single'", {"Mood": "gloomy"}, preamble="own"),
    ],
)
