"""Experiments, runs with their transcripts and comparisons, analysis results and rubrics."""

from export_pipelines.db.migrations.statements import owned, run

revision = "0002"
down_revision = "0001"

RUNS = """
CREATE TYPE {evaluation}.run_status AS ENUM (
    'PENDING', 'RUNNING', 'PAUSED', 'SUMMARIZING', 'COMPLETED', 'FAILED', 'CANCELLED'
);

CREATE TABLE {evaluation}.experiments (
    id text NOT NULL,
    name text NOT NULL,
    hypothesis text,
    plan jsonb,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz,
    CONSTRAINT pk_experiments PRIMARY KEY (id),
    CONSTRAINT ck_experiments_has_name CHECK (name <> '')
);

CREATE TABLE {evaluation}.runs (
    id text NOT NULL,
    definition_id text NOT NULL,
    experiment_id text,
    name text,
    status {evaluation}.run_status NOT NULL DEFAULT 'PENDING',
    config jsonb NOT NULL DEFAULT '{}',
    progress jsonb,
    created_at timestamptz NOT NULL DEFAULT now(),
    started_at timestamptz,
    completed_at timestamptz,
    updated_at timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz,
    CONSTRAINT pk_runs PRIMARY KEY (id),
    CONSTRAINT ck_runs_config_is_object CHECK (jsonb_typeof(config) = 'object'),
    CONSTRAINT ck_runs_progress_is_object CHECK (jsonb_typeof(progress) = 'object'),
    CONSTRAINT fk_runs_definition_id FOREIGN KEY (definition_id) REFERENCES {evaluation}.definitions (id),
    CONSTRAINT fk_runs_experiment_id FOREIGN KEY (experiment_id)
        REFERENCES {evaluation}.experiments (id) ON DELETE SET NULL
);
CREATE INDEX ix_runs_definition_id ON {evaluation}.runs (definition_id);
CREATE INDEX ix_runs_experiment_id ON {evaluation}.runs (experiment_id);
CREATE INDEX ix_runs_status ON {evaluation}.runs (status);

CREATE TABLE {evaluation}.transcripts (
    id text NOT NULL,
    run_id text NOT NULL,
    scenario_id text NOT NULL,
    target_model text NOT NULL,
    model_version text,
    definition_snapshot jsonb,
    content jsonb,
    turn_count integer NOT NULL DEFAULT 0,
    token_count integer NOT NULL DEFAULT 0,
    duration_ms integer NOT NULL DEFAULT 0,
    estimated_cost float8,
    decision_code text,
    decision_text text,
    created_at timestamptz NOT NULL DEFAULT now(),
    content_expires_at timestamptz,
    deleted_at timestamptz,
    CONSTRAINT pk_transcripts PRIMARY KEY (id),
    CONSTRAINT ck_transcripts_has_model CHECK (target_model <> ''),
    CONSTRAINT ck_transcripts_content_is_object CHECK (jsonb_typeof(content) = 'object'),
    CONSTRAINT ck_transcripts_counts_not_negative CHECK (turn_count >= 0 AND token_count >= 0 AND duration_ms >= 0),
    CONSTRAINT ck_transcripts_cost_is_amount CHECK (estimated_cost >= 0 AND estimated_cost < 'Infinity'),
    CONSTRAINT fk_transcripts_run_id FOREIGN KEY (run_id) REFERENCES {evaluation}.runs (id) ON DELETE CASCADE,
    CONSTRAINT fk_transcripts_scenario_id FOREIGN KEY (scenario_id) REFERENCES {evaluation}.scenarios (id)
);
CREATE INDEX ix_transcripts_export_order
    ON {evaluation}.transcripts (run_id, target_model COLLATE "C", scenario_id COLLATE "C", id COLLATE "C")
    WHERE deleted_at IS NULL;
CREATE INDEX ix_transcripts_run_id ON {evaluation}.transcripts (run_id);
CREATE INDEX ix_transcripts_scenario_id ON {evaluation}.transcripts (scenario_id);
"""

ANALYSIS = """
CREATE TYPE {evaluation}.analysis_status AS ENUM ('CURRENT', 'SUPERSEDED');

CREATE TABLE {evaluation}.rubrics (
    id text NOT NULL,
    name text NOT NULL,
    version integer NOT NULL,
    content jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_rubrics PRIMARY KEY (id),
    CONSTRAINT uq_rubrics_name_version UNIQUE (name, version),
    CONSTRAINT ck_rubrics_has_name CHECK (name <> ''),
    CONSTRAINT ck_rubrics_version_counts_from_one CHECK (version >= 1)
);

CREATE TABLE {evaluation}.analysis_results (
    id text NOT NULL,
    run_id text NOT NULL,
    analysis_type text NOT NULL,
    input_hash text NOT NULL,
    code_version text NOT NULL,
    output jsonb NOT NULL,
    status {evaluation}.analysis_status NOT NULL DEFAULT 'CURRENT',
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_analysis_results PRIMARY KEY (id),
    CONSTRAINT ck_analysis_results_type_shape CHECK (analysis_type ~ '^[a-z][a-z0-9_]{0,62}$'),
    CONSTRAINT fk_analysis_results_run_id FOREIGN KEY (run_id) REFERENCES {evaluation}.runs (id) ON DELETE CASCADE
);
CREATE INDEX ix_analysis_results_run_id ON {evaluation}.analysis_results (run_id);
CREATE UNIQUE INDEX uq_analysis_results_current
    ON {evaluation}.analysis_results (run_id, analysis_type) WHERE status = 'CURRENT';

CREATE TABLE {evaluation}.run_comparisons (
    id text NOT NULL,
    experiment_id text,
    baseline_run_id text NOT NULL,
    comparison_run_id text NOT NULL,
    result jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_run_comparisons PRIMARY KEY (id),
    CONSTRAINT ck_run_comparisons_two_runs CHECK (baseline_run_id <> comparison_run_id),
    CONSTRAINT fk_run_comparisons_experiment_id FOREIGN KEY (experiment_id)
        REFERENCES {evaluation}.experiments (id) ON DELETE SET NULL,
    CONSTRAINT fk_run_comparisons_baseline_run_id FOREIGN KEY (baseline_run_id)
        REFERENCES {evaluation}.runs (id) ON DELETE CASCADE,
    CONSTRAINT fk_run_comparisons_comparison_run_id FOREIGN KEY (comparison_run_id)
        REFERENCES {evaluation}.runs (id) ON DELETE CASCADE
);
CREATE INDEX ix_run_comparisons_baseline_run_id ON {evaluation}.run_comparisons (baseline_run_id);
CREATE INDEX ix_run_comparisons_comparison_run_id ON {evaluation}.run_comparisons (comparison_run_id);
CREATE INDEX ix_run_comparisons_experiment_id ON {evaluation}.run_comparisons (experiment_id);
"""

UNDO = """
DROP TABLE {evaluation}.rubrics, {evaluation}.run_comparisons, {evaluation}.analysis_results;
DROP TYPE {evaluation}.analysis_status;
DROP TABLE {evaluation}.transcripts, {evaluation}.runs, {evaluation}.experiments;
DROP TYPE {evaluation}.run_status;
"""


def upgrade() -> None:
    """Create them."""
    if owned("evaluation"):
        run(RUNS)
        run(ANALYSIS)


def downgrade() -> None:
    """Drop them, with what they hold."""
    if owned("evaluation"):
        run(UNDO)
