"""What things are called inside a run bundle: folders, files, and the numbers that the judge knows scenarios by."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

from export_pipelines.core.errors import IntegrityError
from export_pipelines.core.frozen import Context
from export_pipelines.core.names import file_part, unique_parts

PART_BYTES = 64
"""Longest part of a file name: three of them and the rest stay below the 255 bytes that file systems allow."""

NO_SCENARIO = ""
"""Stands for the scenario of a transcript that has none; no id is empty."""

# Halves of surrogate pairs, and the second block of control characters, are refused in archives.
_UNSTORABLE = re.compile("[\ud800-\udfff\x80-\x9f]")


def part(text: str) -> str:
    """One component of a file name: dot-free, legal on Windows, in the composed form that macOS makes of it anyway."""
    legal = file_part(_UNSTORABLE.sub("-", unicodedata.normalize("NFC", text)))
    return legal.encode()[:PART_BYTES].decode(errors="ignore")


def folder_of(context: Context) -> str:
    """The bundle's one folder at the top."""
    return f"run_{part(context['run']['id'])}"


class BundleNames:
    """The names in one bundle; they depend on its context alone, and on no row.

    Attributes:
        numbers_a_sample: how many judge's numbers one round of samples takes.
    """

    def __init__(self, context: Context) -> None:
        scenarios = [scenario["id"] for scenario in context["scenarios"]]
        models = [model["id"] for model in context["models"]]
        self.folder = folder_of(context)
        self.run_directory = f"{self.folder}/transcripts"
        self.lines = f"{self.folder}/transcripts.jsonl"
        self._run = part(context["run"]["id"])
        self._scenarios = unique_parts([*_wanted(scenarios), (NO_SCENARIO, "none")])
        self._models = unique_parts(_wanted(models))
        self._numbers = {id_: number for number, id_ in enumerate([*scenarios, NO_SCENARIO], start=1)}
        self.numbers_a_sample = len(self._numbers)
        self._anonymous = {id_: f"anon_model_{number:03d}" for number, id_ in enumerate(models, start=1)}

    def transcript(self, scenario: str, model: str, sample: int) -> str:
        """The transcript's own file; further samples are told apart in the last part, which the tools do not read."""
        run = self._run if sample == 1 else f"{self._run}-{sample}"
        return f"{self.run_directory}/transcript.{self._scenarios[scenario]}.{self._models[model]}.{run}.md"

    def aggregated(self, model: str) -> str:
        """The file with all transcripts of a model."""
        return f"{self.run_directory}/aggregated_transcript.{self._anonymous[model]}.md"

    def anonymous(self, model: str) -> str:
        """The name that the judge knows the model by."""
        return self._anonymous[model]

    def judged(self, scenario: str, sample: int = 1) -> str:
        """The id that the judge knows a scenario's sample by.

        It takes each heading for a scenario of its own, and two of one id for the same, so every further sample of a
        scenario gets a number beyond those of the sample before.
        """
        return f"scenario_{self._numbers[scenario] + (sample - 1) * self.numbers_a_sample:03d}"

    def check(self, transcript: str, scenario: str, model: str) -> None:
        """Nothing, when the bundle's lists have the transcript's scenario and model.

        Raises:
            IntegrityError: the context and the rows are not of one snapshot.
        """
        for kind, id_, known in (("scenario", scenario, self._scenarios), ("model", model, self._models)):
            if id_ not in known:
                raise IntegrityError(
                    f"transcript {transcript} is of {kind} {id_}, which the frozen context does not list; start the "
                    "export again."
                )


def _wanted(ids: Iterable[str]) -> list[tuple[str, str]]:
    return [(id_, part(id_)) for id_ in ids]


def scenario_numbers(context: Context, names: BundleNames) -> dict[str, Mapping[str, Any]]:
    """The judge's numbers with what they stand for, in order."""
    return {
        names.judged(scenario["id"]): {"id": scenario["id"], "name": scenario["name"]}
        for scenario in context["scenarios"]
    }
