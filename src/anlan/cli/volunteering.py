"""Volunteers, their shifts and call-outs in a terminal, by a running server; service points also without one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote, urlencode

import typer
from rich.markup import escape

from anlan.cli import say
from anlan.cli.asking import USUAL, Server
from anlan.cli.districts import AsJson, District, Lang
from anlan.kernel.errors import BadInput, Unavailable

volunteers_app = typer.Typer(help="Volunteers: who joined, invitations, shifts.", no_args_is_help=True)
callout_app = typer.Typer(help="Call-outs: helpers asked near a place, until enough come.", no_args_is_help=True)
points_app = typer.Typer(help="Service points: where they are, and who lives within a walk.", no_args_is_help=True)

Url = Annotated[str, typer.Option(help="A running server.", envvar="ANLAN_URL")]
At = Annotated[str, typer.Option(help="lon,lat in degrees.")]
Alliance = Annotated[str, typer.Option(help="Of this alliance only; see `anlan volunteers board`.")]
Skills = Annotated[list[str] | None, typer.Option("--skill", help="They must have it; several may be given.")]
Which = Annotated[str, typer.Argument(help="Its id.")]

STATES = {
    "open": ("召集中", "open"),
    "met": ("人已够", "enough"),
    "stopped": ("已停止", "stopped"),
    "over": ("已结束", "over"),
}


def _point(at: str) -> list[float]:
    try:
        lon, lat = (float(part) for part in at.split(","))
    except ValueError:
        raise BadInput(f"at={at!r}", "must be lon,lat in degrees", "write it like 121.490,31.240") from None
    return [lon, lat]


def _needs(told: list[str] | None) -> dict[str, int]:
    found = {}
    for one in told or ():
        key, _, n = one.partition("=")
        if not n.isdigit():
            raise BadInput(f"need={one!r}", "must be skill=number of people", "write it like first_aid=2")
        found[key] = int(n)
    return found


# -- volunteers ------------------------------------------------------------------------------------------------------


@volunteers_app.command()
def board(url: Url = USUAL, as_json: AsJson = False, lang: Lang = "zh") -> None:
    """The alliances with their members, and how many volunteers there are."""
    made = Server(url).ask("/community")
    if as_json:
        say.as_json(made)
        return
    zh = lang == "zh"
    heads = {"zh": ("联盟", "名称", "行业", "成员>"), "en": ("alliance", "name", "trade", "members>")}
    say.listed(heads, (
        (one["id"], say.name_in(one["name"], lang), say.name_in(one["trade_name"], lang), str(one["members"]))
        for one in made["alliances"]
    ), lang)  # fmt: skip
    skills = ", ".join(
        f"{say.name_in(made['skills'][key], lang)} {n}" for key, n in made["by_skill"].items() if n
    )  # fmt: skip
    total = f"{made['volunteers']:,} 名志愿者" if zh else f"{made['volunteers']:,} volunteers"
    say.out.print(f"[bold]{total}[/]{f' ({skills})' if skills else ''}", soft_wrap=True)


@volunteers_app.command("list")
def list_(
    alliance: Alliance = "", skill: Annotated[str, typer.Option(help="With this skill only.")] = "",
    after: Annotated[int, typer.Option(min=0, help="Where the page before ended.")] = 0,
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many at most.")] = 100,
    url: Url = USUAL, as_json: AsJson = False, lang: Lang = "zh",
) -> None:  # fmt: skip
    """Volunteers at home in your areas: what they show and can, never how to reach them."""
    asked = urlencode({"alliance": alliance, "skill": skill, "after": after, "limit": limit})
    made = Server(url).ask(f"/community/volunteers?{asked}")
    if as_json:
        say.as_json(made)
        return
    heads = {
        "zh": ("称呼", "常在", "技能", "语言", "联盟"), "en": ("name", "home", "skills", "speaks", "alliances"),
    }  # fmt: skip
    say.listed(heads, (
        (escape(one["name"]), one["home"], *(", ".join(one[key]) for key in ("skills", "languages", "alliances")))
        for one in made["volunteers"]
    ), lang)  # fmt: skip
    if made["next"]:
        say.out.print(f"--after {made['next']}")


@volunteers_app.command()
def invite(
    label: Annotated[str, typer.Argument(help="What it is for.")],
    area: Annotated[str, typer.Option(help="Area of those who join, to begin with.")],
    alliance: Alliance = "",
    days: Annotated[int, typer.Option(min=1, max=400, help="How long it is good for.")] = 30,
    most: Annotated[int, typer.Option(min=1, max=5000, help="How many may join by it.")] = 200,
    page: Annotated[str, typer.Option(help="Address under which volunteers reach the server; else --url.")] = "",
    poster: Annotated[Path | None, typer.Option(help="Write the code as this SVG or PNG file.")] = None,
    url: Url = USUAL, as_json: AsJson = False,
) -> None:  # fmt: skip
    """Make a link by which people join without an account; it is told once, and as a code to scan."""
    server = Server(url)
    body = {"label": label, "area": area, "alliance": alliance or None, "days": days, "most": most}
    made = server.ask("/community/invitations", body)
    link = f"{(page or server.url).rstrip('/')}{made['path']}"
    if poster is not None:
        _draw(link, poster)
    if as_json:
        say.as_json(made | {"link": link})
    else:
        say.out.print(link, soft_wrap=True)


@volunteers_app.command()
def code(
    which: Which, out: Annotated[Path, typer.Argument(help="SVG or PNG file to write.")],
    page: Annotated[str, typer.Option(help="Address under which volunteers reach the server; else --url.")] = "",
    url: Url = USUAL,
) -> None:  # fmt: skip
    """Write the check-in code of a shift, to hang at its place."""
    server = Server(url)
    made = server.ask(f"/community/shifts/{quote(which)}")
    _draw(f"{(page or server.url).rstrip('/')}{made['path']}", out)
    say.out.print(f"{out}: {made['code']}")


def _draw(link: str, path: Path) -> None:
    try:
        import segno
    except ImportError:
        raise Unavailable("codes", "need segno", "pip install 'anlan[community]'") from None
    if path.suffix not in {".svg", ".png"}:
        raise BadInput(f"file {path}", "must end in .svg or .png", "choose another name")
    try:
        segno.make(link, error="m", micro=False).save(str(path), scale=8, border=4)
    except OSError as fault:
        raise Unavailable(f"file {path}", f"must be writable ({fault.strerror})", "choose another") from None


@volunteers_app.command()
def shifts(
    days: Annotated[int, typer.Option(min=1, max=400, help="How far ahead.")] = 28,
    calendar: Annotated[Path | None, typer.Option(help="Write them as this .ics file instead.")] = None,
    alliance: Alliance = "", url: Url = USUAL, as_json: AsJson = False, lang: Lang = "zh",
) -> None:  # fmt: skip
    """Shifts in your areas, and how they are filled."""
    server = Server(url)
    if calendar is not None:
        content = server.fetch(f"/community/shifts.ics?{urlencode({'alliance': alliance, 'lang': lang})}")
        try:
            calendar.write_bytes(content)
        except OSError as fault:
            raise Unavailable(f"file {calendar}", f"must be writable ({fault.strerror})", "choose another") from None
        say.out.print(f"[green]wrote[/] {calendar}")
        return
    made = server.ask(f"/community/shifts?{urlencode({'days': days})}")
    if as_json:
        say.as_json(made)
        return
    heads = {
        "zh": ("编号", "内容", "开始", "结束", "名额>", "候补>", "状态"),
        "en": ("id", "what", "begin", "end", "places>", "waiting>", "state"),
    }
    say.listed(heads, (
        (one["id"], escape(say.name_in(one["name"], lang)), one["begin_at"], one["end_at"],
         f"{one['seated']}/{one['places']}", str(one["waiting"]), one["state"])
        for one in made["shifts"] if not alliance or one["alliance"] == alliance
    ), lang)  # fmt: skip


@volunteers_app.command()
def plan(
    at: At, begin: Annotated[str, typer.Option("--from", help="ISO 8601 with offset.")],
    until: Annotated[str, typer.Option(help="ISO 8601 with offset.")],
    places: Annotated[int, typer.Option(min=1, max=500, help="How many people.")],
    zh: Annotated[str, typer.Option("--zh", help="What is done there, in Chinese.")] = "",
    en: Annotated[str, typer.Option("--en", help="The same in English.")] = "",
    need: Annotated[list[str] | None, typer.Option(help="skill=people; several may be given.")] = None,
    alliance: Alliance = "", url: Url = USUAL, as_json: AsJson = False,
) -> None:  # fmt: skip
    """Plan a shift; volunteers sign up for it by themselves."""
    body = {
        "name": {key: text for key, text in (("zh", zh), ("en", en)) if text}, "at": _point(at), "begin_at": begin,
        "end_at": until, "places": places, "needs": _needs(need), "alliance": alliance or None,
    }  # fmt: skip
    made = Server(url).ask("/community/shifts", body)
    if as_json:
        say.as_json(made)
    else:
        say.out.print(f"[green]{made['id']}[/]")


@volunteers_app.command()
def complete(which: Which, url: Url = USUAL, as_json: AsJson = False, lang: Lang = "zh") -> None:
    """Complete a shift that is over: its hours are counted."""
    made = Server(url).ask(f"/community/shifts/{quote(which)}/complete", {})
    if as_json:
        say.as_json(made)
    elif lang == "zh":
        say.out.print(f"{made['came']} 人到岗，共 {made['minutes']} 分钟")
    else:
        say.out.print(f"{made['came']} came, {made['minutes']} min in all")


# -- call-outs -------------------------------------------------------------------------------------------------------


@callout_app.command("begin")
def begin_(
    at: At, quota: Annotated[int, typer.Option(min=1, max=500, help="How many are needed.")],
    words: Annotated[str, typer.Option(help="The need, in a few words; never anybody's name.")],
    skill: Skills = None, alliance: Alliance = "",
    hours: Annotated[float, typer.Option(min=0.1, max=24, help="How long helpers are wanted.")] = 2.0,
    matter: Annotated[str, typer.Option(help="Nobody is asked twice for one matter.")] = "",
    url: Url = USUAL, as_json: AsJson = False, lang: Lang = "zh",
) -> None:  # fmt: skip
    """Ask a few of the nearest, more while answers lack; it stops by itself."""
    body = {
        "at": _point(at), "quota": quota, "words": words, "skills": skill or [], "alliance": alliance or None,
        "hours": hours, "matter": matter or None,
    }  # fmt: skip
    _told(Server(url).ask("/community/call-outs", body), as_json=as_json, lang=lang)


@callout_app.command()
def helpers(
    incident: Annotated[str, typer.Argument(help="The incident's id.")],
    quota: Annotated[int, typer.Option(min=1, max=500, help="How many are needed.")],
    words: Annotated[str, typer.Option(help="The need, in a few words; never anybody's name.")],
    skill: Skills = None, url: Url = USUAL, as_json: AsJson = False, lang: Lang = "zh",
) -> None:  # fmt: skip
    """Call first helpers near an incident, until it is closed."""
    body = {"quota": quota, "words": words, "skills": skill or []}
    _told(Server(url).ask(f"/community/helpers/{quote(incident)}", body), as_json=as_json, lang=lang)


@callout_app.command("show")
def show_(which: Which, url: Url = USUAL, as_json: AsJson = False, lang: Lang = "zh") -> None:
    """One call-out, and who comes."""
    made = Server(url).ask(f"/community/call-outs/{quote(which)}")
    _told(made, as_json=as_json, lang=lang)
    if not as_json:
        say.out.print(escape(", ".join(made["coming"]) or "—"), soft_wrap=True)


@callout_app.command()
def stop(which: Which, url: Url = USUAL, as_json: AsJson = False, lang: Lang = "zh") -> None:
    """Stop a call-out: nobody is asked any more."""
    _told(Server(url).ask(f"/community/call-outs/{quote(which)}/stop", {}), as_json=as_json, lang=lang)


@callout_app.command("list")
def calls(
    days: Annotated[int, typer.Option(min=0, max=400, help="How far back.")] = 1, url: Url = USUAL,
    as_json: AsJson = False, lang: Lang = "zh",
) -> None:  # fmt: skip
    """Call-outs in your areas, newest first."""
    made = Server(url).ask(f"/community/call-outs?past_days={days}")
    if as_json:
        say.as_json(made)
        return
    heads = {
        "zh": ("编号", "需要", "状态", "会来>", "问过>", "开始"),
        "en": ("id", "need", "state", "come>", "asked>", "begun"),
    }  # fmt: skip
    say.listed(heads, (
        (one["id"], escape(one["words"] or "—"), STATES[one["state"]][0 if lang == "zh" else 1],
         f"{one['yes']}/{one['quota']}", str(one["asked"]), one["begun_at"])
        for one in made["call_outs"]
    ), lang)  # fmt: skip


def _told(made: dict[str, Any], *, as_json: bool, lang: str) -> None:
    if as_json:
        say.as_json(made)
        return
    zh = lang == "zh"
    state = STATES[made["state"]][0 if zh else 1]
    if zh:
        text = (
            f"{state}：{made['yes']}/{made['quota']} 人会来，问过 {made['asked']} 人，方圆 {made['circle_m']:,.0f} 米"
        )
    else:
        text = f"{state}: {made['yes']}/{made['quota']} come, {made['asked']} asked within {made['circle_m']:,.0f} m"
    say.out.print(f"{made['id']} {text}", soft_wrap=True)


# -- service points --------------------------------------------------------------------------------------------------


@points_app.command()
def coverage(
    district: District,
    table: Annotated[Path | None, typer.Option(help="Points as this CSV, instead of those of the pack.")] = None,
    level: Annotated[str, typer.Option(help="Areas of this level; else of the finest that tells residents.")] = "",
    minutes: Annotated[list[float] | None, typer.Option(help="Walks that count as near; else 5 and 10.")] = None,
    pace: Annotated[float, typer.Option(help="How fast people walk, m/s.")] = 1.2,
    worst: Annotated[int, typer.Option(min=0, help="So many areas of each kind, the least covered first.")] = 3,
    as_json: AsJson = False, lang: Lang = "zh",
) -> None:  # fmt: skip
    """Who lives within a walk of a service point, by kind; no server is needed."""
    from anlan.command.community_views import coverage_of
    from anlan.community.points import read_points
    from anlan.pack import find_pack, read_pack
    from anlan.planning.service_points import Walks, check_points, points_of

    pack = read_pack(find_pack(district))
    try:
        own = None if table is None else table.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as fault:
        raise Unavailable(f"file {table}", f"cannot be read ({fault})", "give a table in UTF-8") from None
    points = points_of(pack) if own is None else check_points(pack, read_points(own, str(table)))
    walks_s = [60 * one for one in minutes or (5, 10)]
    ways = Walks(pack, pace)
    found = ways.coverage(points, level=level or None, walks_s=walks_s)
    made = coverage_of(pack, found, ways.levels)
    if as_json:
        say.as_json(made)
        return
    zh = lang == "zh"
    walks = [f"{one / 60:g} 分钟内>" if zh else f"within {one / 60:g} min>" for one in walks_s]
    shown = say.table(
        "", *(("类别", "点位>", *walks, "最少的") if zh else ("kind", "points>", *walks, "least covered"))
    )
    for kind, told in zip(found, made["kinds"], strict=True):
        parts = [_share(one) for one in told["shares"]]
        least = (say.name_in(dict(pack.areas.area(one.area_id).name), lang) for one in kind.areas[:worst])
        shown.add_row(say.name_in(told["kind_name"], lang), str(told["points"]), *parts, ", ".join(least))
    say.out.print(shown)
    say.out.print(
        "占居民比例（无人口数据时占地面积）" if zh else "shares of residents (of ground where no census is given)"
    )


def _share(told: dict[str, Any]) -> str:
    part = told["ground"] if told["residents"] is None else told["residents"]
    return "—" if part is None else f"{part:.0%}"
