"""Plans that run: what their zones are at this minute, what fired, and what the district counts for a case."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Body, Query
from fastapi.responses import Response

from anlan.cases.definition import Refers
from anlan.command import underway_views, views
from anlan.command.access import Admitted
from anlan.command.api import case_forms, forms, underway_forms
from anlan.command.api.asked import Opened, Where
from anlan.command.api.case_papers import as_attachment
from anlan.command.api.cases import Kept, Who
from anlan.command.whereabouts import Whereabouts
from anlan.district import District
from anlan.matters import Standing, documents
from anlan.underway import Wish
from anlan.underway.running import DONE, OVERRULED

router = APIRouter(tags=["cases"])

Hours = Annotated[int, Query(ge=0, le=720, description="Also what was over in so many hours")]
Note = Annotated[str, Body(embed=True, max_length=500)]


class _Sees:
    """Tells of which grounds somebody may read the numbers."""

    def __init__(self, district: District, where: Whereabouts, who: Standing) -> None:
        self._scope, self._where, self._district = who.scope_of("crowd.read"), where, district

    def __call__(self, ground: str) -> bool:
        if self._scope.everywhere:
            return True
        outline = self._district.watched(ground.removeprefix("watch:")) if ground.startswith("watch:") else None
        if outline is not None:
            return self._where.inside(self._scope, outline)
        return self._scope.covers(self._where.of_subject(ground))


@router.get("/cases/references", response_model=underway_forms.References, summary="What a text may refer to")
def references(kept: Kept, district: Opened, where: Where, who: Who) -> dict[str, Any]:
    """Return places and watched polygons by which a zone is counted, and devices; watches where one may read them."""
    sees = _Sees(district, where, who)
    found = {refers: kept.known.names(refers) for refers in Refers}
    return {
        str(refers): [
            {"id": name, "name": dict(label)}
            for name, label in names.items()
            if not name.startswith("watch:") or sees(name)
        ]
        for refers, names in found.items()
    }


@router.get("/cases/{case_id}/live", response_model=underway_forms.Live, summary="A plan at this minute")
def live(district: Opened, where: Where, who: Who, case_id: str) -> dict[str, Any]:
    """Return zones, triggers and devices with what is counted, and every firing."""
    return underway_views.live(
        district.underway.look(case_id, who), district.staffing(case_id, who), _Sees(district, where, who)
    )


@router.get("/cases/{case_id}/counted", response_model=underway_forms.Numbers, summary="What is counted for a case")
def counted(district: Opened, who: Who, case_id: str) -> dict[str, Any]:
    """Return the numbers that need no typing, and how before and after compare."""
    return underway_views.numbers(*district.counts.numbers(case_id, who))


@router.get("/firings", response_model=underway_forms.Firings, summary="What triggers ask for now")
def firings(district: Opened, who: Who, past_hours: Hours = 0) -> dict[str, Any]:
    """Return what fired and stands, or waits for an answer while its plan runs, newest first."""
    now = district.clock.now()
    since_at = now - timedelta(hours=past_hours) if past_hours else None
    found = district.underway.firings(who, since_at=since_at)
    return {"at": views.moment(now), "firings": [underway_views.firing(one) for one in found]}


@router.post("/firings/{firing_id}/done", response_model=forms.Change, summary="Note that it was done")
def done(district: Opened, asker: Admitted, who: Who, firing_id: str, note: Note = "") -> dict[str, Any]:
    """Note that what the trigger asks for was done."""
    return views.change(district.mark_firing(firing_id, DONE, note, who, asker.name))


@router.post("/firings/{firing_id}/overrule", response_model=forms.Change, summary="Overrule it, with the reason")
def overrule(district: Opened, asker: Admitted, who: Who, firing_id: str, note: Note) -> dict[str, Any]:
    """Note why what the trigger asks for is not done."""
    return views.change(district.mark_firing(firing_id, OVERRULED, note, who, asker.name))


@router.get("/cases/{case_id}/rehearsals", response_model=underway_forms.Rehearsals, summary="Rehearsals of a plan")
def rehearsals(district: Opened, who: Who, case_id: str) -> dict[str, Any]:
    """Return those that are kept, how far one is that is under way, and the days that it can be rehearsed on."""
    going = district.rehearsals.going(case_id, who)
    return {
        "going": None if going is None else underway_views.going(going),
        "days": district.rehearsals.days(),
        "rehearsals": [underway_views.rehearsal(one) for one in district.rehearsals.rehearsals(case_id, who)],
    }


@router.post(
    "/cases/{case_id}/rehearsals", response_model=underway_forms.Going, summary="Rehearse a plan", status_code=202
)
def rehearse(district: Opened, asker: Admitted, who: Who, case_id: str, wished: underway_forms.Wish) -> dict[str, Any]:
    """Begin to run it over a simulated crowd, in a program beside; Conflict while another is under way."""
    wish = Wish(**wished.model_dump())
    return underway_views.going(district.rehearsals.begin(case_id, wish, who, asker.name))


@router.get(
    "/cases/{case_id}/rehearsals/going", response_model=underway_forms.Underway, summary="How far a rehearsal is"
)
def going(district: Opened, who: Who, case_id: str) -> dict[str, Any]:
    """Return how far the rehearsal of a case is, or why the last one came to nothing; null where there is neither."""
    found = district.rehearsals.going(case_id, who)
    return {"going": None if found is None else underway_views.going(found)}


@router.delete("/cases/{case_id}/rehearsals/going", status_code=204, summary="Stop the rehearsal that is under way")
def stop(district: Opened, who: Who, case_id: str) -> None:
    """Stop it; nothing of it is kept."""
    district.rehearsals.stop(case_id, who)


@router.delete("/cases/{case_id}/rehearsals/{rehearsal_id}", response_model=forms.Change, summary="Forget a rehearsal")
def drop(district: Opened, asker: Admitted, who: Who, case_id: str, rehearsal_id: str) -> dict[str, Any]:
    """Forget it; the log keeps that there was one."""
    return views.change(district.rehearsals.drop(case_id, rehearsal_id, who, asker.name))


@router.get(
    "/cases/{case_id}/rehearsals/{rehearsal_id}/record",
    response_class=Response,
    summary="The record of a rehearsal on paper",
    responses=forms.raw(*documents.MEDIA.values()),
)
def record(
    district: Opened, who: Who, case_id: str, rehearsal_id: str, asked: Annotated[case_forms.PaperForm, Query()]
) -> Response:
    """Return it as PDF or Word, to be signed."""
    content = district.rehearsals.paper(case_id, rehearsal_id, asked.form, asked.lang, who)
    return as_attachment(content, f"rehearsal-{rehearsal_id}", asked.form)


@router.post(
    "/cases/{case_id}/rehearsals/{rehearsal_id}/file",
    response_model=case_forms.StoredFile,
    summary="Let a step take the record as evidence",
    status_code=201,
)
def file(
    district: Opened, who: Who, case_id: str, rehearsal_id: str, asked: Annotated[case_forms.PaperForm, Query()]
) -> dict[str, Any]:
    """Store the record as a file, and return the digest that the step names."""
    return {"digest": district.rehearsals.file(case_id, rehearsal_id, asked.lang, who)}
