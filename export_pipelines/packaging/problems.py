"""What verification found: the first thousand differences by name, all of them by number."""

from dataclasses import dataclass

_NAMED_MAX = 1000


@dataclass(frozen=True, kw_only=True)
class Verification:
    """The outcome.

    Attributes:
        problems: one line for each difference; empty when the file is what its manifest says.
        checked: what was looked at, like ``12 members``.
    """

    problems: tuple[str, ...]
    checked: tuple[str, ...]


class Findings:
    """Collects while verifying; a file that differs everywhere does not fill the memory.

    Attributes:
        count: problems so far.
    """

    def __init__(self) -> None:
        self._problems: list[str] = []
        self._checked: list[str] = []
        self.count = 0

    def problem(self, text: str) -> None:
        """Name one difference."""
        self.count += 1
        if len(self._problems) < _NAMED_MAX:
            self._problems.append(text)

    def differ(self, what: str, *, found: object, stated: object) -> bool:
        """Name the difference between what is there and what the manifest states, if there is one."""
        if found == stated:
            return False
        self.problem(f"{what} is {found}, the manifest states {stated}")
        return True

    def checked(self, what: str) -> None:
        """Say what was looked at."""
        self._checked.append(what)

    def verification(self) -> Verification:
        """The outcome so far."""
        more = self.count - len(self._problems)
        problems = [*self._problems, f"and {more} more"] if more else self._problems
        return Verification(problems=tuple(problems), checked=tuple(self._checked))
