"""The tables' files come one by one, and each brings those that its rows refer to."""

import subprocess
import sys
from types import ModuleType

import pytest

from export_pipelines.db import tables

ALL = tables.load_all()
FILE_OF = {mapper.local_table.fullname: sys.modules[mapper.class_.__module__] for mapper in ALL.registry.mappers}


def reached(file: ModuleType, seen: set[ModuleType]) -> set[ModuleType]:
    if file not in seen:
        seen.add(file)
        for brought in vars(file).values():
            if isinstance(brought, ModuleType) and brought.__name__.startswith(tables.__name__ + "."):
                reached(brought, seen)
    return seen


@pytest.mark.parametrize("table", sorted(FILE_OF))
def test_what_a_tables_rows_refer_to_comes_with_its_file(table: str) -> None:
    file = FILE_OF[table]
    targets = {FILE_OF[key.column.table.fullname] for key in ALL.metadata.tables[table].foreign_keys}
    assert targets <= reached(file, set())


def test_every_name_that_is_offered_is_there_and_no_other() -> None:
    assert all(getattr(tables, name) is not None for name in tables.__all__)
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        tables.Nothing  # noqa: B018


def test_a_file_stays_away_until_somebody_asks_for_it_and_everything_comes_when_asked_for() -> None:
    program = (
        "import sys\n"
        "from export_pipelines.db import tables\n"
        "files = lambda: {name for name in sys.modules if name.startswith('export_pipelines.db.tables.')}\n"
        "assert files() == {'export_pipelines.db.tables.base'}, files()\n"
        "tables.ExportJobRow\n"
        "assert files() == {'export_pipelines.db.tables.' + name for name in ('base', 'jobs', 'people')}, files()\n"
        "print(len(tables.load_all().metadata.tables))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert int(done.stdout) == len(ALL.metadata.tables)
