"""YAML read event by event: scalars with their lines; nothing is resolved, shared, or built that is not asked for.

Working on events makes hostile files harmless by construction: aliases are refused before anything could multiply, no
tag is ever acted on, and duplicate keys are seen.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import yaml

from export_pipelines.core.errors import ImportFileError

_LOADER: type[yaml.SafeLoader] | type[yaml.CSafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TEXT_TAG = "tag:yaml.org,2002:str"
_MAPPING_TAG = "tag:yaml.org,2002:map"
_DEEPEST = 50
_OPENING = (yaml.MappingStartEvent, yaml.SequenceStartEvent)
_CLOSING = (yaml.MappingEndEvent, yaml.SequenceEndEvent)


@dataclass(frozen=True, kw_only=True)
class Scalar:
    """One scalar.

    Attributes:
        text: its value; the final line break of a block is the block's, and not part of it.
        line: 1-based.
        plain: whether it stands without quotes, so that a loader may take it for a number, a date or nothing.
    """

    text: str
    line: int
    plain: bool


class Events:
    """A document's events, one look ahead."""

    def __init__(self, text: str) -> None:
        self._events = self._checked(text)
        self._resolve: Callable[[type[yaml.Node], str, tuple[bool, bool]], str] = yaml.SafeLoader("").resolve
        self.next = next(self._events)

    def start(self) -> None:
        """Step to the document's first value.

        Raises:
            ImportFileError: there is none.
        """
        self.take()
        if isinstance(self.next, yaml.StreamEndEvent):
            raise ImportFileError("the file holds no YAML document.")
        self.take()

    def end(self) -> None:
        """Make sure that nothing follows the document."""
        self.take()
        if not isinstance(self.next, yaml.StreamEndEvent):
            raise ImportFileError("a second document begins here; a file holds one.", line=self.line)

    @property
    def line(self) -> int:
        """1-based line of what comes next."""
        return _line(self.next)

    def take(self) -> yaml.Event:
        """What comes next, and a step further."""
        event = self.next
        self.next = next(self._events, event)
        return event

    def keys(self, what: str) -> Iterator[Scalar]:
        """The keys of the mapping that comes next; whoever iterates takes each value before going on.

        Raises:
            ImportFileError: it is no mapping, a key is no text, or stands there twice.
        """
        if not isinstance(self.next, yaml.MappingStartEvent) or self.next.tag not in (None, "!", _MAPPING_TAG):
            raise ImportFileError(f"{what} has to be a mapping, key: value.", line=self.line)
        self.take()
        seen: set[str] = set()
        while not isinstance(self.next, yaml.MappingEndEvent):
            key = self.text(f"a key of {what}")
            if key.text in seen:
                raise ImportFileError(f"the key '{key.text[:60]}' is there twice; keep one.", line=key.line)
            seen.add(key.text)
            yield key
        self.take()

    def text(self, what: str) -> Scalar:
        """The scalar that comes next, which has to be text.

        Raises:
            ImportFileError: it is a list, a mapping, or a value that loaders do not take for text.
        """
        line = self.line
        event = self.take()
        if not isinstance(event, yaml.ScalarEvent):
            raise ImportFileError(f"{what} has to be text.", line=line)
        if event.tag not in (None, "!", _TEXT_TAG):
            raise ImportFileError(f"{what} has the tag {event.tag}; only text can be imported.", line=line)
        plain = bool(event.implicit[0]) and not event.style
        if plain and self._resolve(yaml.ScalarNode, event.value, (True, False)) != _TEXT_TAG:
            shown = f"'{event.value[:60]}' is no text to YAML" if event.value else "is empty"
            raise ImportFileError(f'{what}: {shown}; put it in quotes ("").', line=line)
        value = event.value.removesuffix("\n") if event.style in ("|", ">") else event.value
        return Scalar(text=_storable(value, what, line), line=line, plain=plain)

    def skip(self) -> None:
        """Pass over the value that comes next, whatever it is."""
        depth = 0
        while True:
            event = self.take()
            depth += isinstance(event, _OPENING)
            depth -= isinstance(event, _CLOSING)
            if not depth:
                return
            if depth > _DEEPEST:
                raise ImportFileError("the file is nested too deeply.", line=self.line)

    def _checked(self, text: str) -> Iterator[yaml.Event]:
        try:
            for event in yaml.parse(text, Loader=_LOADER):
                if isinstance(event, yaml.AliasEvent):
                    raise ImportFileError(
                        f"the alias *{event.anchor} is refused; write the text itself.", line=_line(event)
                    )
                yield event
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            reason = (error.problem or error.context or "unreadable").rstrip(".")
            raise ImportFileError(f"not YAML: {reason}.", line=mark.line + 1 if mark else None) from error
        except yaml.reader.ReaderError as error:
            # Without a mark: position counts characters in one loader, bytes in the other; the character tells more.
            raise ImportFileError(
                f"YAML does not allow the character U+{_code(error):04X}; quote and escape it."
            ) from error


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1


def _code(error: yaml.reader.ReaderError) -> int:
    return error.character if isinstance(error.character, int) else ord(error.character)


def _storable(value: str, what: str, line: int) -> str:
    """PostgreSQL stores neither NUL nor lone surrogates; a double-quoted scalar may bring both."""
    if "\x00" in value or not _is_unicode(value):
        raise ImportFileError(f"{what} has a NUL or a lone surrogate, which cannot be stored; remove it.", line=line)
    return value


def _is_unicode(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
