"""The log of changes."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from anlan.command import views
from anlan.command.api import forms
from anlan.command.api.asked import Opened

router = APIRouter(tags=["log"])


@router.get("/changes", response_model=forms.Changes, summary="Who changed what, oldest first")
def changes(
    district: Opened,
    after: Annotated[int, Query(ge=0, lt=2**63)] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> dict[str, Any]:
    """Return the log behind a change id."""
    return {"changes": [views.change(made) for made in district.changes(after, limit)]}


@router.get("/audit", response_model=forms.Audit, summary="Recompute the log's chain")
def audit(district: Opened) -> dict[str, Any]:
    """Tell whether every change is as it was written, and the current state is what the log says."""
    made = district.verify()
    return {"n_changes": made.n_changes, "ok": made.ok, "broken_at": made.broken_at, "fault": made.fault}
