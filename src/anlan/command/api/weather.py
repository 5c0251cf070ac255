"""The weather: what is known of it, and the door for whoever measures and foresees it."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter, Request

from anlan.command import views
from anlan.command.api import forms
from anlan.command.api.asked import Opened

router = APIRouter(tags=["weather"])

EXAMPLE = {
    "issued_at": "2026-12-31T15:00:00+08:00",
    "hours": [{"time": "2026-12-31T18:00:00+08:00", "rain_mm": 1.2, "temperature_c": 6.5}],
}


@router.get("/weather", response_model=forms.Weather, summary="The weather measured last, and the next hours'")
def weather(district: Opened) -> dict[str, Any]:
    """Return the last full hour that was measured, if it was one of the last two, and twelve hours from now on."""
    return views.weather(district.weather.now())


@router.post(
    "/weather",
    response_model=forms.WeatherReceipt,
    summary="Hand in hours of weather, measured or foreseen",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {"type": "object"}, "example": EXAMPLE}},
        }
    },
)
async def hand_in(request: Request, district: Opened) -> dict[str, Any]:
    """Take hours, all or none; the answer comes after the commit. Without ``issued_at`` they were measured."""
    return views.weather_receipt(await asyncio.to_thread(district.weather.take, await request.body()))
