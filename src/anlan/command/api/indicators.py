"""Indicators: what the district measures itself by, each with its formula and the cases behind it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from fastapi.responses import Response

from anlan.command import case_views, views
from anlan.command.api import indicator_forms
from anlan.command.api.case_papers import as_attachment
from anlan.command.api.cases import Kept, Who
from anlan.indicators import Indicator
from anlan.kernel.areas import AreaTree
from anlan.kernel.entries import Entry
from anlan.matters import numbers

router = APIRouter(tags=["indicators"])

Area = Annotated[str, Query(description="An area of one's own; the whole district if empty.")]
PeriodName = Annotated[str, Query(max_length=20, description="2026-03, 2026-Q1, 2026; the present one if empty.")]


@router.get("/indicators", response_model=indicator_forms.Indicators, summary="What the district measures itself by")
def indicators(kept: Kept) -> dict[str, Any]:
    """Return each with its formula, its sources, how fine it is told and how often."""
    return {"indicators": [_form(one) for one in kept.indicators.values()]}


@router.get(
    "/indicators/public", response_model=indicator_forms.Published, summary="Numbers for the public",
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
)  # fmt: skip
def public(kept: Kept, form: Literal["json", "csv"] = "json") -> Any:
    """Return each indicator of its last whole period, without small counts and what would give them away."""
    told = numbers.public_numbers(kept, kept.clock.now())
    if form == "csv":
        headers = {"content-disposition": 'attachment; filename="indicators.csv"', "cache-control": "no-store"}
        return Response(numbers.public_csv(told), media_type="text/csv; charset=utf-8", headers=headers)
    return {
        "numbers": [
            {"indicator": one.indicator_id, "area": key, "period": number.period, "value": number.value,
             "unknown": number.unknown, "hidden": number.hidden}
            for one, shown in told for key, number in shown.items()
        ]
    }  # fmt: skip


@router.get("/indicators/bulletin", response_class=Response, summary="The monthly bulletin of an area")
def bulletin(
    kept: Kept, who: Who, month: str, area: Area = "", form: Literal["pdf", "docx"] = "pdf",
    lang: Literal["zh", "en"] = "zh",
) -> Response:  # fmt: skip
    """Return it as PDF or Word. Only what is published is in it."""
    area = area or kept.ground.root
    content = numbers.bulletin(kept, area, month, who, (form, lang))
    return as_attachment(content, f"bulletin-{area}-{month}", form)


@router.get("/indicators/{indicator_id}", response_model=indicator_forms.Answer, summary="One indicator")
def indicator(kept: Kept, who: Who, indicator_id: str, area: Area = "", period: PeriodName = "") -> dict[str, Any]:
    """Return its value, beside the period before and a year ago, and below it those of the areas directly within."""
    made = numbers.answer(kept, indicator_id, area or kept.ground.root, period, who)
    names = kept.ground.areas
    return {
        "indicator": _form(made.indicator),
        "period": made.period.name,
        "from_at": views.moment(made.period.from_at),
        "until_at": views.moment(made.period.until_at),
        "complete": made.complete,
        "change": made.change,
        "whole": _told(made.whole, names),
        "before": _told(made.before, names),
        "year_ago": _told(made.year_ago, names),
        "parts": [_told(one, names) for one in made.parts],
    }


@router.get(
    "/indicators/{indicator_id}/cases", response_model=indicator_forms.Behind, summary="What is behind a number"
)
def behind(kept: Kept, who: Who, indicator_id: str, area: Area = "", period: PeriodName = "") -> dict[str, Any]:
    """Return what was counted, as far as the asker may see it, oldest first, 500 cases and 500 other things at most."""
    where = area or kept.ground.root
    found = numbers.behind(kept, indicator_id, where, period, who)
    beside = numbers.entries_behind(kept, indicator_id, where, period, who)
    return {"cases": [case_views.brief(one) for one in found], "entries": [_entry(one) for one in beside]}


def _form(one: Indicator) -> dict[str, Any]:
    return {
        "id": one.indicator_id, "label": dict(one.label), "unit": dict(one.unit), "formula": one.formula,
        "sources": list(one.sources), "counted": one.counted, "level": one.level, "every": one.period,
        "better": one.better, "by": one.by, "least": one.least,
    }  # fmt: skip


def _entry(one: Entry) -> dict[str, Any]:
    return {
        "source": one.source, "id": one.entry_id, "from_at": views.moment(one.from_at),
        "until_at": None if one.until_at is None else views.moment(one.until_at),
        "area": list(one.areas.values())[-1], "values": dict(one.values),
    }  # fmt: skip


def _told(one: numbers.Told, areas: AreaTree) -> dict[str, Any]:
    return {
        "area": one.area_id, "name": dict(areas.area(one.area_id).name), "value": one.value, "unknown": one.unknown,
        "hidden": one.hidden, "n": one.n, "n_of": one.n_of,
    }  # fmt: skip
