"""The devices, and the door for what they counted."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Body, Request

from anlan.command import views
from anlan.command.access import Admitted
from anlan.command.api import forms
from anlan.command.api.asked import Minutes, Opened, Where

router = APIRouter(tags=["devices"])


@router.get("/devices", response_model=forms.Devices, summary="Every device, how it is doing, and what it last counted")
def devices(district: Opened, asker: Admitted, where: Where) -> dict[str, Any]:
    """Return state, reason, last counts and the tally of accepted, late, duplicate and refused messages."""
    every = district.devices()
    return {
        "devices": [views.device(one) for one in every if asker.scope.covers(where.of_device(one.device.device_id))]
    }


@router.get("/devices/{device_id}", response_model=forms.Device, summary="One device")
def device(district: Opened, asker: Admitted, where: Where, device_id: str) -> dict[str, Any]:
    """Return one device."""
    where.check_device(asker.scope, device_id)
    return views.device(district.device(device_id))


@router.get("/devices/{device_id}/curve", response_model=forms.DeviceCurve, summary="What a device counted over time")
def device_curve(
    district: Opened, asker: Admitted, where: Where, device_id: str, minutes: Minutes = 60
) -> dict[str, Any]:
    """Return a point for each of its windows, at the window's end."""
    where.check_device(asker.scope, device_id)
    now = district.clock.now()
    seen = district.device_curve(device_id, now - timedelta(minutes=minutes), now)
    return {"points": [{"at": views.moment(one.end_at), **views.scalars(one)} for one in seen]}


@router.post("/devices/{device_id}/withdraw", response_model=forms.Change, summary="Take a device out of the estimate")
def withdraw(
    district: Opened, asker: Admitted, where: Where, device_id: str, reason: Annotated[str, Body(embed=True)]
) -> dict[str, Any]:
    """What it sends is kept, and not used, until it is restored; the log tells who and why."""
    where.check_device(asker.scope, device_id)
    return views.change(district.withdraw_device(device_id, reason, asker.name))


@router.post("/devices/{device_id}/restore", response_model=forms.Change, summary="Use a withdrawn device again")
def restore(district: Opened, asker: Admitted, where: Where, device_id: str) -> dict[str, Any]:
    """End its withdrawal."""
    where.check_device(asker.scope, device_id)
    return views.change(district.restore_device(device_id, asker.name))


@router.post(
    "/observations",
    response_model=forms.Receipt,
    summary="Hand in observations",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {"type": "object"},
                    "example": {
                        "device": "passage-01",
                        "begin_at": "2026-12-31T18:00:00+08:00",
                        "end_at": "2026-12-31T18:01:00+08:00",
                        "sequence": 12,
                        "values": {"in": 5, "out": 3},
                    },
                }
            },
        }
    },
)
async def observations(request: Request, district: Opened) -> dict[str, Any]:
    """Take one observation or ``{"observations": [...]}``; the answer comes after the commit."""
    promise = await asyncio.to_thread(district.door.submit, await request.body())
    return views.receipt(await asyncio.wrap_future(promise))


@router.post(
    "/ingest/{topic:path}",
    response_model=forms.Receipt,
    summary="Hand in a message in a vendor's own format",
    openapi_extra={"requestBody": {"required": True, "content": {"*/*": {"schema": {"type": "string"}}}}},
)
async def ingest(request: Request, district: Opened, topic: str) -> dict[str, Any]:
    """Take what would come by MQTT under this topic, such as ``xovis/<source>``; the answer comes after the commit."""
    promise = await asyncio.to_thread(district.door.receive, topic, await request.body())
    return views.receipt(await asyncio.wrap_future(promise))
