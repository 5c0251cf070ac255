"""Plans of posts: asked for, watched while they are solved, stopped, read, taken along as files."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from pydantic import Field

from anlan.command.access import Admitted
from anlan.command.api.asked import Opened
from anlan.command.api.forms import Form, Moment, raw
from anlan.command.views import moment, rounded
from anlan.kernel.errors import NotFound
from anlan.planning.desk import KeptPlan, Making, Wish
from anlan.planning.papers import paper_of, workbook_of

router = APIRouter(tags=["plans"])

MEDIA = {
    "posts.geojson": "application/geo+json",
    "plan.xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "plan.html": "text/html; charset=utf-8",
    "plan.pdf": "application/pdf",
}
TITLE = {"zh": "布防方案", "en": "Plan of posts"}
Language = Annotated[Literal["zh", "en"], Query(description="Language of tables and pages.")]


class Wished(Form):
    """What is asked of a plan."""

    rings: str = Field("", max_length=400, description="Like 1:foot@key 3:vehicle/0.95~0.9; empty for the usual ones.")
    vehicles: int = Field(7, description="How many vehicles to place best.")
    seconds: float = Field(60.0, description="How long to search, s.")
    calls: float | None = Field(None, description="Incidents an hour: busy shares then follow from the plan.")
    minutes: float = Field(30.0, description="How long an incident keeps a unit beside the way, min.")


class MakingForm(Form):
    """A plan that is being made, or the last attempt that came to nothing."""

    begun_at: Moment
    by: str
    doing: str
    share: float = Field(description="How far it is, 0 to 1.")
    fault: str | None
    stopped: bool


class Brief(Form):
    """A plan that is kept."""

    id: str
    made_at: Moment
    by: str
    wish: Wished
    unit_hours: float
    gap: float = Field(description="How far it may be from the best one, as a share.")
    kept: bool = Field(description="Whether every ring is kept in every period.")


class Plans(Form):
    """What is kept, newest first, and what is being made."""

    making: MakingForm | None
    plans: list[Brief]


class Whole(Form):
    """A plan: numbers, map, and tables in each language."""

    id: str
    plan: dict[str, Any]
    geojson: dict[str, Any]
    facts: dict[str, list[tuple[str, list[list[str]]]]]


@router.get("/plans", response_model=Plans, summary="Plans of posts")
def plans(district: Opened) -> dict[str, Any]:
    """Return the plans that are kept, and what is being made."""
    making = district.plans.making()
    return {"making": _making(making), "plans": [_brief(one) for one in district.plans.plans()]}


@router.post("/plans", response_model=MakingForm, status_code=202, summary="Make a plan of posts")
def begin(district: Opened, asker: Admitted, wished: Wished) -> dict[str, Any] | None:
    """Begin to solve it, in a program beside; Conflict while another is made."""
    return _making(district.plans.begin(Wish(**wished.model_dump()), asker.name))


@router.delete("/plans/making", status_code=204, summary="Stop the plan that is being made")
def stop(district: Opened) -> None:
    """Stop it; nothing of it is kept."""
    district.plans.stop()


@router.get("/plans/{plan_id}", response_model=Whole, summary="One plan of posts")
def plan(district: Opened, plan_id: str) -> dict[str, Any]:
    """Return posts, rings, what promises cost, the best vehicles, and what each post adds."""
    found = district.plans.plan(plan_id)
    return {"id": plan_id, **{name: found[name] for name in ("plan", "geojson", "facts")}}


@router.get(
    "/plans/{plan_id}/{form}", summary="A plan as a file", response_class=Response, responses=raw(*MEDIA.values())
)
def file(district: Opened, plan_id: str, form: str, lang: Language = "zh") -> Response:
    """Return it as ``posts.geojson``, ``plan.xlsx``, ``plan.html`` or ``plan.pdf``."""
    if form not in MEDIA:
        raise NotFound(f"file {form!r} of a plan", f"must be one of {', '.join(MEDIA)}", "choose one")
    found = district.plans.plan(plan_id)
    tables = [(title, rows) for title, rows in found["facts"][lang]]
    if form == "posts.geojson":
        content = json.dumps(found["geojson"], ensure_ascii=False).encode()
    elif form == "plan.html":
        content = found["page"][lang].encode()
    elif form == "plan.xlsx":
        content = workbook_of(tables)
    else:
        name = district.pack.name.get(lang) or next(iter(district.pack.name.values()), "")
        content = paper_of(f"{name} · {TITLE[lang]} {plan_id}", tables, found["geojson"])
    headers = {"content-disposition": f'attachment; filename="{plan_id}-{form}"'}
    return Response(content, media_type=MEDIA[form], headers=headers)


def _making(made: Making | None) -> dict[str, Any] | None:
    if made is None:
        return None
    return {
        "begun_at": moment(made.begun_at),
        "by": made.actor,
        "doing": made.doing,
        "share": made.share,
        "fault": made.fault,
        "stopped": made.stopped,
    }


def _brief(one: KeptPlan) -> dict[str, Any]:
    return {
        "id": one.plan_id,
        "made_at": moment(one.made_at),
        "by": one.actor,
        "wish": {name: getattr(one.wish, name) for name in Wished.model_fields},
        "unit_hours": rounded(one.unit_hours, 2),
        "gap": one.gap,
        "kept": one.kept,
    }
