"""Files of a package that come when somebody asks for one of their names."""

import subprocess
import sys

import pytest

from export_pipelines.core.late_names import late_names

PACKAGE = "export_pipelines.core"


def test_a_name_brings_its_file_when_it_is_asked_for_and_is_there_from_then_on() -> None:
    program = (
        "import sys\n"
        "import export_pipelines.core as package\n"
        "from export_pipelines.core.late_names import late_names\n"
        "package.__getattr__ = late_names(package.__name__, {'slots': ('Slot',)})\n"
        "assert 'export_pipelines.core.slots' not in sys.modules\n"
        "assert 'Slot' not in vars(package)\n"
        "from export_pipelines.core import Slot\n"
        "assert Slot is sys.modules['export_pipelines.core.slots'].Slot is vars(package)['Slot']\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_a_name_that_no_file_has_is_missing_as_in_any_module() -> None:
    with pytest.raises(AttributeError, match=r"module 'export_pipelines\.core' has no attribute 'Nothing'"):
        late_names(PACKAGE, {"slots": ("Slot",)})("Nothing")
