"""Cases: what must be forgotten of them stands in tables of their own, beside the log."""

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "a003"
down_revision = "a002"
branch_labels = None
depends_on = None

# By table: its key, its whole numbers, its texts, and what else there is. As they were at this step; later ones add.
TABLES: dict[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    "case_type": (("type_id", "version"), ("version", "kept_at"), ("type_id", "body")),
    "matter": (
        ("case_no",),
        (
            "case_no", "version", "closed", "rank", "opened_at", "changed_at", "due_at", "yellow_at", "red_at",
            "clocked", "next_at", "told_at", "forget_at", "forgotten", "n_changes",
        ),
        ("case_id", "kind", "type_id", "state", "owner_level", "area_id", "owner_area_id", "post"),
    ),
    "matter_step": (
        ("case_no", "k"),
        ("case_no", "k", "at"),
        ("transition", "source", "target", "owner_level", "actor_id", "unit_id", "filled", "evidence", "note"),
    ),
    "matter_word": (("word", "case_no"), ("word", "case_no"), ()),
    "matter_link": (("case_no", "other_no"), ("case_no", "other_no"), ()),
    "matter_telling": (
        ("case_no", "clock_id", "at", "share"),
        ("case_no", "at", "letter", "rank"),
        ("clock_id", "climb", "area_id"),
    ),
    "matter_file": (
        ("digest", "case_no", "actor_id"), ("case_no", "put_at", "n_bytes"), ("digest", "actor_id", "media_type"),
    ),
    "destruction": (("case_id",), ("destroyed_at", "rank"), ("case_id", "type_id", "body")),
    "matter_setting": (("key",), (), ("key", "body")),
}  # fmt: skip
MORE: dict[str, Callable[[], tuple[Any, ...]]] = {
    "matter": lambda: (
        sa.Column("parent_no", sa.BigInteger), sa.Column("lon", sa.Float(53)), sa.Column("lat", sa.Float(53)),
        sa.UniqueConstraint("case_id"),
    ),
    "matter_telling": lambda: (sa.Column("share", sa.Float(53), nullable=False),),
}  # fmt: skip
INDEXES: dict[str, tuple[tuple[str, ...], ...]] = {
    "matter": (
        ("changed_at", "case_no"), ("due_at", "case_no"), ("opened_at", "case_no"), ("type_id", "state", "changed_at"),
        ("rank", "changed_at"), ("next_at",), ("forget_at",), ("parent_no",), ("closed", "changed_at"),
        ("post", "changed_at"), ("owner_area_id", "changed_at"),
        ("state", "type_id", "closed", "clocked", "red_at", "yellow_at", "kind", "rank"),  # for counts
    ),
    "matter_word": (("case_no", "word"),),
    "matter_file": (("case_no",),),
    "matter_telling": (("at",),),
}  # fmt: skip


def upgrade() -> None:
    """Make the tables."""
    for name, (key, whole, text) in TABLES.items():
        columns: list[sa.Column[Any]] = [sa.Column(one, sa.Text, nullable=False) for one in text]
        columns += [sa.Column(one, sa.BigInteger, nullable=False, autoincrement=False) for one in whole]
        more = MORE[name]() if name in MORE else ()
        op.create_table(name, *columns, *more, sa.PrimaryKeyConstraint(*key), sqlite_with_rowid=len(key) < 2)
        for names in INDEXES.get(name, ()):
            op.create_index(f"{name}_by_{names[0]}", name, list(names))


def downgrade() -> None:
    """Drop them, with what they hold."""
    for name in reversed(list(TABLES)):
        op.drop_table(name)
