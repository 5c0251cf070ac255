"""What must be forgotten on schedule: beside the log, which cannot forget."""

import sqlalchemy as sa
from alembic import op

revision = "a002"
down_revision = "a001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "kept",
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("forget_at", sa.Text),
    )


def downgrade() -> None:
    """Drop it, with what it holds."""
    op.drop_table("kept")
