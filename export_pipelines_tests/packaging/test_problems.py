"""Findings: the first thousand by name, all by number."""

from export_pipelines.packaging.problems import Findings, Verification


def test_only_differences_are_problems() -> None:
    findings = Findings()
    assert not findings.differ("size", found=1, stated=1)
    assert findings.differ("size", found=1, stated=2)
    findings.checked("size")
    assert findings.verification() == Verification(problems=("size is 1, the manifest states 2",), checked=("size",))


def test_a_file_that_differs_everywhere_does_not_fill_the_memory() -> None:
    findings = Findings()
    for number in range(1234):
        findings.problem(f"member {number} is missing")
    problems = findings.verification().problems
    assert len(problems) == 1001
    assert problems[-1] == "and 234 more"
