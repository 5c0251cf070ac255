"""What stands announced, and that somebody on duty has seen it."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Body, Query

from anlan.command import views
from anlan.command.access import Admitted
from anlan.command.api import forms
from anlan.command.api.asked import Opened, Where
from anlan.command.whereabouts import ASK
from anlan.kernel.answers import AlertNow
from anlan.kernel.errors import NotAllowed

router = APIRouter(tags=["alerts"])

Hours = Annotated[int, Query(ge=0, le=720, description="Also those that were over in so many hours")]
Note = Annotated[str, Body(embed=True, max_length=500)]


@router.get("/alerts", response_model=forms.Alerts, summary="Alerts that stand, and why")
def alerts(district: Opened, asker: Admitted, where: Where, past_hours: Hours = 0) -> dict[str, Any]:
    """Return each with its place, rule and source, numbers, probability, lead time and devices."""
    now = district.clock.now()
    every = district.alerts(now - timedelta(hours=past_hours) if past_hours else None)
    found = [one for one in every if asker.scope.covers(where.of_subject(one.alert.subject_id))]
    return {"at": views.moment(now), "alerts": [views.alert(one, now) for one in found]}


@router.get("/alerts/{alert_id}", response_model=forms.Alert, summary="One alert")
def alert(district: Opened, asker: Admitted, where: Where, alert_id: str) -> dict[str, Any]:
    """Return one alert, also one that is over."""
    return views.alert(_own(district, asker, where, alert_id), district.clock.now())


@router.post("/alerts/{alert_id}/acknowledge", response_model=forms.Change, summary="Note that somebody has seen it")
def acknowledge(district: Opened, asker: Admitted, where: Where, alert_id: str, note: Note = "") -> dict[str, Any]:
    """It stays on the list until it ends; the log tells who has seen it."""
    _own(district, asker, where, alert_id)
    return views.change(district.acknowledge_alert(alert_id, note, asker.name))


@router.post("/alerts/{alert_id}/close", response_model=forms.Change, summary="Take it off the list, with the reason")
def close(district: Opened, asker: Admitted, where: Where, alert_id: str, note: Note) -> dict[str, Any]:
    """It comes back only where it escalates beyond what was closed."""
    _own(district, asker, where, alert_id)
    return views.change(district.close_alert(alert_id, note, asker.name))


def _own(district: Opened, asker: Admitted, where: Where, alert_id: str) -> AlertNow:
    """Return an alert that lies in the asker's areas."""
    found = district.alert(alert_id)
    if not asker.scope.covers(where.of_subject(found.alert.subject_id)):
        raise NotAllowed(f"alert {alert_id!r}", "must lie in an area that is granted to you", ASK)
    return found
