"""Golden files: bytes that must not change unless somebody means it.

To accept a change: delete the file under ``golden/``, run the test (it writes the file anew and fails once, so that
nobody accepts by accident), read the difference with ``git diff``, and commit it.
"""

from pathlib import Path

import pytest

GOLDEN = Path(__file__).parent / "golden"


def assert_golden(name: str, data: bytes) -> None:
    """Fail on any byte of difference between ``data`` and the golden file ``name``."""
    path = GOLDEN / name
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        pytest.fail(f"{name} was not there and has been written; read it, commit it, and run again")
    expected = path.read_bytes()
    if data != expected:
        pytest.fail(f"{name} differs {_first_difference(expected, data)}; to accept, delete it and run again")


def _first_difference(expected: bytes, actual: bytes) -> str:
    both = zip(expected, actual, strict=False)
    offset = next((i for i, (left, right) in enumerate(both) if left != right), min(len(expected), len(actual)))
    line = expected.count(b"\n", 0, offset) + 1
    window = slice(max(0, offset - 30), offset + 30)
    return f"at byte {offset}, line {line}: expected {expected[window]!r}, got {actual[window]!r}"
