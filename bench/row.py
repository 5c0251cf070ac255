"""One figure of a bench table."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Row:
    """A figure: what was measured, its goal as text, whether it was met (None: no goal), and what stood beside it."""

    id: str
    what: str
    value: float | None
    unit: str
    goal: str | None = None
    ok: bool | None = None
    peer: str | None = None
