"""Shards that were rendered as they were read have a part, and no frozen rows."""

from export_pipelines.db.migrations.statements import run

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Let a shard with a part do without frozen rows."""
    run(
        """
        ALTER TABLE {exports}.export_shards
            DROP CONSTRAINT ck_export_shards_frozen_has_facts,
            ADD CONSTRAINT ck_export_shards_frozen_has_facts CHECK (
                state = 'PLANNED' OR num_nulls(rows, copy_bytes) = 0 AND (
                    part IS NOT NULL OR num_nulls(frozen_key, frozen_size, frozen_sha256) = 0
                )
            );
        """
    )


def downgrade() -> None:
    """Forget shards without frozen rows: the earlier version cannot use them."""
    run(
        """
        DELETE FROM {exports}.export_shards WHERE frozen_key IS NULL AND state <> 'PLANNED';
        ALTER TABLE {exports}.export_shards
            DROP CONSTRAINT ck_export_shards_frozen_has_facts,
            ADD CONSTRAINT ck_export_shards_frozen_has_facts CHECK (
                state = 'PLANNED' OR num_nulls(rows, copy_bytes, frozen_key, frozen_size, frozen_sha256) = 0
            );
        """
    )
