"""Rounds of schemathesis over a running service: all of its checks, and how many requests they came to."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")
TREE = Path(__file__).parents[2]

NASTY = (
    "a\x00b",
    "\u202egnp.exe",
    "../../../../etc/passwd",
    "..%2f..%2fetc%2fpasswd",
    "'; DROP TABLE exports.export_jobs; --",
    "%00",
    "%zz",
    "{{7*7}}",
    "<script>alert(1)</script>",
    "\r\nSet-Cookie: a=b",
    "𝔘𝔫𝔦𝔠𝔬𝔡𝔢",
    "@latest",
    "@yesterday",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999999-23:59",
)
"""Texts that have broken services before, and words that mean something here."""

UNSENT = "".join(map(chr, (*range(9), *range(10, 32), 127)))
"""What no header may hold in HTTP: the server refuses it before there is a request."""

_CONFIG = """\
hooks = "export_pipelines_tests.fuzz.checks"
request-timeout = 20.0
max-stream-events = 1

[generation]
exclude-header-characters = {unsent}
database = "none"
# Who asks is given; that nobody else is answered, a check of its own finds out.
with-security-parameters = false

[generation.dictionaries]
string = {{ dictionary = "texts", probability = 0.15 }}

[dictionaries.texts]
values = {texts}

{ids}
[dictionaries.event_ids]
values = ["0", "1", "007", "-1", "1e3", "99999999999999999999999"]

[parameters]
"header.last-event-id" = {{ dictionary = "event_ids", probability = 0.5 }}
{bindings}

# What a description cannot say: which names exist, and what goes together. `shape_as_described` has the rest.
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "401", "403", "404", "409", "410", "422", "429"]

# Ending an export that is not over only cancels it; its row stays to be seen.
[[operations]]
include-path-regex = "^/api/exports"
checks.use_after_free.enabled = false
"""


@dataclass(frozen=True, kw_only=True)
class Round:
    """How one round went.

    Attributes:
        cases: requests that were made and looked at.
        said: what schemathesis printed.
    """

    cases: int
    failures: int
    seconds: float
    said: str


def drive(
    url: str, *, key: str, examples: int, seed: int, folder: Path, ids: Mapping[str, Sequence[str]], phases: str = "all"
) -> Round:
    """Go through every operation once, with so many examples of each.

    Args:
        url: of the service.
        key: whose rights it is done with.
        examples: the most that are thought up for one operation, beside the cases at its bounds.
        seed: the same seed and service give the same requests.
        folder: for its own files.
        ids: of things that exist, by the parameter of a path that they fit.
        phases: some of ``examples,coverage,fuzzing,stateful``; all otherwise.
    """
    config, report = folder / "schemathesis.toml", folder / "report.json"
    config.write_text(_configured(ids), encoding="utf-8")
    report.unlink(missing_ok=True)
    words = [f"--config-file={config}", "run", f"{url}/api/openapi.json", f"--header=Authorization: Bearer {key}"]
    words += [f"--max-examples={examples}", f"--seed={seed}", f"--report-json-path={report}", "--no-color"]
    words += ["--continue-on-failure", "--warnings=off", "--suppress-health-check=all"]
    if phases != "all":
        words.append(f"--phases={phases}")
    began = time.monotonic()
    done = subprocess.run(
        [SCHEMATHESIS, *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(TREE), "COLUMNS": "120"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    if not report.exists():
        raise AssertionError(f"schemathesis did not come to an end:\n{done.stdout}\n{done.stderr}")
    told = json.loads(report.read_text(encoding="utf-8"))
    failures = told["test_cases"]["unique_failures"] + len(told["errors"])
    # An exit status that its own report does not explain counts, too.
    failures = failures or int(done.returncode != 0)
    return Round(
        cases=told["test_cases"]["generated"],
        failures=failures,
        seconds=time.monotonic() - began,
        said=done.stdout + done.stderr,
    )


def _configured(ids: Mapping[str, Sequence[str]]) -> str:
    names = [f"[dictionaries.{name}]\nvalues = {_strings(values)}\n" for name, values in ids.items()]
    bindings = [f'"path.{name}" = {{ dictionary = "{name}", probability = 0.5 }}' for name in ids]
    return _CONFIG.format(
        texts=_strings(NASTY), unsent=json.dumps(UNSENT), ids="\n".join(names), bindings="\n".join(bindings)
    )


def _strings(values: Sequence[str]) -> str:
    # TOML's strings are JSON's, but for pairs of surrogates.
    return json.dumps(list(values), ensure_ascii=False)
