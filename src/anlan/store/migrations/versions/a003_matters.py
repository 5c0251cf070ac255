"""Cases: what must be forgotten of them stands in tables of their own, beside the log."""

import sqlalchemy as sa
from alembic import op

from anlan.store import casebook

revision = "a003"
down_revision = "a002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    casebook.schema.create_all(op.get_bind())


def downgrade() -> None:
    """Drop them, with what they hold."""
    for name in reversed([table.name for table in casebook.schema.sorted_tables]):
        op.execute(sa.text(f"DROP TABLE {name}"))
