"""Indexes that answer a list by themselves, and what each case counts for, so that no number reads its history."""

import sqlalchemy as sa
from alembic import op

revision = "a005"
down_revision = "a004"
branch_labels = None
depends_on = None

FILTERS = (
    "closed", "clocked", "rank", "state", "kind", "type_id", "yellow_at", "red_at", "post", "owner_area_id",
    "lat", "lon",
)  # fmt: skip
"""What lists filter by; it stands in the index of each order, so that what does not fit is never looked up."""
OLD: dict[str, tuple[str, ...]] = {
    "changed_at": ("changed_at", "case_no"), "due_at": ("due_at", "case_no"), "opened_at": ("opened_at", "case_no"),
    "type_id": ("type_id", "state", "changed_at"), "closed": ("closed", "changed_at"), "post": ("post", "changed_at"),
    "owner_area_id": ("owner_area_id", "changed_at"),
}  # fmt: skip
NEW: dict[str, tuple[str, ...]] = {
    "changed_at": ("changed_at", "case_no", "due_at", *FILTERS),
    "due_at": ("due_at", "case_no", "changed_at", *FILTERS),
    "opened_at": ("opened_at", "case_no", "changed_at", "due_at", *FILTERS),
    "lat": ("lat", "lon", "closed", "type_id", "opened_at"),
}


def upgrade() -> None:
    """Change the indexes and make the table of entries; they are computed at the next opening."""
    for name in OLD:
        op.drop_index(f"matter_by_{name}", "matter")
    for name, names in NEW.items():
        op.create_index(f"matter_by_{name}", "matter", list(names))
    whole = [
        sa.Column(one, sa.BigInteger, nullable=False, autoincrement=False) for one in ("case_no", "from_at", "until_at")
    ]
    text = [sa.Column(one, sa.Text, nullable=False) for one in ("case_id", "type_id", "area_id", "told", "pending")]
    op.create_table("matter_entry", *whole, *text, sa.PrimaryKeyConstraint("case_no"))
    for name in ("from_at", "until_at"):
        op.create_index(f"matter_entry_by_{name}", "matter_entry", ["type_id", name])


def downgrade() -> None:
    """Put back what was there."""
    op.drop_table("matter_entry")
    for name in NEW:
        op.drop_index(f"matter_by_{name}", "matter")
    for name, names in OLD.items():
        op.create_index(f"matter_by_{name}", "matter", list(names))
