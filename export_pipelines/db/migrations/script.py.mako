"""${message}."""

from export_pipelines.db.migrations.statements import run

revision = "${up_revision}"
down_revision = ${repr(down_revision).replace("'", '"')}

CHANGE = """
"""

UNDO = """
"""


def upgrade() -> None:
    """Change it."""
    run(CHANGE)


def downgrade() -> None:
    """Change it back."""
    run(UNDO)
