"""Evaluation data as records: users, definitions, scenarios, runs, transcripts and what is made of them."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from export_pipelines.core.scenarios import ScenarioContent
from export_pipelines.core.transcripts import Turn


class RunStatus(enum.StrEnum):
    """Where a run of the evaluation stands."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    SUMMARIZING = "SUMMARIZING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


class AnalysisStatus(enum.StrEnum):
    """Whether an analysis result is the valid one of its run and type."""

    CURRENT = "CURRENT"
    SUPERSEDED = "SUPERSEDED"


@dataclass(frozen=True, kw_only=True)
class User:
    """A person; the password's hash never leaves the database layer."""

    id: str
    email: str
    name: str
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, kw_only=True)
class ApiKey:
    """An API key as far as it is known after its creation.

    Attributes:
        prefix: the key's first 12 characters, for people to tell keys apart.
    """

    id: str
    user_id: str
    name: str
    prefix: str
    created_at: datetime
    last_used_at: datetime | None
    expires_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class NewApiKey:
    """What creating a key gives, once: the record, and the key itself, which is stored nowhere."""

    record: ApiKey
    key: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Definition:
    """A definition as stored.

    Attributes:
        content: its own JSON, of a known version; it may leave fields to its parents, so resolve it to use it.
        version: counts the changes of name, content and parent, from 1.
    """

    id: str
    parent_id: str | None
    name: str
    content: Mapping[str, Any]
    version: int
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Related:
    """A definition's relative, an ancestor or a descendant, and how many steps away it is."""

    definition: Definition
    depth: int


@dataclass(frozen=True, kw_only=True)
class Tag:
    """A word that definitions are filed under."""

    id: str
    name: str
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """One concrete prompt of a definition."""

    id: str
    definition_id: str
    name: str
    content: ScenarioContent
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Run:
    """One evaluation of a definition's scenarios by some models.

    Attributes:
        config: ``models``, ``scenario_ids``, ``temperature`` and whatever else the run was started with.
        progress: ``total``, ``completed``, ``failed``; None before anything was counted.
    """

    id: str
    definition_id: str
    experiment_id: str | None
    name: str | None
    status: RunStatus
    config: Mapping[str, Any]
    progress: Mapping[str, Any] | None
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    updated_at: datetime
    deleted_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class NewTranscript:
    """A transcript that is about to be written; counts and decision come from whoever asked the model."""

    scenario_id: str
    target_model: str
    content: Mapping[str, Any] | None
    model_version: str | None = None
    definition_snapshot: Mapping[str, Any] | None = None
    turn_count: int = 0
    token_count: int = 0
    duration_ms: int = 0
    estimated_cost: float | None = None
    decision_code: str | None = None
    decision_text: str | None = None
    content_expires_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Transcript(NewTranscript):
    """One dialogue of a run.

    Attributes:
        content: as stored; None when it has expired, ``{}`` when it never held anything.
        turns: the dialogue, read from whichever shape it was stored in; None when it has expired.
        estimated_cost: US dollars.
    """

    id: str
    run_id: str
    turns: tuple[Turn, ...] | None
    created_at: datetime
    deleted_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """A question that several runs answer together."""

    id: str
    name: str
    hypothesis: str | None
    plan: Mapping[str, Any] | None
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class RunComparison:
    """What came of setting one run against another."""

    id: str
    experiment_id: str | None
    baseline_run_id: str
    comparison_run_id: str
    result: Mapping[str, Any]
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class AnalysisResult:
    """What an analysis of a run found.

    Attributes:
        input_hash: digest of what was analysed; with ``code_version`` it says whether analysing again would help.
    """

    id: str
    run_id: str
    analysis_type: str
    input_hash: str
    code_version: str
    output: Mapping[str, Any]
    status: AnalysisStatus
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class Rubric:
    """One version of the rules that a judge reads decisions by."""

    id: str
    name: str
    version: int
    content: Mapping[str, Any]
    created_at: datetime
