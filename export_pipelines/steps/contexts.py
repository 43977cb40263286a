"""An export's context: made of what its source has read, and read back from staging."""

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec
import orjson

from export_pipelines.core.errors import IntegrityError
from export_pipelines.core.frozen import Context, StagedObject
from export_pipelines.db.sources.source import Source
from export_pipelines.packaging.codecs import decompress
from export_pipelines.steps import staging
from export_pipelines.storage.store import ObjectStore


def context_json(source: Source, options: Mapping[str, Any]) -> bytes:
    """The context of an export of this source, as it is frozen."""
    return msgspec.json.encode({**source.context, "columns": source.columns, "options": dict(options)})


def context_of(source: Source, options: Mapping[str, Any]) -> Context:
    """The same as renderers get it, without being frozen in between."""
    context: Context = orjson.loads(context_json(source, options))
    return context


def read_context(store: ObjectStore, staged: StagedObject) -> Context:
    """The context as it was frozen.

    Raises:
        IntegrityError: the object is not what was written.
    """
    data = staging.read_staged(store, staged.key)
    if hashlib.sha256(data).hexdigest() != staged.sha256:
        raise IntegrityError(f"{staged.key} is damaged (its SHA-256 differs); start the export again.")
    context: Context = orjson.loads(b"".join(decompress([data], "zstd")))
    return context
