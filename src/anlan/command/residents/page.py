"""The public page: to report without an account or a script, and to follow what becomes of it by a code."""

from __future__ import annotations

import asyncio
import re
import tomllib
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from fastapi.routing import APIRoute
from jinja2 import Environment
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException

from anlan.cases import Action
from anlan.command.pages_of import pages_of
from anlan.command.residents import page_views as views
from anlan.command.residents.door import HOUR_S, TEXT, Residents, degrees
from anlan.command.residents.georeport import said as said_in
from anlan.command.residents.limits import TooMany
from anlan.command.residents.seals import Seals
from anlan.kernel.errors import AnlanError, BadInput, Conflict, NotFound
from anlan.kernel.refusals import in_chinese
from anlan.matters.follow import plain
from anlan.matters.gazetteer import Named, place_of
from anlan.matters.public import Offer, Report, follow, near_report, offers, public_case, shown_file, take_step
from anlan.matters.room import MOST_BYTES

PREFIX = "/report"
FIELDS = 200
SPOT = 400
_DIGEST = re.compile(r"[0-9a-f]{64}")
_NO_STORE = {"cache-control": "no-store"}
_DRESS = {"referrer-policy": "same-origin"}
"""Under no-referrer a browser names no origin when it sends a form, and the guard could not tell whose form it is."""


@dataclass(slots=True)
class Sheets:
    """What the page remembers while it is open: its seals, and for an hour which form was sent already."""

    seals: Seals = field(default_factory=Seals)
    sent: dict[str, tuple[float, str]] = field(default_factory=dict)
    one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)

    def code_of(self, seal: str) -> str | None:
        """Return the code that a form was answered with, so that pressing twice reports once."""
        now = asyncio.get_running_loop().time()
        self.sent = {one: kept for one, kept in self.sent.items() if now - kept[0] < HOUR_S}
        return self.sent[seal][1] if seal in self.sent else None

    def remember(self, seal: str, code: str) -> None:
        """Remember what a form was answered with."""
        self.sent[seal] = asyncio.get_running_loop().time(), code


@lru_cache(maxsize=1)
def _pages() -> Environment:
    made = pages_of("anlan.command.residents", "templates")
    made.filters["first"] = lambda text: f"{text[:1].upper()}{text[1:]}"  # labels are written small, to stand in lists
    return made


@lru_cache(maxsize=1)
def texts() -> Mapping[str, Mapping[str, str]]:
    """Return what the page says, by language."""
    return tomllib.loads(files("anlan.command.residents").joinpath("texts.toml").read_text(encoding="utf-8"))


class Page:
    """One answer of the page, to one reader."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.residents: Residents = request.app.state.residents
        self.sheets: Sheets = request.app.state.sheets
        spoken = self.residents.language(request)
        self.lang = spoken if spoken in texts() else "en"
        pack = self.residents.district.pack
        self.t = {
            name: text.replace("{district}", pack.name.get(self.lang, pack.pack_id))
            .replace("{mb}", f"{MOST_BYTES / 1e6:g}")
            for name, text in texts()[self.lang].items()
        }  # fmt: skip

    def show(self, template: str, status: int = 200, **more: Any) -> Response:
        """Return a page."""
        pack = self.residents.district.pack
        usual = {
            "t": self.t, "lang": self.lang, "district": pack.name.get(self.lang, pack.pack_id),
            "played": self.residents.test,
            "here": self.request.url.path if self.request.method == "GET" else PREFIX,
        }  # fmt: skip
        made = _pages().get_template(template).render(usual | more)
        return HTMLResponse(
            made, status, headers={**_NO_STORE, **_DRESS, "content-language": self.t["lang"], "vary": "accept-language"}
        )

    def form(self, given: Mapping[str, str], faults: list[tuple[str, str]], status: int = 200) -> Response:
        """Return the form, with what was filled in."""
        pack = self.residents.district.pack
        told: dict[str, str] = {
            name: given.get(name, "") for name in ("service", "place", "lat", "lon", "spot", "words", "kept_photo")
        }
        groups = views.groups(self.residents, self.lang)
        asked = {f"{one['code']}:{ask['id']}" for _, services in groups for one in services for ask in one["asks"]}
        return self.show(
            "report.html", status, groups=groups, places=views.places(self.residents, self.lang, self.t["places"]),
            given=told | {name: given.get(name, "") for name in asked}, faults=faults, seal=self.sheets.seals.form(),
            centre=(pack.lon, pack.lat),
        )  # fmt: skip

    def fault(self, text: str, status: int) -> Response:
        """Return a page that says what went wrong, and nothing else."""
        return self.show("fault.html", status, text=text)


def refusal(request: Request, fault: AnlanError, status: int | None = None) -> Response:
    """Return an error as a reader of the page meets it."""
    page = Page(request)
    code = status or fault.http_status
    if isinstance(fault, TooMany):
        made = page.fault(page.t["fault_many"].format(minutes=-(-fault.wait_s // 60)), 429)
        made.headers["retry-after"] = str(fault.wait_s)
        return made
    named = {413: "fault_large", 404: "fault_missing"}
    text = page.t[named.get(code, "fault_other")]
    if code in named:
        return page.fault(text, code)
    known = in_chinese(fault)
    told = f"{known.rule}；{known.next_step}。" if page.lang == "zh" and known.rule and known.next_step else str(fault)
    return page.fault(f"{text}：{told}" if page.lang == "zh" else f"{text}: {told}", code)


class Route(APIRoute):
    """A route whose errors are pages."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler, with its errors told."""
        ask = super().get_route_handler()

        async def told(request: Request) -> Response:
            try:
                residents: Residents = request.app.state.residents
                if not residents.settings.page:
                    raise NotFound("the public page", "is not open here", "ask whoever keeps this server")
                residents.count_asking(request)
                return await ask(request)
            except AnlanError as fault:
                return refusal(request, fault)

        return told


router = APIRouter(prefix=PREFIX, route_class=Route, include_in_schema=False)


@router.get("")
def empty_form(request: Request) -> Response:
    """Return the form."""
    return Page(request).form({}, [])


@router.get("/{name}.{kind}")
def file(name: str, kind: str) -> Response:
    """Return a file of the page."""
    media = {"page.css": "text/css", "where.js": "text/javascript", "icon.svg": "image/svg+xml"}.get(f"{name}.{kind}")
    if media is None:
        raise NotFound(f"{name[:40]}.{kind[:10]}", "does not exist", "see the page")
    content = files("anlan.command.residents").joinpath("files", f"{name}.{kind}").read_bytes()
    return Response(content, media_type=media, headers={"cache-control": "max-age=3600"})


@router.get("/follow")
def look_up(request: Request, code: str = "") -> Response:
    """Go to the page of a code that was typed."""
    page = Page(request)
    found = plain(code)
    if not found:
        return page.fault(page.t["fault_code"], 404)
    return RedirectResponse(f"{PREFIX}/{found}?lang={page.lang}", 303, headers=_NO_STORE)


@router.get("/{code}")
def followed(request: Request, code: str, new: bool = False, said: bool = False) -> Response:  # noqa: FBT001, FBT002 - flags of a link
    """Return what became of a report: to the holder of its code, or, by its number, what anybody may know."""
    page = Page(request)
    return _followed(page, code, fresh=new, said=said)


def _followed(page: Page, code: str, *, fresh: bool = False, said: bool = False, faults: Any = ()) -> Response:
    residents, lang, matters = page.residents, page.lang, page.residents.district.matters
    residents.check_codes(page.request)
    status = 422 if faults else 200
    with suppress(NotFound):
        found = follow(matters, code)
        return page.show(
            "follow.html", status, one=views.brief(residents, found.case, lang, page.t), code=plain(code), fresh=fresh,
            told=views.told(found, lang), questions=found.questions, shown=views.shown(found, lang), said=said,
            steps=views.steps(found, lang), seen=found.n_changes, seal=page.sheets.seals.form(), faults=faults,
        )  # fmt: skip
    with suppress(NotFound):
        if residents.settings.reading:
            one = public_case(matters, code)
            return page.show(
                "follow.html", one=views.brief(residents, one, lang, page.t), code="", fresh=False, said=False, told=(),
                questions=(), steps=(), faults=(), shown=None,
            )  # fmt: skip
    residents.count_wrong_code(page.request)
    return page.fault(page.t["fault_code"], 404)


@router.get("/{code}/files/{digest}")
def picture(request: Request, code: str, digest: str) -> Response:
    """Return a picture of the work to the holder of the code."""
    residents: Residents = request.app.state.residents
    residents.check_codes(request)
    try:
        content, media = shown_file(residents.district.matters, code, digest)
    except NotFound:
        residents.count_wrong_code(request)
        raise
    whole = media.startswith("image/")
    headers = {**_NO_STORE, **({} if whole else {"content-disposition": "attachment"})}
    return Response(content, media_type=media, headers=headers)


@router.post("")
async def send(request: Request) -> Response:
    """Take a report, or tell what is missing, or that somebody has told of it."""
    page = Page(request)
    page.residents.check_reports(request)
    given, photo = await _read(request)
    seal = given.get("seal", "")
    async with page.sheets.one_at_a_time:
        code = page.sheets.code_of(seal)
        if code is None:
            made = await asyncio.to_thread(_take, page, given, photo)
            if isinstance(made, Response):
                return made
            code = made
            page.sheets.remember(seal, code)
    return RedirectResponse(f"{PREFIX}/{code}?new=1&lang={page.lang}", 303, headers=_NO_STORE)


def _take(page: Page, given: dict[str, str], photo: bytes) -> str | Response:
    """Return the code of a report, or the page that says why it was not taken."""
    faults = _robot(page, given)
    residents = page.residents
    if photo:
        given.pop("kept_photo", None)
        residents.count_photo(page.request)
        try:
            given["kept_photo"] = page.sheets.seals.sign(residents.put_photo(photo))
        except BadInput:
            faults.append(("photo", page.t["fault_photo"]))
    report, more = _report(page, given)
    faults += more
    if faults or report is None:
        return page.form(given, faults, 422)
    others = [] if given.get("anyway") else near_report(residents.district.matters, report)
    if others:
        return _near(page, given, others)
    residents.count_report(page.request)
    return residents.take(report).code


def _near(page: Page, given: Mapping[str, str], others: list[Any]) -> Response:
    kept = [(name, value) for name, value in given.items() if name != "anyway" and value]
    shown = [views.brief(page.residents, one, page.lang, page.t) for one in others]
    return page.show("near.html", near=shown, kept=kept)


def _robot(page: Page, given: Mapping[str, str]) -> list[tuple[str, str]]:
    """Tell what only a robot does: fill in what nobody sees, or send what it has hardly been given."""
    if given.get("website"):
        return [("words", page.t["fault_robot"])]
    age_s = page.sheets.seals.age_s(given.get("seal", ""))
    if age_s is None:
        return [("words", page.t["fault_old"])]
    return [("words", page.t["fault_quick"])] if age_s < page.residents.settings.limits.least_s else []


def _report(page: Page, given: Mapping[str, str]) -> tuple[Report | None, list[tuple[str, str]]]:
    """Return a report, with what is wrong with it, each beside its field."""
    t, faults = page.t, []
    offer = offers(page.residents.district.matters).get(given.get("service", ""))
    if offer is None:
        faults.append(("what", t["fault_what"]))
    place, fault = _place(page, given)
    if fault:
        faults.append(("lon" if given.get("lat") or given.get("lon") else "place", fault))
    words, spot = given.get("words", "").strip(), given.get("spot", "").strip()
    if not words:
        faults.append(("words", t["fault_words"]))
    if len(words) > TEXT or len(spot) > SPOT:
        faults.append(("words", t["fault_long"]))
    asked: dict[str, Any] = {}
    if offer is not None:
        asked, more = _asked(page, offer, given)
        faults += more
    if faults or offer is None or place is None:
        return None, faults
    photo = page.sheets.seals.read(given.get("kept_photo", ""))
    digest = photo if photo and _DIGEST.fullmatch(photo) and offer.side.photo else None
    return Report(
        code=offer.code, lon=place.lon, lat=place.lat, area_id=place.area_id, words=words, where=spot, asked=asked,
        photo=digest,
    ), []  # fmt: skip


def _asked(page: Page, offer: Offer, given: Mapping[str, str]) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    fields = {name: offer.kind.fields[name] for name in offer.service.asks}
    told = {name: given.get(f"{offer.code}:{name}", "") for name in fields}
    asked, faults = views.answers(fields.values(), told, page.residents), []
    for name, one in fields.items():
        label = said_in(one.label, page.lang)
        if name in asked:
            try:
                one.check(asked[name])
            except BadInput:
                faults.append((f"{offer.code}:{name}", page.t["fault_value"].format(name=label)))
        elif name in offer.service.needs:
            faults.append((f"{offer.code}:{name}", page.t["fault_asked"].format(name=label)))
    return asked, faults


def _place(page: Page, given: Mapping[str, str]) -> tuple[Named | None, str]:
    """Return where it is, or what is wrong with that."""
    lat, lon, chosen = (given.get(name, "").strip() for name in ("lat", "lon", "place"))
    district = page.residents.district
    if lat or lon:
        try:
            named = Named(degrees(lon, "lon", 180.0), degrees(lat, "lat", 90.0), None)
        except BadInput:
            return None, page.t["fault_coordinates"]
    else:
        try:
            named = place_of(district.pack, chosen[2:]) if chosen[:2] in {"p:", "a:"} else Named(None, None, None)
        except BadInput:
            named = Named(None, None, None)
        if named == Named(None, None, None):
            return None, page.t["fault_where"]
    if named.lon is not None and named.lat is not None and district.matters.ground.at(named.lon, named.lat) is None:
        return None, page.t["fault_outside"]
    return named, ""


@router.post("/{code}/steps/{step_id}")
async def take(request: Request, code: str, step_id: str) -> Response:
    """Take a step of whoever reported: say that it is not solved, answer what was asked, rate."""
    page = Page(request)
    page.residents.check_codes(request)
    given, _ = await _read(request)
    if page.sheets.seals.age_s(given.get("seal", "")) is None:
        return await asyncio.to_thread(_followed, page, code, faults=[("", page.t["fault_old"])])
    page.residents.count_step(request)
    return await asyncio.to_thread(_step, page, (code, step_id), given)


def _step(page: Page, which: tuple[str, str], given: Mapping[str, str]) -> Response:
    (code, step_id), matters = which, page.residents.district.matters
    try:
        found = follow(matters, code)
    except NotFound:
        page.residents.count_wrong_code(page.request)
        return page.fault(page.t["fault_code"], 404)
    step = next((one for one in found.steps if one.transition_id == step_id), None)
    if step is None or given.get("seen") != str(found.n_changes):
        return _followed(page, code, faults=[("", page.t["fault_changed"])])
    fields = [found.case.offer.kind.fields[name] for name in step.fills]
    filled = views.answers(fields, given, page.residents)
    action = Action(transition=step_id, filled=filled, note=given.get("note", "").strip(), seen=found.n_changes)
    try:
        take_step(matters, code, action)
    except Conflict:
        return _followed(page, code, faults=[("", page.t["fault_changed"])])
    except BadInput:
        missing = next((said_in(one.label, page.lang) for one in fields if one.field_id not in filled), page.t["note"])
        return _followed(page, code, faults=[("", page.t["fault_asked"].format(name=missing))])
    return RedirectResponse(f"{PREFIX}/{plain(code)}?said=1&lang={page.lang}", 303, headers=_NO_STORE)


async def _read(request: Request) -> tuple[dict[str, str], bytes]:
    """Return what a form tells, and its picture; empty where none was chosen."""
    try:
        async with request.form(max_files=1, max_fields=FIELDS) as form:
            return await _parts(form)
    except HTTPException as fault:
        if isinstance(fault.__cause__, AnlanError):
            raise fault.__cause__ from None
        raise BadInput("the form", f"must be readable ({fault.detail})", "open the page anew") from None


async def _parts(form: FormData) -> tuple[dict[str, str], bytes]:
    given: dict[str, str] = {}
    photo = b""
    for name, value in form.multi_items():
        if isinstance(value, UploadFile):
            photo = await value.read()
        else:
            given[name] = value
    return given, photo
