"""Which keys and prefixes a store accepts; the same for every store, so that an export can move between them."""

import unicodedata

from export_pipelines.core.errors import ValidationError

INCOMPLETE = ".incomplete"
"""First component of what is not finished; stores keep it out of listings and nobody else may use it."""

MAX_KEY_BYTES = 800
"""S3 allows 1024 bytes of UTF-8 for prefix and key together."""

MAX_COMPONENT_BYTES = 200
"""File systems allow 255; a temporary file adds a suffix of its own."""

MAX_PREFIX_BYTES = 1024 - MAX_KEY_BYTES - 1


def check_key(key: str) -> str:
    """The key itself when every store can hold it.

    Raises:
        ValidationError: absolute, empty, with an empty, ``.`` or ``..`` component, a backslash, a control character, a
            lone surrogate, too long, or inside the folder of unfinished objects.
    """
    _check_characters(key)
    components = key.split("/")
    for component in components:
        if component in ("", ".", ".."):
            raise _refused(key, "needs components split by single slashes, none of them empty, '.' or '..'")
        if len(component.encode()) > MAX_COMPONENT_BYTES:
            raise _refused(key, f"has a component over {MAX_COMPONENT_BYTES} bytes")
    if len(key.encode()) > MAX_KEY_BYTES:
        raise _refused(key, f"is over {MAX_KEY_BYTES} bytes")
    if components[0] == INCOMPLETE:
        raise _refused(key, f"begins with {INCOMPLETE}, which is kept for objects that are being written")
    return key


def check_prefix(prefix: str) -> str:
    """The prefix itself when some key could begin with it; empty for all keys.

    Raises:
        ValidationError: no key can begin with it.
    """
    _check_characters(prefix)
    folders, _, _ = prefix.rpartition("/")
    if prefix.startswith("/"):
        raise _refused(prefix, "begins with a slash; keys are relative")
    if folders:
        check_key(folders)
    return prefix


def _check_characters(key: str) -> None:
    for character in key:
        if character == "\\" or unicodedata.category(character) in ("Cc", "Cs"):
            raise _refused(key, f"holds U+{ord(character):04X}, which not every store can keep")


def _refused(key: str, reason: str) -> ValidationError:
    shown = key if len(key) <= 120 else key[:117] + "..."
    return ValidationError(f"The key {shown!a} {reason}; choose another name.")
