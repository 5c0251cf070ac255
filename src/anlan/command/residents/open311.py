"""Open311 GeoReport v2: what residents' programs ask, by the paths, forms and errors of the standard."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from fastapi.routing import APIRoute

from anlan.command.residents import georeport
from anlan.command.residents.door import TEXT, NoKey, Residents, degrees
from anlan.command.residents.limits import TooMany
from anlan.command.residents.open311_forms import DESCRIBED, REPORT_BODY, RequestsFilter
from anlan.command.residents.sent import Sent, read_sent
from anlan.kernel.clock import parse_moment
from anlan.kernel.errors import AnlanError, BadInput, NotFound
from anlan.matters import Matters, Standing
from anlan.matters.follow import case_behind
from anlan.matters.gazetteer import Named, place_named, place_of
from anlan.matters.public import (
    MOST,
    PublicCase,
    Report,
    Reported,
    Wanted,
    offer_of,
    offers,
    public_case,
    public_cases,
)
from anlan.store import casebook

PREFIX = "/open311"
V2 = f"{PREFIX}/v2"
Form = Literal["xml", "json"]


def refusal(path: str, fault: AnlanError, status: int | None = None) -> Response:
    """Return an error as the standard has it: 404, 403 or 400, and 429 where somebody must wait.

    The form is that of the path's extension, XML where it has none.
    """
    kept = {404, 403, 429, 413, 503, 500}
    code = status or fault.http_status
    code = 403 if isinstance(fault, NoKey) else code if code in kept else 400
    form = "json" if path.endswith(".json") else "xml"
    made = georeport.answer("errors", georeport.errors(code, str(fault)), form, status=code)
    if isinstance(fault, TooMany):
        made.headers["retry-after"] = str(fault.wait_s)
    return made


class Route(APIRoute):
    """A route whose errors are those of the standard."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler, with its errors told."""
        ask = super().get_route_handler()

        async def told(request: Request) -> Response:
            path = request.url.path
            try:
                return await ask(request)
            except AnlanError as fault:
                return refusal(path, fault)
            except RequestValidationError as fault:
                first = fault.errors()[0]
                name = str(first["loc"][-1])
                if name == "form":
                    return refusal(path, NotFound(path[:80], "does not exist", "end it with .xml or .json"))
                return refusal(path, BadInput(name, f"must fit: {first['msg']}", "see the standard"))

        return told


router = APIRouter(tags=["open311"], route_class=Route)


@dataclass(frozen=True, slots=True)
class Asked:
    """A district as residents' programs meet it, and the language they read."""

    residents: Residents
    lang: str
    url: str

    @property
    def matters(self) -> Matters:
        """The district's cases."""
        return self.residents.district.matters

    def told(self, root: str, content: Any, form: str) -> Response:
        """Return a document."""
        return georeport.answer(root, content, form, lang=self.lang)


def _asked(
    request: Request,
    jurisdiction_id: Annotated[str, Query(description="This district's id, or nothing.")] = "",
    lang: Annotated[str, Query(description="zh or en; else what the client accepts.")] = "",  # noqa: ARG001 - read with the header
) -> Asked:
    residents: Residents = request.app.state.residents
    residents.count_asking(request)
    _check_jurisdiction(residents, jurisdiction_id)
    return Asked(residents, residents.language(request), str(request.base_url).rstrip("/"))


def _reading(asked: Annotated[Asked, Depends(_asked)]) -> Asked:
    if not asked.residents.settings.reading:
        raise NotFound("reading requests", "is not open here", "ask whoever keeps this server")
    return asked


def _check_jurisdiction(residents: Residents, jurisdiction_id: str) -> None:
    own = residents.district.pack.pack_id
    if jurisdiction_id not in {"", own}:
        raise NotFound(f"jurisdiction_id={jurisdiction_id[:60]!r}", f"must be {own}", "leave it out, or correct it")


Any311 = Annotated[Asked, Depends(_asked)]
Reading = Annotated[Asked, Depends(_reading)]


@router.get(f"{PREFIX}/discovery.{{form}}", responses=DESCRIBED["discovery"], summary="Where Open311 is spoken")
@router.get(f"{V2}/discovery.{{form}}", responses=DESCRIBED["discovery"], summary="The same, where some clients look")
def discovery(asked: Any311, form: Form) -> Response:
    """Return the endpoint with its formats, how a key is had, and whom to ask."""
    with asked.matters.store.reading() as connection:
        kept = casebook.kept_type_moments(connection)
    public = {(one.kind.type_id, one.kind.version) for one in offers(asked.matters).values()}
    dates = [at for key, at in kept.items() if key in public]
    changed = georeport.moment(max(dates, default=None), asked.residents.zone) or ""
    settings = asked.residents.settings
    endpoint = {
        "specification": georeport.SPECIFICATION,
        "url": f"{asked.url}{V2}",
        "changeset": changed,
        "type": "test" if asked.residents.test else "production",
        "formats": ["text/xml", "application/json"],
    }
    content = {
        "changeset": changed,
        "contact": georeport.said(settings.contact, asked.lang),
        "key_service": georeport.said(settings.key_service, asked.lang),
        "endpoints": [endpoint],
    }
    return asked.told("discovery", content, form)


@router.get(f"{V2}/services.{{form}}", responses=DESCRIBED["services"], summary="What can be reported")
def services(asked: Any311, form: Form) -> Response:
    """Return every service, in groups."""
    way = "realtime" if asked.residents.settings.answers == "service_request_id" else "batch"
    content = [georeport.service(one, asked.lang, way) for one in offers(asked.matters).values()]
    return asked.told("services", content, form)


@router.get(f"{V2}/services/{{service_code}}.{{form}}", responses=DESCRIBED["definition"], summary="What it asks")
def service(asked: Any311, service_code: str, form: Form) -> Response:
    """Return the attributes of a service: those public fields of its type that a report may tell."""
    offer = offer_of(asked.matters, service_code)
    return asked.told("service_definition", georeport.definition(offer, asked.lang), form)


@router.get(f"{V2}/requests.{{form}}", responses=DESCRIBED["requests"], summary="What was reported")
def requests(asked: Reading, form: Form, wanted: Annotated[RequestsFilter, Query()]) -> Response:
    """Return requests, newest first: of the last 90 days and 1000 at most, where nothing else is asked."""
    return _told(asked, public_cases(asked.matters, _wanted(asked.matters, wanted)), form)


@router.get(f"{V2}/requests/{{service_request_id}}.{{form}}", responses=DESCRIBED["requests"], summary="One request")
def one_request(asked: Reading, service_request_id: str, form: Form) -> Response:
    """Return one request, in the same list."""
    return _told(asked, [public_case(asked.matters, service_request_id)], form)


@router.get(f"{V2}/tokens/{{token}}.{{form}}", responses=DESCRIBED["tokens"], summary="The request behind a token")
def token(request: Request, asked: Any311, token: str, form: Form) -> Response:
    """Return the id of the request that a token stands for. The code of a report is its token, too."""
    asked.residents.check_codes(request)
    found = case_behind(asked.matters.store, token)
    if found is None:
        asked.residents.count_wrong_code(request)
        raise NotFound(f"token={token[:40]!r}", "does not exist, or not any more", "look at it again")
    return asked.told("service_requests", [{"service_request_id": found, "token": token}], form)


@router.post(
    f"{V2}/requests.{{form}}", responses=DESCRIBED["reported"], summary="Report something", openapi_extra=REPORT_BODY
)
async def post_request(request: Request, asked: Any311, form: Form) -> Response:
    """Open a request. The answer has its id, or its token, and in its notice the code by which it is followed."""
    sent = await read_sent(request)
    _check_jurisdiction(asked.residents, sent.one("jurisdiction_id"))
    key = sent.one("api_key") or request.headers.get("authorization", "").removeprefix("Bearer ").strip()
    who = await asyncio.to_thread(_who, request, asked.residents, key)
    asked.residents.count_report(request, None if who is None else who.actor_id)
    told = await asyncio.to_thread(_report, asked, sent)
    made = await asyncio.to_thread(asked.residents.take, told, sent.photo, who)
    named = "token" if asked.residents.settings.answers == "token" else "service_request_id"
    content = {
        named: made.code if named == "token" else made.request_id,
        "service_notice": notice(asked.residents, made, asked.lang, asked.url),
        "account_id": None,
    }
    return asked.told("service_requests", [content], form)


def notice(residents: Residents, made: Reported, lang: str, url: str) -> str:
    """Return what becomes of a report: by when, and how to follow it. Who reported it is not kept."""
    due_at = made.case.due_at
    by = "" if due_at is None else due_at.astimezone(residents.zone).strftime("%Y-%m-%d %H:%M")
    where = f"{url}/report/{made.code}"
    if lang == "zh":
        promise = f"承诺于 {by} 前办结。" if by else ""
        return f"{promise}凭查询码 {made.code} 在 {where} 查看进展。不保存您的身份与联系方式。"
    promise = f"Promised by {by}. " if by else ""
    return f"{promise}Follow it with the code {made.code} at {where}. Who you are and how to reach you is not kept."


# -- what was asked --------------------------------------------------------------------------------------------------


def _who(request: Request, residents: Residents, key: str) -> Standing | None:
    """Return who reports: the holder of a key, or None for anybody, where the settings let anybody."""
    posting = residents.settings.posting
    if posting == "nobody":
        raise NotFound("reporting by Open311", "is not open here", "see the public page")
    if key:
        return residents.by_key(request, key)
    if posting == "key":
        raise NoKey("api_key", "must be given", georeport.said(residents.settings.key_service, "en"))
    return None


def _report(asked: Asked, sent: Sent) -> Report:
    """Return what was reported. Names, telephone, mail, device and account of whoever reports are not even read."""
    if sent.one("media_url"):
        rule = "is not followed: this server asks no other"
        raise BadInput("media_url", rule, "send the picture as media, in multipart")
    code = sent.one("service_code")
    if not code:
        raise BadInput("service_code", "must be given", "see the list of services")
    offer = offer_of(asked.matters, code)
    fields = offer.kind.fields
    answers = {
        name: georeport.value_of(fields[name], texts) if name in fields else texts
        for name, texts in sent.attributes().items()
    }
    words, address = sent.one("description"), sent.one("address_string")
    for name, text in (("description", words), ("address_string", address)):
        if len(text) > TEXT:
            raise BadInput(f"{name} of {len(text)} characters", f"must have at most {TEXT}", "shorten it")
    place = _place(asked, sent, address)
    return Report(
        code=code, lon=place.lon, lat=place.lat, area_id=place.area_id, words=words, where=address, asked=answers,
        by_page=False,
    )  # fmt: skip


def _place(asked: Asked, sent: Sent, address: str) -> Named:
    lat, lon, pack = sent.one("lat"), sent.one("long"), asked.residents.district.pack
    if lat or lon:
        return Named(degrees(lon, "long", 180.0), degrees(lat, "lat", 90.0), None)
    if sent.one("address_id"):
        return place_of(pack, sent.one("address_id"))
    if address:
        return place_named(pack, address)
    raise BadInput("the place", "must be given", "give lat and long, address_id or address_string")


def _wanted(matters: Matters, told: RequestsFilter) -> Wanted:
    ids = _listed(told.service_request_id)
    if ids:
        return Wanted(request_ids=ids)
    codes, states = _listed(told.service_code), set(_listed(told.status))
    for code in codes:
        offer_of(matters, code)
    if not states <= {"open", "closed"}:
        raise BadInput(f"status={told.status[:40]!r}", "must be open, closed or both", "correct it")
    size, page = _number(told.page_size, "page_size", MOST), _number(told.page, "page", 1)
    return Wanted(
        codes=codes, closed=None if len(states) != 1 else states == {"closed"}, limit=size, skip=(page - 1) * size,
        begin_at=parse_moment(told.start_date, "start_date") if told.start_date else None,
        end_at=parse_moment(told.end_date, "end_date") if told.end_date else None,
    )  # fmt: skip


def _listed(text: str) -> tuple[str, ...]:
    return tuple(one.strip() for one in text.split(",") if one.strip())


def _number(text: str, name: str, usual: int) -> int:
    if not text.strip():
        return usual
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= MOST and len(text) <= 9):
        raise BadInput(f"{name}={text[:20]!r}", f"must be a whole number from 1 to {MOST}", "correct it")
    return int(text)


def _told(asked: Asked, found: list[PublicCase], form: str) -> Response:
    names, zone = asked.residents.names, asked.residents.zone
    content = [georeport.request(one, asked.lang, zone, names) for one in found]
    return asked.told("service_requests", content, form)
