"""``export-pipelines import``: what was exported comes back the same, and what is broken is named by its line."""

from pathlib import Path

import pytest

from export_pipelines.db import jobs
from export_pipelines.db.evaluation import definitions
from export_pipelines.db.seed import SHOWCASE_DEFINITION_ID
from export_pipelines_tests.deployments import Deployment


def exported(deployment: Deployment, type_name: str, definition_id: str, folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    arguments = ("--definition-id", definition_id, "--out", folder, "--json")
    return Path(deployment.run("export", type_name, *arguments).json["local_path"])


def imported(deployment: Deployment, *arguments: str | Path) -> str:
    """The id of the definition that the import made or added to."""
    done = deployment.run("import", *arguments)
    assert (done.status, done.err) == (0, ""), done
    return done.out.split()[1]


def test_a_definition_comes_back_with_the_same_bytes(deployment: Deployment, tmp_path: Path) -> None:
    original = exported(deployment, "DEFINITION_MD", SHOWCASE_DEFINITION_ID, tmp_path / "original")
    refused = deployment.run("import", "definition", original)
    assert (refused.status, refused.out) == (2, "")
    assert "Give --fork-of" in refused.err
    assert "or --rename another name" in refused.err
    fork = imported(deployment, "definition", original, "--fork-of", SHOWCASE_DEFINITION_ID)
    again = exported(deployment, "DEFINITION_MD", fork, tmp_path / "fork")
    assert (again.name, again.read_bytes()) == (original.name, original.read_bytes())
    renamed = imported(deployment, "definition", original, "--rename", "Another name")
    other = exported(deployment, "DEFINITION_MD", renamed, tmp_path / "renamed").read_text(encoding="utf-8")
    assert other.replace("name: Another name\n", "", 1) == "".join(
        line for line in original.read_text(encoding="utf-8").splitlines(keepends=True) if not line.startswith("name: ")
    )


def test_scenarios_come_back_with_the_same_bytes_into_a_definition_of_their_own(
    deployment: Deployment, tmp_path: Path
) -> None:
    original = exported(deployment, "SCENARIOS_YAML", SHOWCASE_DEFINITION_ID, tmp_path / "original")
    own = imported(deployment, "scenarios", original)
    again = exported(deployment, "SCENARIOS_YAML", own, tmp_path / "again")
    assert (again.name, again.read_bytes()) == (original.name, original.read_bytes())
    twice = deployment.run("import", "scenarios", original, "--definition-id", own)
    assert (twice.status, twice.out) == (2, "")
    assert "are there already" in twice.err


BROKEN = {
    "definition": [
        (b"", "the file is empty"),
        (b"# Preamble\n\ntext\n", "line 1"),
        (b"---\nname: A\n---\n\n# Template\n\n\xff\n", "line 7"),
        (b"---\nname: A\n---\n\n# Preamble\n\nText\n\n# Elsewhere\n\nText\n", "line 9"),
        (b"PK\x03\x04", "line 1"),
    ],
    "scenarios": [
        (b"", "the file is empty"),
        (b"scenarios:\n  a: {\n", "line 3"),
        (b"preamble: x\nscenarios: {}\n", "no scenarios"),
        (b"scenarios:\n  a:\n    body: x\n  a:\n    body: y\n", "line 4"),
        (b"scenarios:\n  a: !!python/object:os.system {}\n", "line 2"),
    ],
}


@pytest.mark.parametrize(
    ("kind", "data", "line"), [(kind, *case) for kind, cases in BROKEN.items() for case in cases], ids=repr
)
def test_a_broken_file_is_refused_with_the_line_and_nothing_is_stored(
    shared: Deployment, tmp_path: Path, kind: str, data: bytes, line: str
) -> None:
    before = definitions.list_all(shared.database)
    file = tmp_path / "broken"
    file.write_bytes(data)
    refused = shared.run("import", kind, file)
    assert (refused.status, refused.out) == (2, "")
    assert refused.err.startswith(f"error: {file}: ")
    assert line in refused.err
    assert refused.err.count("\n") == 1
    assert definitions.list_all(shared.database) == before
    assert jobs.list_jobs(shared.database) == ()
