"""Options that a request may set: their bounds, defaults and wording, from which every form is made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from export_pipelines.core.errors import ValidationError
from export_pipelines.core.quoting import cut, quoted

_WORDS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


@dataclass(frozen=True, kw_only=True)
class Option:
    """One option.

    Attributes:
        name: the key in ``--set key=value``.
        description: one sentence for forms.
        default: a bool for switches, else one of ``choices``.
        choices: empty for switches.
    """

    name: str
    description: str
    default: bool | str
    choices: tuple[str, ...] = ()

    def read(self, value: object) -> bool | str:
        """The value as the option's own type; text like ``true`` is understood for switches.

        Raises:
            ValidationError: the value is not allowed; the message says what is.
        """
        if self.choices:
            if value in self.choices:
                return str(value)
            raise ValidationError(f"option {self.name} is {quoted(value)}, but takes one of {', '.join(self.choices)}.")
        switch = value if isinstance(value, bool) else _WORDS.get(str(value).strip().lower())
        if switch is None:
            raise ValidationError(f"option {self.name} is {quoted(value)}, but takes true or false.")
        return switch


STRICT = Option(
    name="strict",
    default=False,
    description="Fail when the format cannot hold every value exactly, instead of listing what differs.",
)
ALLOW_PARTIAL = Option(
    name="allow_partial",
    default=False,
    description="Export a run that has not finished; the manifest and the job then say partial.",
)
COMPRESSION = Option(
    name="compression",
    default="none",
    choices=("none", "gzip", "zstd"),
    description="Compress the file: gzip opens everywhere, zstd is smaller and quicker.",
)
EXTENSIONS: Mapping[str, str] = {"none": "", "gzip": ".gz", "zstd": ".zst"}
MEDIA_TYPES: Mapping[str, str] = {"gzip": "application/gzip", "zstd": "application/zstd"}


def read_options(offered: Sequence[Option], given: Mapping[str, Any]) -> dict[str, bool | str]:
    """All offered options with the given values or their defaults, sorted by name.

    Raises:
        ValidationError: an option is unknown or its value not allowed.
    """
    known = {option.name: option for option in offered}
    for name in given:
        if name not in known:
            takes = ", ".join(sorted(known))
            raise ValidationError(f"option {cut(name)} is unknown here; this export takes {takes}.")
    return {name: option.read(given.get(name, option.default)) for name, option in sorted(known.items())}
