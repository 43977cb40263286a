"""How the command line says what the database has lost, gained or changed since a file was made."""

from collections.abc import Iterator, Mapping
from importlib import metadata

from export_pipelines.packaging.differences import Difference, Differences, State
from export_pipelines.packaging.sidecar import SidecarManifest
from export_pipelines.steps.against_database import Comparison

_SAID = {
    State.MISSING: "is in the file, but gone from the database",
    State.EXTRA: "is in the database, but not in the file",
    State.CHANGED: "has changed in the database",
}


def lines(differences: Differences) -> Iterator[str]:
    """One line a difference, and one for all those that are not listed of each kind and state."""
    shown: dict[tuple[str, State], int] = {}
    for difference in differences.listed:
        key = (difference.kind, difference.state)
        shown[key] = shown.get(key, 0) + 1
        yield _line(difference)
    for (kind, state), count in differences.counts.items():
        if more := count - shown[kind, state]:
            yield f"{state}: and {more} more {kind}s"


def summary(comparison: Comparison, manifest: SidecarManifest) -> str:
    """All that differs in numbers, when it was looked at, and what to do; empty when nothing does."""
    if not comparison.differences.counts:
        return ""
    counts = _counted({f"{state} {kind}": count for (kind, state), count in comparison.differences.counts.items()})
    when = f"read at {comparison.snapshot.taken_at:%Y-%m-%d %H:%M:%S} UTC" if comparison.snapshot else comparison.gone
    made_by, ours = manifest.versions.get("export_pipelines"), metadata.version("export-pipelines")
    other = (
        ""
        if made_by == ours
        else f" The file was made by release {made_by}, this is {ours}, which may write otherwise."
    )
    return f"{counts} ({(when or '').rstrip('.')}).{other} Export again for a file of today."


def compared(differences: Differences) -> str:
    """What was held against each other, in numbers."""
    return _counted(differences.compared) or "a file without records"


def _line(difference: Difference) -> str:
    fields = f": {', '.join(difference.fields)}" if difference.fields else ""
    return f"{difference.state}: {difference.kind} {difference.id} {_SAID[difference.state]}{fields}"


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {what}{'' if count == 1 else 's'}" for what, count in counts.items())
