"""Everything a deployment can set, read once from the environment and handed down."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from types import MappingProxyType

from export_pipelines.core.errors import ValidationError

PREFIX = "EXPORT_PIPELINES_"
CONTEXTS = ("evaluation", "exports")
CHOOSING = "multi_or_in_process"
"""The executor that lets a run say whether its steps share a process."""
IPNetwork = IPv4Network | IPv6Network


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
        user: who an export is for when nobody is named; None is the oldest user.
        first_day: where the partitions of exports of a day begin.
        executor: ``multi_or_in_process`` (default), ``in_process``.
        db_os_user: operating-system user for the embedded server when we run as root.
        redirect_downloads: whether downloads from S3 go to the store's own short-lived links; off where browsers
            cannot reach the store.
        readers: connections that read one export's rows from one snapshot; 0 takes one for every two processors, at
            most four: PostgreSQL needs a processor for each, and what is read needs one too.
        log_format: ``text`` or ``json``: how the download service writes its log.
        shard_bytes: frozen bytes after which a new shard begins.
        parallel_shards: expected shards from which on an export renders them in several processes.
        statement_timeout_seconds: longest a single reading statement may take.
        snapshot_hold_seconds: longest one snapshot may be held.
        stale_after_seconds: silence after which a worker counts as dead.
        staging_grace_seconds: age below which the sweep never touches staging.
        smtp_url: the server that takes our mail, ``smtp://user:password@host:587`` or ``smtps://...``. Never shown.
        mail_from: whom mail is from, ``exports@example.org`` or ``Exports <exports@example.org>``.
        mail_attachment_bytes: the largest file that is attached to mail.
        delivery_tries: how often a message is tried before it is given up.
        webhook_key: encrypts the secrets of webhooks in the database; None generates one under ``home``. Never shown.
        webhook_allow_networks: networks that webhooks may reach although they are not public.
        dagster_url: the Dagster webserver, which is asked to launch and to terminate runs.
        max_running: exports that run at the same time; ``max_concurrent_runs`` of ``dagster.yaml`` is its equal.
        max_running_per_user: of these, one user's.
        max_resumes: how often a job whose worker was lost is continued by a new run.
        resume_delay_seconds: base of the waits before that: this long, then three times as long, seven times, ...
        launch_grace_seconds: after this long without a run, a claim counts as forgotten.
        create_requests_per_hour: requests to the HTTP API that make jobs, of one user in any hour.
        session_hours: how long a login on the exports page lasts.
        trusted_proxies: networks whose ``X-Forwarded-For`` and ``X-Forwarded-Proto`` are believed.
    """

    home: Path
    database_url: str | None = field(default=None, repr=False)
    dagster_database_url: str | None = field(default=None, repr=False)
    store_url: str | None = None
    public_url: str = "http://127.0.0.1:8010"
    link_secret: str | None = field(default=None, repr=False)
    signing_key: str | None = field(default=None, repr=False)
    schemas: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({name: name for name in CONTEXTS}))
    user: str | None = None
    first_day: date = date(2025, 1, 1)
    executor: str = CHOOSING
    db_os_user: str | None = None
    redirect_downloads: bool = True
    readers: int = 0
    log_format: str = "text"
    shard_bytes: int = 64 * 1024 * 1024
    parallel_shards: int = 4
    statement_timeout_seconds: int = 3600
    snapshot_hold_seconds: int = 7200
    stale_after_seconds: int = 120
    staging_grace_seconds: int = 3600
    smtp_url: str | None = field(default=None, repr=False)
    mail_from: str | None = None
    mail_attachment_bytes: int = 5 * 1024 * 1024
    delivery_tries: int = 12
    webhook_key: str | None = field(default=None, repr=False)
    webhook_allow_networks: tuple[IPNetwork, ...] = ()
    dagster_url: str = "http://127.0.0.1:3000"
    max_running: int = 5
    max_running_per_user: int = 10
    max_resumes: int = 2
    resume_delay_seconds: int = 30
    launch_grace_seconds: int = 60
    create_requests_per_hour: int = 100
    session_hours: int = 12
    trusted_proxies: tuple[IPNetwork, ...] = ()

    @property
    def effective_store_url(self) -> str:
        """The store's URL with the default filled in."""
        return self.store_url or (self.home / "store").as_uri()

    @property
    def effective_readers(self) -> int:
        """The number of readers with the default worked out for this machine."""
        return self.readers or min(4, max(1, (os.cpu_count() or 1) // 2))


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
        user=text("USER"),
        first_day=_day(environ, "FIRST_DAY", default=defaults.first_day),
        executor=text("EXECUTOR") or defaults.executor,
        db_os_user=text("DB_OS_USER"),
        redirect_downloads=_switch(environ, "REDIRECT_DOWNLOADS", default=defaults.redirect_downloads),
        readers=_number(environ, "READERS", defaults.readers, low=0),
        log_format=_choice(environ, "LOG_FORMAT", ("text", "json"), default=defaults.log_format),
        shard_bytes=_number(environ, "SHARD_BYTES", defaults.shard_bytes, low=1),
        parallel_shards=_number(environ, "PARALLEL_SHARDS", defaults.parallel_shards),
        statement_timeout_seconds=_number(environ, "STATEMENT_TIMEOUT_SECONDS", defaults.statement_timeout_seconds),
        snapshot_hold_seconds=_number(environ, "SNAPSHOT_HOLD_SECONDS", defaults.snapshot_hold_seconds),
        stale_after_seconds=_number(environ, "STALE_AFTER_SECONDS", defaults.stale_after_seconds),
        staging_grace_seconds=_number(environ, "STAGING_GRACE_SECONDS", defaults.staging_grace_seconds, low=0),
        smtp_url=text("SMTP_URL"),
        mail_from=text("MAIL_FROM"),
        mail_attachment_bytes=_number(environ, "MAIL_ATTACHMENT_BYTES", defaults.mail_attachment_bytes, low=0),
        delivery_tries=_number(environ, "DELIVERY_TRIES", defaults.delivery_tries),
        webhook_key=text("WEBHOOK_KEY"),
        webhook_allow_networks=_networks(environ, "WEBHOOK_ALLOW_NETWORKS"),
        dagster_url=_web_address(text("DAGSTER_URL") or defaults.dagster_url, "DAGSTER_URL"),
        max_running=_number(environ, "MAX_RUNNING", defaults.max_running),
        max_running_per_user=_number(environ, "MAX_RUNNING_PER_USER", defaults.max_running_per_user),
        max_resumes=_number(environ, "MAX_RESUMES", defaults.max_resumes, low=0),
        resume_delay_seconds=_number(environ, "RESUME_DELAY_SECONDS", defaults.resume_delay_seconds, low=0),
        launch_grace_seconds=_number(environ, "LAUNCH_GRACE_SECONDS", defaults.launch_grace_seconds),
        create_requests_per_hour=_number(environ, "CREATE_REQUESTS_PER_HOUR", defaults.create_requests_per_hour),
        session_hours=_number(environ, "SESSION_HOURS", defaults.session_hours),
        trusted_proxies=_networks(environ, "TRUSTED_PROXIES"),
    )


def _switch(environ: Mapping[str, str], name: str, *, default: bool) -> bool:
    return _choice(environ, name, ("true", "false"), default=str(default).lower()) == "true"


def _choice(environ: Mapping[str, str], name: str, choices: tuple[str, str], *, default: str) -> str:
    text = environ.get(PREFIX + name) or default
    if text not in choices:
        raise ValidationError(f"{PREFIX}{name} is {text!r}, but must be {' or '.join(choices)}.")
    return text


def _day(environ: Mapping[str, str], name: str, *, default: date) -> date:
    text = environ.get(PREFIX + name)
    try:
        return date.fromisoformat(text) if text else default
    except ValueError as error:
        raise ValidationError(f"{PREFIX}{name} is {text!r}, but must be a day like {default}.") from error


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


def _networks(environ: Mapping[str, str], name: str) -> tuple[IPNetwork, ...]:
    """Read ``10.0.0.0/8,fd00::/8``."""
    text = environ.get(PREFIX + name) or ""
    try:
        return tuple(ip_network(network.strip()) for network in text.split(",") if network.strip())
    except ValueError as error:
        raise ValidationError(
            f"{PREFIX}{name} cannot be read: {error}. It takes networks like 10.0.0.0/8, split by commas."
        ) from error
