"""The proof of the intervals: what withheld cameras counted against the estimate without them."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Body
from pydantic import Field

from anlan.command import views
from anlan.command.api.asked import Opened
from anlan.command.api.forms import Form, Moment, Text
from anlan.kernel.pack import Pack
from anlan.proof import ProofNow, ProvedDay

router = APIRouter(tags=["devices"])

Share = Annotated[float, Field(description="Part of the counts that the 90 % interval held (0..1).", examples=[0.91])]


class ProvedViewForm(Form):
    """What one withheld camera counted on a day."""

    id: str
    name: Text
    hours: int = Field(description="Hours in which it was held against the estimate; an error lasts for about one.")
    n_counts: int
    held_before: Share
    held: Share
    error: float | None = Field(description="By how much the estimate was off, as a part of those counted.")


class ProvedDayForm(Form):
    """A day that was estimated again with cameras withheld in turn.

    ``before`` is the factor that had been found until then, so ``held_before`` judges intervals that knew nothing of
    this day; ``held`` those with the factor that it led to.
    """

    on: date
    proved_at: Moment
    afresh: bool = Field(description="Estimated from nothing, where no state of that day was kept.")
    before: float
    after: float
    n_counts: int
    hours: int = Field(description="Hours of cameras: about so many counts are independent.")
    held_before: Share
    held: Share
    views: list[ProvedViewForm]


class Proving(Form):
    """A day that is being proved."""

    on: date
    share: float = Field(description="How far it is, 0 to 1.")


class Proof(Form):
    """By how much intervals on open ground are wider than the estimator's constants make them, and why."""

    factor: float = Field(description="On the half-widths of intervals on open ground; 1 where nothing is proven yet.")
    from_at: Moment | None = Field(description="From when on it applies; null where nothing is proven yet.")
    raw: float | None = Field(description="What the counts ask for, before it is drawn to 1; null for too few cameras.")
    hours: float = Field(description="Hours of cameras behind it, those of older days for less.")
    n_views: int
    n_days: int
    day: ProvedDayForm | None = Field(description="The last day that was proved.")
    proving: Proving | None
    fault: str | None = Field(description="Why the last attempt came to nothing.")


@router.get("/proof", response_model=Proof, summary="How the intervals held against withheld cameras")
def proof(district: Opened) -> dict[str, Any]:
    """Return the factor in force, and the last day that was proved, camera by camera."""
    return _told(district.proofs.now(), district.pack)


@router.post("/proof", response_model=Proof, status_code=202, summary="Prove the intervals on a past day")
def prove(
    district: Opened, on: Annotated[date | None, Body(embed=True, description="Yesterday if left out.")] = None
) -> dict[str, Any]:
    """Begin to estimate it again, in a program beside; Conflict while another day is being proved."""
    district.proofs.begin(on)
    return _told(district.proofs.now(), district.pack)


def _told(now: ProofNow, pack: Pack) -> dict[str, Any]:
    proven = now.proven
    last = max(now.days, key=lambda one: one.proved_at, default=None)
    return {
        "factor": 1.0 if proven is None else views.rounded(proven.factor, 4),
        "from_at": None if proven is None else views.moment(proven.from_at),
        "raw": None if proven is None else views.rounded(proven.raw, 4),
        "hours": 0.0 if proven is None else views.rounded(proven.hours, 1),
        "n_views": 0 if proven is None else proven.n_devices,
        "n_days": len(now.days),
        "day": None if last is None else _day(last, pack),
        "proving": None if now.proving is None else {"on": now.proving, "share": now.share},
        "fault": now.fault,
    }


def _day(day: ProvedDay, pack: Pack) -> dict[str, Any]:
    names = {device.device_id: dict(device.name) for device in pack.devices}
    return {
        "on": day.on,
        "proved_at": views.moment(day.proved_at),
        "afresh": day.afresh,
        "before": views.rounded(day.before, 4),
        "after": views.rounded(day.after, 4),
        "n_counts": day.n_counts,
        "hours": day.hours,
        "held_before": views.rounded(day.held(day.before), 4),
        "held": views.rounded(day.held(day.after), 4),
        "views": [
            {
                "id": name,
                "name": names.get(name, {}),
                "hours": one.hours,
                "n_counts": len(one.factors),
                "held_before": views.rounded(one.held(day.before), 4),
                "held": views.rounded(one.held(day.after), 4),
                "error": views.rounded(one.error, 4),
            }
            for name, one in sorted(day.views.items())
        ],
    }
