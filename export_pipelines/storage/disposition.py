"""The Content-Disposition of a download (RFC 6266), for names of any script and any malice."""

import unicodedata
from urllib.parse import quote

MAX_NAME_CHARACTERS = 180
_FALLBACK = "download"
_ATTRIBUTE_CHARACTERS = "!#$&+-.^_`|~"
"""What RFC 8187 leaves unencoded beside letters and digits."""


def content_disposition(file_name: str) -> str:
    """The header's value that makes a browser save the file under this name, as far as it is harmless.

    Slashes, quotes, control and text-direction characters become ``_``: the name can neither leave the folder, end
    the header, nor show an ending it does not have. Names beyond ASCII go into ``filename*``.
    """
    name = _harmless(file_name)
    plain = "".join(character if _is_plain(character) else "_" for character in name)
    value = f'attachment; filename="{plain}"'
    if plain != name:
        value += f"; filename*=UTF-8''{quote(name, safe=_ATTRIBUTE_CHARACTERS)}"
    return value


def _harmless(file_name: str) -> str:
    # Cc control, Cf format (text direction, zero width), Cs surrogates, Zl and Zp line ends.
    name = "".join(
        "_"
        if character in '/\\"<>:|?*' or unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp")
        else character
        for character in file_name
    ).strip(" .")
    if len(name) > MAX_NAME_CHARACTERS:
        stem, dot, ending = name.rpartition(".")
        kept = dot + ending if dot and len(ending) <= 20 else ""
        name = (stem if kept else name)[: MAX_NAME_CHARACTERS - len(kept)] + kept
    return name or _FALLBACK


def _is_plain(character: str) -> bool:
    # A percent sign is decoded by some browsers, so it counts as one that must be encoded.
    return character.isascii() and character.isprintable() and character not in '"\\%'
