"""Plans of posts: asked for, watched while they are solved, stopped, read, taken along as files."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from pydantic import Field

from anlan.command.access import Admitted
from anlan.command.api.asked import Opened
from anlan.command.api.forms import Fault, Form, Moment, Text, raw
from anlan.command.views import moment, rounded
from anlan.kernel.errors import NotFound
from anlan.kernel.refusals import form_of
from anlan.planning.desk import KeptPlan, Making, Wish
from anlan.planning.ground import marked, offered
from anlan.planning.papers import paper_of, workbook_of
from anlan.planning.rings import ring_form, rings_of_forms, usual_rings

router = APIRouter(tags=["plans"])

MEDIA = {
    "posts.geojson": "application/geo+json",
    "plan.xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "plan.html": "text/html; charset=utf-8",
    "plan.pdf": "application/pdf",
}
TITLE = {"zh": "布防方案", "en": "Plan of posts"}
Language = Annotated[Literal["zh", "en"], Query(description="Language of tables and pages.")]


class RingForm(Form):
    """A promise: a time, who keeps it, where, for what share of the demand, and how surely."""

    within_s: float = Field(description="Seconds.", examples=[180])
    kinds: list[str] = Field(description="Of foot, bicycle, vehicle: whichever is nearer.", examples=[["vehicle"]])
    key: bool = Field(False, description="Whether it holds in key areas only.")
    share: float = Field(1.0, description="Of the demand, above 0 and at most 1.")
    reliability: float = Field(0.9, description="Chance that a unit in reach is free.")


class Wished(Form):
    """What is asked of a plan."""

    rings: list[RingForm] = Field([], description="Empty for the usual ones.")
    key: list[str] | None = Field(
        None,
        description="Key areas: places, stops, streets or areas by id or name; null for those that the district marks.",
        examples=[["yuyuan-garden"]],
    )
    vehicles: int = Field(7, description="How many vehicles to place best.")
    seconds: float = Field(60.0, description="How long to search, s.")
    calls: float | None = Field(None, description="Incidents an hour: busy shares then follow from the plan.")
    minutes: float = Field(30.0, description="How long an incident keeps a unit beside the way, min.")


class Named(Form):
    """What may be named as a key area."""

    key: str = Field(description="What names it.", examples=["yuyuan-garden"])
    name: Text


class Usual(Form):
    """What a plan is asked where nothing else is said, and what may be named as a key area."""

    rings: list[RingForm]
    key: list[str]
    names: list[Named]


class MakingForm(Form):
    """A plan that is being made, or the last attempt that came to nothing."""

    begun_at: Moment
    by: str
    doing: str
    share: float = Field(description="How far it is, 0 to 1.")
    fault: Fault | None = Field(description="Why it came to nothing.")
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
    making, kept = district.plans.standing()
    return {"making": _making(making), "plans": [_brief(one) for one in kept]}


@router.post("/plans", response_model=MakingForm, status_code=202, summary="Make a plan of posts")
def begin(district: Opened, asker: Admitted, wished: Wished) -> dict[str, Any] | None:
    """Begin to solve it, in a program beside; Conflict while another is made."""
    told = wished.model_dump()
    told |= {"rings": rings_of_forms(told["rings"]), "key": None if wished.key is None else tuple(wished.key)}
    return _making(district.plans.begin(Wish(**told), asker.name))


@router.delete("/plans/making", status_code=204, summary="Stop the plan that is being made")
def stop(district: Opened) -> None:
    """Stop it; nothing of it is kept."""
    district.plans.stop()


@router.get("/plans/usual", response_model=Usual, summary="What a plan is asked where nothing else is said")
def usual(district: Opened) -> dict[str, Any]:
    """Return the usual rings and key areas, and the names among which key areas are chosen."""
    pack = district.pack
    key = marked(pack)
    return {
        "rings": [ring_form(one) for one in usual_rings(keyed=bool(key))],
        "key": key,
        "names": [{"key": one, "name": label} for one, label in offered(pack)],
    }


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
        "fault": None if made.fault is None else form_of(made.fault),
        "stopped": made.stopped,
    }


def _brief(one: KeptPlan) -> dict[str, Any]:
    return {
        "id": one.plan_id,
        "made_at": moment(one.made_at),
        "by": one.actor,
        "wish": {
            **{name: getattr(one.wish, name) for name in Wished.model_fields},
            "rings": [ring_form(ring) for ring in one.wish.rings],
        },
        "unit_hours": rounded(one.unit_hours, 2),
        "gap": one.gap,
        "kept": one.kept,
    }
