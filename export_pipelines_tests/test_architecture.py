"""The shape of the project: layers, sizes, and what importing may do."""

import subprocess
import sys
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "export_pipelines"
SOURCES = sorted(path for path in PACKAGE.rglob("*.py") if "versions" not in path.parts)
LONGEST = 300
MEDIAN = 100


def test_imports_go_downward_only_and_every_folder_has_its_place() -> None:
    done = subprocess.run(
        [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"],
        cwd=PACKAGE.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_no_file_is_longer_than_a_person_reads_at_once() -> None:
    long = {str(path.relative_to(PACKAGE)): len(path.read_text().splitlines()) for path in SOURCES}
    assert {name: lines for name, lines in long.items() if lines > LONGEST} == {}
    lines = sorted(long.values())
    assert lines[len(lines) // 2] < MEDIAN


def test_the_definitions_load_in_a_fresh_process_with_nothing_set_and_nothing_heavy() -> None:
    program = (
        "import sys\n"
        "from export_pipelines.definitions import defs\n"
        "from dagster import Definitions\n"
        "assert isinstance(defs, Definitions)\n"
        "print(sorted(defs.resolve_all_job_names()) if hasattr(defs, 'resolve_all_job_names') else 'ok')\n"
        "heavy = {'pandas', 'pyarrow', 'boto3', 'fastapi', 'openpyxl'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, env={"PATH": "/usr/bin:/bin"}
    )
    assert done.returncode == 0, done.stderr


def test_every_test_folder_mirrors_a_folder_of_the_package() -> None:
    tests = Path(__file__).parent
    folders = {str(path.parent.relative_to(tests)) for path in tests.rglob("test_*.py")}
    missing = {folder for folder in folders if folder not in {"."} and not (PACKAGE / folder).is_dir()}
    assert missing == set()
