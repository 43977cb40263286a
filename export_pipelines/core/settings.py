"""Everything a deployment can set, read once from the environment and handed down."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from export_pipelines.core.errors import ValidationError

PREFIX = "EXPORT_PIPELINES_"
CONTEXTS = ("evaluation", "exports")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """A deployment's settings; each field is the variable ``EXPORT_PIPELINES_<FIELD IN CAPITALS>``.

    Attributes:
        home: where the embedded server, the local store and generated keys live.
        database_url: the application's database; None starts the embedded server.
        dagster_database_url: Dagster's own database; None puts it beside ours, as ``dagster``.
        store_url: ``file:///...`` or ``s3://bucket/prefix``; None is a folder under ``home``.
        public_url: what download links begin with.
        link_secret: key of the signed links; None generates one under ``home``. Never shown.
        signing_key: private Ed25519 key that signs manifests, base64 or PEM; None generates one under ``home``. Never
            shown.
        schemas: PostgreSQL schema of each context, when the application's own are used.
        executor: ``multi_or_in_process`` (default), ``in_process``.
        db_os_user: operating-system user for the embedded server when we run as root.
        redirect_downloads: whether downloads from S3 go to the store's own short-lived links; off where browsers
            cannot reach the store.
        shard_bytes: frozen bytes after which a new shard begins.
        statement_timeout_seconds: longest a single reading statement may take.
        snapshot_hold_seconds: longest one snapshot may be held.
        stale_after_seconds: silence after which a worker counts as dead.
        staging_grace_seconds: age below which the sweep never touches staging.
        dagster_url: the Dagster webserver, which is asked to launch and to terminate runs.
        max_running: exports that run at the same time; ``max_concurrent_runs`` of ``dagster.yaml`` is its equal.
        max_running_per_user: of these, one user's.
        max_resumes: how often a job whose worker was lost is continued by a new run.
        resume_delay_seconds: base of the waits before that: this long, then three times as long, seven times, ...
        launch_grace_seconds: after this long without a run, a claim counts as forgotten.
    """

    home: Path
    database_url: str | None = field(default=None, repr=False)
    dagster_database_url: str | None = field(default=None, repr=False)
    store_url: str | None = None
    public_url: str = "http://127.0.0.1:8010"
    link_secret: str | None = field(default=None, repr=False)
    signing_key: str | None = field(default=None, repr=False)
    schemas: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({name: name for name in CONTEXTS}))
    executor: str = "multi_or_in_process"
    db_os_user: str | None = None
    redirect_downloads: bool = True
    shard_bytes: int = 64 * 1024 * 1024
    statement_timeout_seconds: int = 3600
    snapshot_hold_seconds: int = 7200
    stale_after_seconds: int = 120
    staging_grace_seconds: int = 3600
    dagster_url: str = "http://127.0.0.1:3000"
    max_running: int = 5
    max_running_per_user: int = 10
    max_resumes: int = 2
    resume_delay_seconds: int = 30
    launch_grace_seconds: int = 60

    @property
    def effective_store_url(self) -> str:
        """The store's URL with the default filled in."""
        return self.store_url or (self.home / "store").as_uri()


def read_settings(environ: Mapping[str, str]) -> Settings:
    """The settings that the variables in ``environ`` make.

    Raises:
        ValidationError: a variable has a value that cannot be used; the message names it.
    """

    def text(name: str) -> str | None:
        return environ.get(PREFIX + name) or None

    defaults = Settings(home=Path())
    return Settings(
        home=Path(text("HOME") or ".local").expanduser().absolute(),
        database_url=text("DATABASE_URL"),
        dagster_database_url=text("DAGSTER_DATABASE_URL"),
        store_url=text("STORE_URL"),
        public_url=(text("PUBLIC_URL") or defaults.public_url).rstrip("/"),
        link_secret=text("LINK_SECRET"),
        signing_key=text("SIGNING_KEY"),
        schemas=_schemas(text("SCHEMAS") or ""),
        executor=text("EXECUTOR") or defaults.executor,
        db_os_user=text("DB_OS_USER"),
        redirect_downloads=_switch(environ, "REDIRECT_DOWNLOADS", default=defaults.redirect_downloads),
        shard_bytes=_number(environ, "SHARD_BYTES", defaults.shard_bytes, low=1),
        statement_timeout_seconds=_number(environ, "STATEMENT_TIMEOUT_SECONDS", defaults.statement_timeout_seconds),
        snapshot_hold_seconds=_number(environ, "SNAPSHOT_HOLD_SECONDS", defaults.snapshot_hold_seconds),
        stale_after_seconds=_number(environ, "STALE_AFTER_SECONDS", defaults.stale_after_seconds),
        staging_grace_seconds=_number(environ, "STAGING_GRACE_SECONDS", defaults.staging_grace_seconds, low=0),
        dagster_url=_web_address(text("DAGSTER_URL") or defaults.dagster_url, "DAGSTER_URL"),
        max_running=_number(environ, "MAX_RUNNING", defaults.max_running),
        max_running_per_user=_number(environ, "MAX_RUNNING_PER_USER", defaults.max_running_per_user),
        max_resumes=_number(environ, "MAX_RESUMES", defaults.max_resumes, low=0),
        resume_delay_seconds=_number(environ, "RESUME_DELAY_SECONDS", defaults.resume_delay_seconds, low=0),
        launch_grace_seconds=_number(environ, "LAUNCH_GRACE_SECONDS", defaults.launch_grace_seconds),
    )


def _switch(environ: Mapping[str, str], name: str, *, default: bool) -> bool:
    text = environ.get(PREFIX + name)
    if not text:
        return default
    if text not in ("true", "false"):
        raise ValidationError(f"{PREFIX}{name} is {text!r}, but must be true or false.")
    return text == "true"


def _web_address(text: str, name: str) -> str:
    if not re.fullmatch(r"https?://[^\s/?#]+[^\s?#]*", text):
        raise ValidationError(f"{PREFIX}{name} is {text!r}, but must look like http://127.0.0.1:3000.")
    return text.rstrip("/")


def _number(environ: Mapping[str, str], name: str, default: int, *, low: int = 1) -> int:
    text = environ.get(PREFIX + name)
    if not text:
        return default
    if not re.fullmatch(r"[0-9]{1,15}", text) or int(text) < low:
        raise ValidationError(f"{PREFIX}{name} is {text!r}, but must be a whole number of at least {low}.")
    return int(text)


def _schemas(text: str) -> Mapping[str, str]:
    """Read ``evaluation=public,exports=exports``."""
    schemas = {name: name for name in CONTEXTS}
    for pair in filter(None, (pair.strip() for pair in text.split(","))):
        context, _, schema = pair.partition("=")
        if context not in schemas or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,62}", schema):
            raise ValidationError(
                f"{PREFIX}SCHEMAS holds {pair!r}, but takes CONTEXT=SCHEMA pairs split by commas, CONTEXT one of "
                f"{', '.join(CONTEXTS)}, SCHEMA a plain PostgreSQL name."
            )
        schemas[context] = schema
    return MappingProxyType(schemas)
