"""The pages of volunteers: drawn by the server, without a script; whoever has a link is known by it alone.

They need no account of staff, so they stand outside the API. Each step answers with a page or leads to one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import Annotated, Any, cast
from urllib.parse import parse_qs

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment
from markupsafe import Markup

from anlan.command.codes import drawn, link_to
from anlan.command.pages_of import pages_of
from anlan.community import SLOTS, Reply, RestBroken
from anlan.community.shifts import RULES
from anlan.kernel.errors import AnlanError, BadInput, Unavailable
from anlan.kernel.records import Label
from anlan.kernel.refusals import in_chinese
from anlan.store.casebook import Row
from anlan.volunteers import Hall, Profile, calling, hours, joining, rostering
from anlan.volunteers.hall import at_of, volunteer_of
from anlan.volunteers.joining import UnknownLink

router = APIRouter(prefix="/v", include_in_schema=False)

KEPT_S = 400 * 86_400
"""How long a browser keeps a link: the longest that browsers allow, and longer than a consent."""
NO_STORE = {"cache-control": "no-store"}
FOLDER = files("anlan.command.pages")
DAYS = ("周一", "周二", "周三", "周四", "周五", "周六", "周日")
FULL = 4096
Fields = dict[str, list[str]]


@cache
def _texts() -> dict[str, dict[str, str]]:
    return cast("dict[str, dict[str, str]]", json.loads(FOLDER.joinpath("texts.json").read_text(encoding="utf-8")))


@cache
def _faults() -> dict[str, str]:
    return cast("dict[str, str]", json.loads(FOLDER.joinpath("faults.json").read_text(encoding="utf-8")))


@cache
def _templates() -> Environment:
    return pages_of("anlan.command", "pages")


# -- who asks --------------------------------------------------------------------------------------------------------


def _hall(request: Request) -> Hall:
    return cast("Hall", request.app.state.district.community)


async def _fields(request: Request) -> Fields:
    try:
        return parse_qs((await request.body()).decode("utf-8", "replace"), max_num_fields=FULL)
    except ValueError:
        raise BadInput("this form", f"must have at most {FULL} fields", "send the form as it is drawn") from None


@dataclass(frozen=True, slots=True)
class Visitor:
    """Whoever looks: the request, the community, and their row where a link has made them known."""

    request: Request
    hall: Hall
    row: Row | None

    @property
    def number(self) -> int:
        """Return under which number they are kept; `UnknownLink` where nobody is known."""
        if self.row is None:
            raise UnknownLink
        return int(self.row["volunteer_no"])

    @property
    def lang(self) -> str:
        """Return the language of the pages: their own, else the one asked for, else the browser's."""
        if self.row is not None:
            return str(self.row["spoken"])
        asked = self.request.query_params.get("lang") or self.request.headers.get("accept-language", "zh")
        return "en" if asked.lower().startswith("en") else "zh"


def _cookie(request: Request) -> str:
    """Return the cookie's name; browsers keep cookies by host and not by port."""
    return "__Host-anlan-v" if request.url.scheme == "https" else f"anlan-v-{request.url.port or 80}"


def _visitor(request: Request) -> Visitor:
    hall, token = _hall(request), request.cookies.get(_cookie(request), "")
    try:
        row = joining.who(hall, token) if token else None
    except UnknownLink:
        row = None
    return Visitor(request, hall, row)


Who = Annotated[Visitor, Depends(_visitor)]
Told = Annotated[Fields, Depends(_fields)]


# -- drawing ---------------------------------------------------------------------------------------------------------


def _page(who: Visitor, name: str, title: str, status: int = 200, **words: Any) -> HTMLResponse:
    lang, hall, texts = str(words.pop("lang", who.lang)), who.hall, _texts()

    def named(label: Label) -> str:
        return label.get(lang) or next((text for text in label.values() if text), "")

    def day(at: datetime) -> str:
        local = at.astimezone(hall.zone)
        return (
            f"{local.month}月{local.day}日 {DAYS[local.weekday()]}"
            if lang == "zh"
            else f"{local:%a} {local.day} {local:%b}"
        )

    made = _templates().get_template(name).render(
        {
            "lang": lang, "title": title, "district": hall.pack.name, "me": who.row is not None, "lists": hall.lists,
            "t": lambda key: texts[key][lang], "named": named, "day": day,
            "hour": lambda at: f"{at.astimezone(hall.zone):%H:%M}",
            "area": lambda key: named(hall.known_area(key).name),
            "here": who.request.url.path, "said": _said(who.request),
        }
        | words
    )  # fmt: skip
    return HTMLResponse(made, status_code=status, headers=NO_STORE)


def _said(request: Request) -> str:
    key = request.query_params.get("said", "")
    return key if f"said_{key}" in _texts() else ""


def _to(path: str, said: str = "") -> RedirectResponse:
    return RedirectResponse(f"{path}?said={said}" if said else path, status_code=303, headers=NO_STORE)


def _tried(who: Visitor, step: Callable[[], Response]) -> Response:
    """Return what a step answers, or the page that says why not, in words that its reader knows."""
    try:
        return step()
    except AnlanError as fault:
        title = "unknown_title" if isinstance(fault, UnknownLink) else "fault_title"
        words, detail = _worded(fault, who.lang)
        return _page(who, "word.html", title, fault.http_status, words=words, detail=detail, fault=True)


def _worded(fault: AnlanError, lang: str) -> tuple[str, str]:
    """Return a fault in the reader's words; in Chinese, one that has none is told in English beside."""
    if lang == "en":
        return f"{fault.value[:1].upper()}{fault.value[1:]} {fault.rule}; {fault.next_step}.", ""
    if isinstance(fault, RestBroken):
        return _faults()[RULES[fault.broken]].format(limit=fault.limit), ""
    told = _faults().get(fault.rule)
    if told:
        return told, ""
    known = in_chinese(fault)
    words = "；".join(one for one in (known.rule, known.next_step) if one)
    return (f"{words}。", "") if known.rule else ("请检查后重试。", str(fault))


def _homes(who: Visitor) -> list[dict[str, Any]]:
    """Return the areas that may be home, those of one area above together."""
    tree, lang = who.hall.pack.areas, who.lang

    def named(area_id: str) -> str:
        name = tree.area(area_id).name
        return name.get(lang) or next((text for text in name.values() if text), area_id)

    groups: dict[str, list[str]] = {}
    for key in who.hall.homes:
        path = tree.path(key)
        groups.setdefault(path[min(1, len(path) - 1)].area_id, []).append(key)
    return [{"label": named(top), "areas": [(key, named(key)) for key in keys]} for top, keys in groups.items()]


def _form(who: Visitor, told: Mapping[str, Any]) -> dict[str, Any]:
    alliances = {key: one.name for key, one in who.hall.lists.alliances.items()}
    slots = {key: _texts()[f"slot_{key}"] for key in SLOTS}
    return {"told": told, "homes": _homes(who), "alliances": alliances, "slots": slots}


def _profile(told: Fields, spoken: str, *, new: bool) -> Profile:
    def one(name: str) -> str:
        return told.get(name, [""])[0].strip()

    contact = one("contact")
    kept = None if not contact and not new and not one("no_contact") else contact
    return Profile(
        shown_name=one("name"), home_id=one("home"), skills=told.get("skill", ()), languages=told.get("language", ()),
        alliances=told.get("alliance", ()), free=told.get("free", ()), trade=one("trade") or None,
        contact=kept, spoken=spoken,
    )  # fmt: skip


def _link(who: Visitor, path: str) -> str:
    return link_to(who.hall, who.request, path)


def _with_code(link: str) -> Markup | None:
    """Return a link as a QR code in SVG; None where the extra is not installed."""
    try:
        return Markup(drawn(link))  # noqa: S704 - bars only: no text of anybody stands in it
    except Unavailable:
        return None


# -- joining and entering --------------------------------------------------------------------------------------------


@router.get("/page.css")
def styles() -> Response:
    """Return the sheet of styles."""
    return Response(FOLDER.joinpath("page.css").read_text(encoding="utf-8"), media_type="text/css")


@router.get("/join/{token}")
def join_page(who: Who, token: str) -> Response:
    """Show the form by which people join."""

    def step() -> Response:
        row = joining.invited_by(who.hall, token)
        return _joining(who, token, row, {"home": [row["area_id"]], "alliance": [row["alliance"]]})

    return _tried(who, step)


def _joining(who: Visitor, token: str, row: Row, told: Fields, fault: AnlanError | None = None) -> Response:
    """Return the form by which people join, with what they have told already, and what of it does not do."""
    shown: dict[str, Any] = {key: told.get(key, [""])[0] for key in ("name", "home", "trade")}
    lists = {"skills": "skill", "languages": "language", "alliances": "alliance", "free": "free"}
    shown |= {key: told.get(name, []) for key, name in lists.items()}
    words = {"invitation": row, "action": f"/v/join/{token}?lang={who.lang}", **_form(who, shown)}
    words["refused"] = "" if fault is None else " ".join(part for part in _worded(fault, who.lang) if part)
    status = 200 if fault is None else fault.http_status
    return _page(who, "join.html", "join_title", status, **words)


@router.post("/join/{token}")
def join(who: Who, token: str, told: Told) -> Response:
    """Let somebody join; their link is shown this once."""

    def step() -> Response:
        row = joining.invited_by(who.hall, token)
        spoken = "en" if told.get("spoken") == ["en"] else "zh"
        try:
            _check_agreed(told)
            made = joining.join(who.hall, token, _profile(told, spoken, new=True))
        except BadInput as fault:
            return _joining(who, token, row, told, fault)
        return _entered(who, made, "welcome_title")

    return _tried(who, step)


def _check_agreed(told: Fields) -> None:
    if told.get("agree") != ["yes"]:
        raise BadInput("your consent", "must be given before one joins", "read what it says, and agree")


@router.get("/in/{token}")
def enter(who: Who, token: str) -> Response:
    """Take a link: this browser remembers it."""

    def step() -> Response:
        joining.who(who.hall, token)
        return _remembered(who.request, _to("/v"), token)

    return _tried(who, step)


def _entered(who: Visitor, token: str, title: str) -> Response:
    known = Visitor(who.request, who.hall, joining.who(who.hall, token))
    link = _link(who, f"/v/in/{token}")
    page = _page(known, "welcome.html", title, link=link, code=_with_code(link))
    return _remembered(who.request, page, token)


def _remembered(request: Request, answer: Response, token: str) -> Response:
    secure = request.url.scheme == "https"
    answer.set_cookie(_cookie(request), token, max_age=KEPT_S, path="/", httponly=True, samesite="lax", secure=secure)
    return answer


# -- one's own pages -------------------------------------------------------------------------------------------------


@router.get("")
def mine(who: Who) -> Response:
    """Show what one is asked, one's shifts, and what is offered for them."""

    def step() -> Response:
        now, offers = who.hall.clock.now(), _offers(who)
        own = rostering.of_volunteer(who.hall, who.number)
        given = {one["shift_id"]: one for one in offers if one["giver_no"] == who.number}
        coming = [
            asdict(one) | {"offer": given.get(one.shift_id), "begun": one.begin_at <= now}
            for one in own
            if one.end_at > now
        ]
        assert who.row is not None  # noqa: S101 - asking for the number has just refused whoever is not known
        one = volunteer_of(who.row)
        calls = [(_call(row), ask) for row, ask in calling.asked_of(who.hall, who.number)]
        return _page(
            who, "mine.html", "my_shifts", renew=one.is_reminded(now), ends_at=one.ends_at, calls=calls,
            offers=offers, number=who.number, coming=coming, past=[one for one in own[::-1] if one.end_at <= now][:30],
        )  # fmt: skip

    return _tried(who, step)


def _call(row: Row) -> Row:
    return row | {"ends_at": at_of(row["ends_at"])}


def _offers(who: Visitor) -> list[Row]:
    made = []
    for row in rostering.offers(who.hall, who.number):
        back = None
        if row["back_name"]:
            back = {"name": json.loads(row["back_name"]), "begin_at": at_of(row["back_begin_at"])}
        times = {name: at_of(row[name]) for name in ("begin_at", "end_at")}
        made.append(row | times | {"name": json.loads(row["name"]), "back": back})
    return made


@router.get("/open")
def open_shifts(who: Who) -> Response:
    """Show the shifts one may sign up for, and places that are offered."""

    def step() -> Response:
        now = who.hall.clock.now()
        own = [one for one in rostering.of_volunteer(who.hall, who.number) if one.seated and one.begin_at > now]
        offers = [one for one in _offers(who) if one["giver_no"] != who.number]
        found = rostering.open_to(who.hall, who.number)
        return _page(who, "open.html", "open_shifts", shifts=found, offers=offers, mine=own, number=who.number)

    return _tried(who, step)


@router.post("/shifts/{shift_id}/sign-up")
def sign_up(who: Who, shift_id: str) -> Response:
    """Sign up."""
    return _tried(who, lambda: _to("/v", "seated" if rostering.enter(who.hall, who.number, shift_id) else "waiting"))


@router.post("/shifts/{shift_id}/give-up")
def give_up(who: Who, shift_id: str) -> Response:
    """Give a place up."""

    def step() -> Response:
        rostering.give_up(who.hall, who.number, shift_id)
        return _to("/v", "given_up")

    return _tried(who, step)


@router.post("/shifts/{shift_id}/offer")
def offer(who: Who, shift_id: str) -> Response:
    """Offer a place."""
    return _tried(who, lambda: _done(rostering.offer_place(who.hall, who.number, shift_id), "/v", "offered"))


@router.post("/offers/{offer_id}/take")
def take(who: Who, offer_id: str, told: Told) -> Response:
    """Answer an offer."""

    def step() -> Response:
        rostering.take_offer(who.hall, who.number, offer_id, told.get("back", [""])[0])
        return _to("/v/open", "taken")

    return _tried(who, step)


@router.post("/offers/{offer_id}/settle")
def settle(who: Who, offer_id: str, told: Told) -> Response:
    """Agree to an answer, or end an offer or an answer of one's own."""
    agreed = told.get("agreed") == ["yes"]

    def step() -> Response:
        rostering.settle_offer(who.hall, who.number, offer_id, agreed=agreed)
        return _to("/v", "settled")

    return _tried(who, step)


@router.post("/calls/{call_out_id}")
def answer_call(who: Who, call_out_id: str, told: Told) -> Response:
    """Say whether one comes."""
    said = Reply.YES if told.get("reply") == ["yes"] else Reply.NO
    return _tried(who, lambda: _done(calling.reply(who.hall, who.number, call_out_id, said), "/v", str(said)))


@router.get("/here")
def here_by_hand(who: Who, code: str = "") -> Response:
    """Lead to the page of a code that was typed."""
    plain = "".join(one for one in code.upper() if one in rostering.LETTERS)
    return _tried(who, lambda: _done(rostering.by_code(who.hall, plain), f"/v/here/{plain}"))


@router.get("/here/{code}")
def here_page(who: Who, code: str) -> Response:
    """Show the shift of a code, with the one button that counts."""

    def step() -> Response:
        row, number = rostering.by_code(who.hall, code), who.number
        own = next((one for one in rostering.of_volunteer(who.hall, number) if one.shift_id == row["shift_id"]), None)
        shift = rostering.shift_of(row)
        return _page(who, "here.html", "here_title", shift=shift, entry=own, code=row["code"])

    return _tried(who, step)


@router.post("/here/{code}")
def check_in(who: Who, code: str) -> Response:
    """Come, or go."""
    path = f"/v/here/{''.join(one for one in code.upper() if one in rostering.LETTERS)}"
    return _tried(who, lambda: _done(rostering.here(who.hall, who.number, code), path, "here"))


def _done(_made: object, path: str, said: str = "") -> Response:
    return _to(path, said)


# -- about oneself ---------------------------------------------------------------------------------------------------


@router.get("/me")
def about_me(who: Who) -> Response:
    """Show what is kept of oneself, to be changed, taken along, or deleted."""

    def step() -> Response:
        if who.row is None:
            raise UnknownLink
        one = volunteer_of(who.row)
        told = {"name": one.shown_name, "home": one.home_id, "skills": one.skills, "languages": one.languages,
                "alliances": one.alliances, "free": one.free, "trade": one.trade or ""}  # fmt: skip
        words = _form(who, told) | {"contact_kept": bool(who.row["contact"]), "ends_at": one.ends_at}
        return _page(who, "me.html", "about_me", ends_year=one.ends_at.astimezone(who.hall.zone).year, **words)

    return _tried(who, step)


@router.post("/me")
def change_me(who: Who, told: Told) -> Response:
    """Keep what one tells of oneself now."""

    def step() -> Response:
        joining.change_profile(who.hall, who.number, _profile(told, who.lang, new=False))
        return _to("/v/me", "kept")

    return _tried(who, step)


@router.post("/language")
def change_language(who: Who, told: Told) -> Response:
    """Show the pages in the other language from now on."""

    def step() -> Response:
        joining.speak(who.hall, who.number, "en" if told.get("spoken") == ["en"] else "zh")
        return _to("/v")

    return _tried(who, step)


@router.post("/agree")
def agree(who: Who) -> Response:
    """Agree for another year."""
    return _tried(who, lambda: _done(joining.agree_again(who.hall, who.number), "/v", "agreed"))


@router.post("/link")
def replace_link(who: Who) -> Response:
    """Replace one's own link; the one before leads nowhere."""
    return _tried(who, lambda: _entered(who, joining.new_link(who.hall, who.number), "welcome_title"))


@router.post("/calendar-link")
def calendar_link(who: Who) -> Response:
    """Make a link of one's calendar; the one before leads nowhere."""

    def step() -> Response:
        token = joining.new_link(who.hall, who.number, calendar=True)
        words = f"{_texts()['calendar_lead'][who.lang]}"
        detail = _link(who, f"/v/calendar/{token}.ics")
        return _page(who, "word.html", "calendar_title", words=words, detail=detail, fault=False)

    return _tried(who, step)


@router.post("/leave")
def leave(who: Who) -> Response:
    """Leave by one tap: everything is deleted at once."""

    def step() -> Response:
        joining.leave(who.hall, who.number)
        gone = Visitor(who.request, who.hall, None)
        words = _texts()["left"][who.lang]
        page = _page(gone, "word.html", "left_title", lang=who.lang, words=words, detail="", fault=False)
        page.delete_cookie(_cookie(who.request), path="/")
        return page

    return _tried(who, step)


# -- what one takes along --------------------------------------------------------------------------------------------


@router.get("/mine.json")
def my_file(who: Who) -> Response:
    """Return everything that is kept of oneself, as a file."""

    def step() -> Response:
        told = json.dumps(joining.mine(who.hall, who.number), ensure_ascii=False, indent=2)
        return _file(told.encode(), "application/json", "mine.json")

    return _tried(who, step)


@router.get("/hours.pdf")
def certificate(who: Who) -> Response:
    """Return the certificate of one's hours."""
    return _tried(who, lambda: _file(hours.certificate(who.hall, who.number, who.lang), "application/pdf", "hours.pdf"))


@router.get("/calendar.ics")
def own_calendar(who: Who) -> Response:
    """Return one's shifts as a calendar."""
    return _tried(who, lambda: _calendar(who.hall, who.number, who.lang))


@router.get("/calendar/{token}.ics")
def calendar(who: Who, token: str) -> Response:
    """Return the shifts of whoever made that link, for a calendar that subscribes to it."""

    def step() -> Response:
        row = joining.behind_calendar(who.hall, token)
        return _calendar(who.hall, row["volunteer_no"], row["spoken"])

    return _tried(who, step)


def _calendar(hall: Hall, number: int, lang: str) -> Response:
    since_at = hall.clock.now() - timedelta(days=90)
    found: Iterable[rostering.Mine] = (one for one in rostering.of_volunteer(hall, number) if one.end_at > since_at)
    return _file(hours.calendar(hall, found, lang), "text/calendar; charset=utf-8", "shifts.ics")


def _file(content: bytes, media_type: str, name: str) -> Response:
    headers = NO_STORE | {"content-disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type=media_type, headers=headers)
