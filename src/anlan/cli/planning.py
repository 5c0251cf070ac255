"""Plans in a terminal: where units wait, by period, what the promise costs, and files to take along."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from anlan.cli import say
from anlan.cli.districts import AsJson, District, Lang
from anlan.cli.plan_files import as_json_of, write_files
from anlan.kernel.errors import BadInput, NotFound, Unavailable

if TYPE_CHECKING:
    from anlan.kernel.geo import Area2D
    from anlan.planning import Ground, PostsPlan

plan_app = typer.Typer(help="Plans: where units wait, who serves when.", no_args_is_help=True)
Facts = list[tuple[str, list[list[str]]]]


@plan_app.callback()
def _plans() -> None:
    """Plans: where units wait."""


@plan_app.command("posts")
def posts(
    district: District = "huangpu",
    key: Annotated[
        list[str] | None,
        typer.Option(help="A key area: the name of a place, street or stop, or a GeoJSON file; may be given often."),
    ] = None,
    rings: Annotated[
        str,
        typer.Option(
            help="MINUTES:KINDS ..., such as '1:foot@key 3:vehicle/0.95~0.9': where, which share, how surely."
        ),
    ] = "",
    vehicles: Annotated[int, typer.Option(help="How many vehicles to place best.")] = 7,
    busy: Annotated[
        float | None, typer.Option(help="Share of the time in which a unit is busy, in every period.")
    ] = None,
    moving: Annotated[float, typer.Option(help="What room for a unit at a new post costs, unit-hours.")] = 0.0,
    demand: Annotated[Path | None, typer.Option(help="CSV: lon,lat,weight[,name][,PERIOD ...].")] = None,
    seconds: Annotated[float, typer.Option(help="How long to search.")] = 60.0,
    out: Annotated[Path | None, typer.Option(help="Folder for posts.geojson, plan.xlsx and plan.html.")] = None,
    as_json: AsJson = False,
    lang: Lang = "zh",
) -> None:
    """Fewest units that keep each ring in every period, where they wait, and what the promise costs."""
    try:
        from anlan.planning import Asked, demand_from, demand_of, plan_posts
        from anlan.planning.posts import RINGS, rings_from
        from anlan.response.posting import Stop
    except ImportError as fault:
        raise Unavailable(f"library {fault.name}", "is not installed", "pip install 'anlan[plan]'") from None
    ground, areas = _ground(district, key or (), lang)
    asked_rings = rings_from(rings) if rings else RINGS if areas else tuple(one for one in RINGS if not one.key)
    asked = Asked(
        rings=asked_rings, key_areas=areas, vehicles=vehicles, busy=busy, place_cost=moving,
        stop=Stop(seconds=seconds, gap=0.005),
    )  # fmt: skip
    given = demand_of(ground) if demand is None else demand_from(ground, _text(demand))
    with Progress(
        TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), console=say.err, transient=True
    ) as progress:
        task = progress.add_task("", total=1.0)
        with say.unprinted():
            made = plan_posts(
                ground, given, asked, tell=lambda what, share: progress.update(task, description=what, completed=share)
            )
    facts = facts_of(made, lang)
    if as_json:
        say.as_json(as_json_of(made))
    else:
        _show(made, facts, lang)
    if out is not None:
        write_files(made, facts, out, lang)
        say.err.print(f"{'已写入' if lang == 'zh' else 'written'}: {out}/posts.geojson, plan.xlsx, plan.html")


def _ground(district: str, key: Sequence[str], lang: str) -> tuple[Ground, tuple[Area2D, ...]]:
    from anlan.pack import find_pack, read_pack
    from anlan.planning import Ground

    ground = Ground.of(read_pack(find_pack(district)), lang)
    areas: list[Area2D] = [place.polygon for place in ground.pack.places if place.key and not key]
    for one in key:
        path = Path(one)
        areas += _areas_of(ground, path) if path.suffix in {".geojson", ".json"} else [ground.key_area(one)]
    return (ground.with_key(areas) if areas else ground), tuple(areas)


def _areas_of(ground: Ground, path: Path) -> list[Area2D]:
    """Return the polygons of a GeoJSON file, and the ground beside its lines."""
    import shapely

    from anlan.kernel.geo import geometry_from
    from anlan.planning.ground import KEY_M, area_of

    try:
        told = json.loads(_text(path))
    except json.JSONDecodeError as fault:
        raise BadInput(f"{path} at character {fault.pos}", f"must be JSON ({fault.msg})", "send GeoJSON") from None
    features = told.get("features", [told]) if isinstance(told, dict) else []
    plane, made = ground.graph.plane, []
    for feature in features:
        geometry = plane.project(geometry_from(feature, f"{path.name}"))
        wide = geometry if geometry.geom_type.endswith("Polygon") else shapely.buffer(geometry, KEY_M)
        made.append(area_of(plane.unproject(wide)))
    if not made:
        raise BadInput(f"{path}", "must hold at least one polygon or line", "draw the key areas")
    return made


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise NotFound(f"file {str(path)!r}", "does not exist", "give another") from None
    except (OSError, UnicodeDecodeError) as fault:
        raise Unavailable(f"file {str(path)!r}", f"cannot be read ({fault})", "give a text file in UTF-8") from None


def proof(gap: float, *, proved: bool, zh: bool) -> str:
    """Return how sure it is that nothing better exists."""
    if proved:
        return "已证最优" if zh else "proved"
    return f"差距 ≤ {gap:.2%}" if zh else f"gap <= {gap:.2%}"


def facts_of(made: PostsPlan, language: str) -> Facts:
    """Return the tables of a plan, for terminal, page and workbook: a title and rows, the first of them the heading."""
    from anlan.cli.plan_page import KINDS

    zh, ground = language == "zh", made.ground
    by_key = {one.key: one for one in made.asked.periods}
    kinds = sorted({kind for one in made.plan.periods for kind in one.posts})
    periods = [
        ["时段", "小时", *(KINDS[kind][0] for kind in kinds), "单元", "至少"]
        if zh
        else ["period", "hours", *(KINDS[kind][1] for kind in kinds), "units", "at least"]
    ]
    rings = [
        ["时段", "承诺", "须可达单元", "承诺占比", "可达", "可靠可达", ""]
        if zh
        else ["period", "ring", "units needed", "promised", "reached", "reliably", ""]
    ]
    words = ("兑现", "未能兑现") if zh else ("kept", "NOT kept")
    for one in made.plan.periods:
        name, hours = ground.named(by_key[one.period].label), by_key[one.period]
        counts = [str(len(one.posts[kind])) for kind in kinds]
        periods.append([name, f"{hours.begin:02d}-{hours.end:02d}", *counts, str(one.n_units), str(one.fewest)])
        for ring in one.rings:
            told = [f"{share:.1%}" for share in (ring.share, ring.reached, ring.reliable)]
            rings.append([name, ring.ring, str(ring.need), *told, words[0] if ring.kept else words[1]])
    return [
        ("各时段最少单元" if zh else "Fewest units by period", periods),
        ("各圈层" if zh else "Rings", rings),
        *_price_facts(made, zh=zh),
        *_post_facts(made, zh=zh),
    ]


def _price_facts(made: PostsPlan, *, zh: bool) -> Facts:
    minutes = [["承诺（分钟）", "驻点", "下界", ""] if zh else ["promise, min", "posts", "at least", ""]]
    for one in made.by_minutes:
        gap = (one.n - one.bound) / max(one.n, 1)
        minutes.append([f"{one.minutes:g}", str(one.n), f"{one.bound:.0f}", proof(gap, proved=one.proved, zh=zh)])
    units = [["车辆", "三分钟可达", "上界", ""] if zh else ["vehicles", "within 3 min", "at most", ""]]
    for one in made.by_units:
        gap = max(one.bound - one.share, 0.0)
        units.append([str(one.n), f"{one.share:.1%}", f"{one.bound:.1%}", proof(gap, proved=one.proved, zh=zh)])
    when = made.ground.named(made.slowest.label)
    names = (
        (f"承诺的代价：全覆盖所需驻点（车辆，{when}）", f"承诺的代价：车辆数与三分钟可达（{when}）")
        if zh
        else (f"Price of the promise everywhere (vehicle, {when})", f"What one more vehicle buys ({when})")
    )
    return list(zip(names, (minutes, units), strict=True))


def _post_facts(made: PostsPlan, *, zh: bool) -> Facts:
    ground, seven = made.ground, made.seven
    heads = ["", "驻点", "经度", "纬度", "独有价值"] if zh else ["", "post", "lon", "lat", "worth"]
    best = [heads]
    for n, site in enumerate(seven.plan.posts, 1):
        best.append([str(n), *_where(ground, site), f"{seven.worth.get(site, 0.0):.2%}"])
    n = len(seven.plan.posts)
    sure = proof(seven.plan.gap, proved=seven.plan.proved, zh=zh)
    shares = ("，" if zh else ", ").join(f"{one:g} min {share:.1%}" for one, share in seven.shares)
    told = f"{n} 辆车的最佳 1-3-5（{shares}；{sure}）" if zh else f"Best 1-3-5 of {n} vehicles ({shares}; {sure})"
    worth = [["", "驻点", "经度", "纬度", "独有价值"] if zh else ["units", "post", "lon", "lat", "worth"]]
    period = made.plan.periods[made.asked.periods.index(made.slowest)]
    sites = period.posts.get("vehicle", ())
    worth += [
        [str(sites.count(site)), *_where(ground, site), f"{made.worth.get(site, 0.0):.2%}"]
        for site in sorted(set(sites), key=lambda one: -made.worth.get(one, 0.0))
    ]
    when = ground.named(made.slowest.label)
    name = (
        f"车辆驻点与撤去一辆后失去的三分钟可达（{when}）"
        if zh
        else f"Vehicle posts, and what is lost without one unit ({when})"
    )
    return [(told, best), (name, worth)]


def _where(ground: Ground, site: int) -> list[str]:
    lon, lat = ground.graph.lon_lat([ground.sites[site]])[0]
    return [ground.site_name(site), f"{lon:.5f}", f"{lat:.5f}"]


def _show(made: PostsPlan, facts: Facts, lang: str) -> None:
    zh, plan = lang == "zh", made.plan
    for title, rows in facts:
        shown = say.table(escape(title), *(cell if k == 0 else f"{cell}>" for k, cell in enumerate(rows[0])))
        for row in rows[1:]:
            shown.add_row(*(escape(cell) for cell in row))
        say.out.print(shown)
        say.out.print()
    sure = proof(plan.gap, proved=plan.proved, zh=zh)
    told = "需求" if zh else "demand"
    source = {"pack": ("据城区数据包推断", "inferred from the pack"), "file": ("来自文件", "from the file")}[
        made.demand.source
    ]
    say.out.print(
        f"{plan.objective:,.1f} {'单元小时' if zh else 'unit-hours'} ({sure}); {told}: {source[0 if zh else 1]}"
    )
    for kind, sites in plan.moved.items():
        if sites:
            names = ", ".join(made.ground.site_name(one) for one in sites)
            say.out.print(f"{'不再使用的驻点' if zh else 'posts of today that are given up'} ({kind}): {escape(names)}")
    for one in _lost(made):
        say.out.print(f"[yellow]{escape(one)}[/]", soft_wrap=True)
    for kind in sorted({kind for ring in made.asked.rings for kind in ring.kinds}):
        apart = made.ground.pieces(kind)[1:]
        if apart:
            n = sum(one.n_nodes for one in apart)
            names = "; ".join(made.ground.named(one.name) for one in apart[:3])
            said = f"{n} 个路口（{names}）与路网其余部分不通，{kind} 由最近路口步行到达" if zh else (
                f"{n} junctions ({names}) are cut off for {kind}; they are reached on foot from the nearest other"
            )  # fmt: skip
            say.out.print(f"[yellow]{escape(said)}[/]", soft_wrap=True)


def _lost(made: PostsPlan) -> list[str]:
    """Return what is told of points that no site reaches in time: each ring and point once, the farthest first."""
    found: dict[tuple[str, str], tuple[float, str]] = {}
    for period in made.plan.periods:
        for ring in period.rings:
            for one in ring.beyond:
                time = "" if one.nearest_s is None else f" {one.nearest_s:.0f} s"
                way = "" if one.nearest_m is None else f" {one.nearest_m:.0f} m"
                found[ring.ring, one.name] = (one.nearest_s or 1e9, f"{ring.ring}: {one.name}:{time}{way}")
    return [told for _, told in sorted(found.values(), key=lambda pair: -pair[0])[:10]]
