"""Users, API keys, definitions with their tags and tree, and scenarios."""

from export_pipelines.db.migrations.statements import owned, run

revision = "0001"
down_revision = None

PEOPLE = """
CREATE TABLE {evaluation}.users (
    id text NOT NULL,
    email text NOT NULL,
    name text NOT NULL DEFAULT '',
    password_hash text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_users PRIMARY KEY (id),
    CONSTRAINT ck_users_email_shape CHECK (email ~ '^[^@[:space:]]+@[^@[:space:]]+$')
);
CREATE UNIQUE INDEX uq_users_email ON {evaluation}.users (lower(email));

CREATE TABLE {evaluation}.api_keys (
    id text NOT NULL,
    user_id text NOT NULL,
    name text NOT NULL,
    key_hash text NOT NULL,
    prefix text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    last_used_at timestamptz,
    expires_at timestamptz,
    revoked_at timestamptz,
    CONSTRAINT pk_api_keys PRIMARY KEY (id),
    CONSTRAINT uq_api_keys_key_hash UNIQUE (key_hash),
    CONSTRAINT fk_api_keys_user_id FOREIGN KEY (user_id) REFERENCES {evaluation}.users (id) ON DELETE CASCADE
);
CREATE INDEX ix_api_keys_user_id ON {evaluation}.api_keys (user_id);
"""

DEFINITIONS = """
CREATE TABLE {evaluation}.definitions (
    id text NOT NULL,
    parent_id text,
    name text NOT NULL,
    content jsonb NOT NULL,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz,
    CONSTRAINT pk_definitions PRIMARY KEY (id),
    CONSTRAINT ck_definitions_not_own_parent CHECK (parent_id <> id),
    CONSTRAINT ck_definitions_has_name CHECK (name <> ''),
    CONSTRAINT ck_definitions_content_is_object CHECK (jsonb_typeof(content) = 'object'),
    CONSTRAINT ck_definitions_version_counts_from_one CHECK (version >= 1),
    CONSTRAINT fk_definitions_parent_id FOREIGN KEY (parent_id) REFERENCES {evaluation}.definitions (id)
);
CREATE INDEX ix_definitions_name ON {evaluation}.definitions (name);
CREATE INDEX ix_definitions_parent_id ON {evaluation}.definitions (parent_id);

CREATE TABLE {evaluation}.tags (
    id text NOT NULL,
    name text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_tags PRIMARY KEY (id),
    CONSTRAINT uq_tags_name UNIQUE (name),
    CONSTRAINT ck_tags_has_name CHECK (name <> '')
);

CREATE TABLE {evaluation}.definition_tags (
    definition_id text NOT NULL,
    tag_id text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_definition_tags PRIMARY KEY (definition_id, tag_id),
    CONSTRAINT fk_definition_tags_definition_id FOREIGN KEY (definition_id)
        REFERENCES {evaluation}.definitions (id) ON DELETE CASCADE,
    CONSTRAINT fk_definition_tags_tag_id FOREIGN KEY (tag_id) REFERENCES {evaluation}.tags (id) ON DELETE CASCADE
);
CREATE INDEX ix_definition_tags_tag_id ON {evaluation}.definition_tags (tag_id);

CREATE TABLE {evaluation}.scenarios (
    id text NOT NULL,
    definition_id text NOT NULL,
    name text NOT NULL,
    content jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz,
    CONSTRAINT pk_scenarios PRIMARY KEY (id),
    CONSTRAINT ck_scenarios_has_name CHECK (name <> ''),
    CONSTRAINT ck_scenarios_content_is_object CHECK (jsonb_typeof(content) = 'object'),
    CONSTRAINT fk_scenarios_definition_id FOREIGN KEY (definition_id)
        REFERENCES {evaluation}.definitions (id) ON DELETE CASCADE
);
CREATE INDEX ix_scenarios_definition_id ON {evaluation}.scenarios (definition_id);
"""

# In a constant of its own because it is the one rule here that is code.
TREE = """
CREATE FUNCTION {evaluation}.refuse_definition_cycle() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- One that is its own parent is for the CHECK to refuse.
    IF NEW.parent_id IS NULL OR NEW.parent_id = NEW.id THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'UPDATE' THEN
        IF NEW.parent_id IS NOT DISTINCT FROM OLD.parent_id AND NEW.id = OLD.id THEN
            RETURN NEW;
        END IF;
        -- Two moves at once can each be right alone and a cycle together. So they go one after the other, and each must
        -- see what the one before committed, which only READ COMMITTED lets it.
        IF current_setting('transaction_isolation') <> 'read committed' THEN
            RAISE EXCEPTION 'definition % can only change its parent in a READ COMMITTED transaction', NEW.id
                USING ERRCODE = 'check_violation', CONSTRAINT = 'definitions_no_cycle';
        END IF;
        PERFORM pg_advisory_xact_lock(hashtextextended('{evaluation}.definitions', 0));
    END IF;
    IF EXISTS (
        WITH RECURSIVE ancestors (id, parent_id) AS (
            SELECT id, parent_id FROM {evaluation}.definitions WHERE id = NEW.parent_id
            UNION
            SELECT d.id, d.parent_id FROM {evaluation}.definitions d JOIN ancestors a ON d.id = a.parent_id
        )
        -- As somebody's parent it may be named before it is there itself: one INSERT can hold a whole cycle.
        SELECT FROM ancestors WHERE NEW.id IN (id, parent_id)
    ) THEN
        RAISE EXCEPTION 'definition % cannot have % as its parent, which descends from it', NEW.id, NEW.parent_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'definitions_no_cycle';
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER definitions_no_cycle BEFORE INSERT OR UPDATE OF id, parent_id ON {evaluation}.definitions
FOR EACH ROW EXECUTE FUNCTION {evaluation}.refuse_definition_cycle();
"""

UNDO = """
DROP TABLE {evaluation}.scenarios, {evaluation}.definition_tags, {evaluation}.tags, {evaluation}.definitions;
DROP FUNCTION {evaluation}.refuse_definition_cycle();
DROP TABLE {evaluation}.api_keys, {evaluation}.users;
"""


def upgrade() -> None:
    """Create them."""
    if owned("evaluation"):
        run(PEOPLE)
        run(DEFINITIONS)
        run(TREE)


def downgrade() -> None:
    """Drop them, with what they hold."""
    if owned("evaluation"):
        run(UNDO)
