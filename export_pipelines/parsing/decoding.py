"""The bytes of a file that somebody brought, as text."""

from export_pipelines.core.errors import ImportFileError


def decode(data: bytes, *, limit: int) -> str:
    """The file as text, without a byte-order mark; lines that end CR LF throughout end LF.

    Args:
        data: the whole file.
        limit: bytes it may have.

    Raises:
        ImportFileError: too large, empty, not UTF-8, or with a NUL, which PostgreSQL cannot store.
    """
    if len(data) > limit:
        raise ImportFileError(f"the file has {len(data):,} bytes; the limit is {limit:,}. Split it.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ImportFileError(
            f"byte 0x{data[error.start]:02x} is not UTF-8; save the file as UTF-8.", line=line
        ) from error
    if not text.strip():
        raise ImportFileError("the file is empty.")
    nul = text.find("\x00")
    if nul >= 0:
        raise ImportFileError("a NUL character cannot be stored; remove it.", line=text.count("\n", 0, nul) + 1)
    return text
