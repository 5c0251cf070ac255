"""Volunteers, their shifts and call-outs: beside the log, since whoever leaves is forgotten at once."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "a004"
down_revision = "a003"
branch_labels = None
depends_on = None

# By table: its key, its whole numbers, its texts, the whole numbers that may be missing, and what is unique.
Names = tuple[str, ...]
TABLES: dict[str, tuple[Names, Names, Names, Names, Names]] = {
    "volunteer": (
        ("volunteer_no",),
        ("volunteer_no", "rank", "consented_at", "ends_at", "reminded"),
        (
            "volunteer_id", "shown_name", "home_id", "skills", "languages", "alliances", "trade", "free", "spoken",
            "contact", "token_key", "calendar_key",
        ),
        (),
        ("volunteer_id", "token_key"),
    ),
    "volunteer_invitation": (
        ("invitation_id",),
        ("rank", "made_at", "until_at", "n_left"),
        ("invitation_id", "token_key", "label", "area_id", "alliance"),
        (),
        ("token_key",),
    ),
    "volunteer_shift": (
        ("shift_no",),
        ("shift_no", "rank", "begin_at", "end_at", "places", "n_came", "minutes", "changed_at", "sequence"),
        ("shift_id", "name", "area_id", "needs", "alliance", "state", "code"),
        (),
        ("shift_id", "code"),
    ),
    "volunteer_sign_up": (
        ("shift_no", "volunteer_no"),
        ("shift_no", "volunteer_no", "k", "seated", "since_at"),
        (),
        ("in_at", "out_at"),
        (),
    ),
    "volunteer_offer": (
        ("offer_id",), ("shift_no", "giver_no", "made_at"), ("offer_id",), ("taker_no", "back_no"), (),
    ),
    "volunteer_call_out": (
        ("call_out_no",),
        (
            "call_out_no", "rank", "quota", "begun_at", "ends_at", "circle", "next_at", "seed", "wave", "patience_s",
            "n_asked", "n_yes", "n_no", "n_left",
        ),
        ("call_out_id", "matter_id", "area_id", "skills", "alliance", "words", "state", "radii"),
        (),
        ("call_out_id",),
    ),
    "volunteer_ask": (
        ("call_out_no", "volunteer_no"), ("call_out_no", "volunteer_no", "asked_at"), ("matter_id", "reply"),
        ("replied_at",), (),
    ),
    "volunteer_message": (
        ("message_no",), ("message_no", "volunteer_no", "made_at", "about_no"), ("kind",), (), (),
    ),
    "volunteer_tally": (("month", "area_id", "what"), ("rank", "n"), ("month", "area_id", "what"), (), ()),
}  # fmt: skip
LOCATED = {"volunteer_shift", "volunteer_call_out"}
INDEXES: dict[str, tuple[Names, ...]] = {
    "volunteer": (("rank", "volunteer_no"), ("ends_at",), ("calendar_key",)),
    "volunteer_shift": (("begin_at", "shift_no"), ("rank", "begin_at")),
    "volunteer_sign_up": (("volunteer_no", "shift_no"),),
    "volunteer_offer": (("shift_no",),),
    "volunteer_call_out": (("next_at",), ("rank", "begun_at"), ("matter_id",)),
    "volunteer_ask": (("volunteer_no", "asked_at"), ("matter_id", "volunteer_no"), ("asked_at",)),
    "volunteer_message": (("volunteer_no",),),
}


def upgrade() -> None:
    """Make the tables."""
    for name, (key, whole, text, maybe, unique) in TABLES.items():
        columns: list[sa.Column[Any]] = [sa.Column(one, sa.Text, nullable=False) for one in text]
        columns += [sa.Column(one, sa.BigInteger, nullable=False, autoincrement=False) for one in whole]
        columns += [sa.Column(one, sa.BigInteger) for one in maybe]
        if name in LOCATED:
            columns += [sa.Column(one, sa.Float(53), nullable=False) for one in ("lon", "lat")]
        rules = [sa.PrimaryKeyConstraint(*key), *(sa.UniqueConstraint(one) for one in unique)]
        op.create_table(name, *columns, *rules, sqlite_with_rowid=len(key) < 2)
        for names in INDEXES.get(name, ()):
            op.create_index(f"{name}_by_{names[0]}", name, list(names))


def downgrade() -> None:
    """Drop them, with what they hold."""
    for name in reversed(list(TABLES)):
        op.drop_table(name)
