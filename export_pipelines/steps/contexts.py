"""Reading an export's context back from staging."""

import hashlib

import orjson

from export_pipelines.core.errors import IntegrityError
from export_pipelines.core.frozen import Context, StagedObject
from export_pipelines.packaging.codecs import decompress
from export_pipelines.steps import staging
from export_pipelines.storage.store import ObjectStore


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
