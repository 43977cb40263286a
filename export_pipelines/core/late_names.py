"""A package's names whose files are imported when somebody first asks for one of them."""

import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module


def late_names(package: str, files: Mapping[str, Sequence[str]]) -> Callable[[str], object]:
    """What the package takes for its ``__getattr__`` (PEP 562).

    Args:
        package: its ``__name__``.
        files: what each of its files has to give, by the file's name without ``.py``.

    Raises:
        AttributeError: of what is returned: none of the files has the name.
    """
    file_of = {name: file for file, names in files.items() for name in names}

    def find(name: str) -> object:
        if name not in file_of:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value: object = getattr(import_module(f"{package}.{file_of[name]}"), name)
        # The next one finds it without us.
        setattr(sys.modules[package], name, value)
        return value

    return find
