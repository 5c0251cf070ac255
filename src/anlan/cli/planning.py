"""Plans in a terminal: where units wait, by period, what the promise costs, and files to take along."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from anlan.cli import say
from anlan.cli.districts import AsJson, District, Lang
from anlan.kernel.errors import BadInput, NotFound, Unavailable

if TYPE_CHECKING:
    from anlan.kernel.geo import Area2D
    from anlan.planning import Ground, PostsPlan
    from anlan.planning.facts import Facts

plan_app = typer.Typer(help="Plans: where units wait, who serves when.", no_args_is_help=True)


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
    calls: Annotated[
        float | None,
        typer.Option(help="Incidents an hour; then how busy units are is what the plan leads to, and not assumed."),
    ] = None,
    minutes: Annotated[float, typer.Option(help="How long an incident keeps a unit beside the way, minutes.")] = 30.0,
    moving: Annotated[float, typer.Option(help="What room for a unit at a new post costs, unit-hours.")] = 0.0,
    demand: Annotated[Path | None, typer.Option(help="CSV: lon,lat,weight[,name][,PERIOD ...].")] = None,
    seconds: Annotated[float, typer.Option(help="How long to search.")] = 60.0,
    out: Annotated[Path | None, typer.Option(help="Folder for posts.geojson, plan.xlsx and plan.html.")] = None,
    as_json: AsJson = False,
    lang: Lang = "zh",
) -> None:
    """Fewest units that keep each ring in every period, where they wait, and what the promise costs."""
    try:
        from anlan.planning import Asked, Load, demand_from, demand_of, plan_posts
        from anlan.planning.facts import facts_of
        from anlan.planning.files import as_json_of, write_files
        from anlan.planning.rings import rings_from, usual_rings
        from anlan.response.posting import Stop
    except ImportError as fault:
        raise Unavailable(f"library {fault.name}", "is not installed", "pip install 'anlan[plan]'") from None
    ground, areas, names = _ground(district, key or (), lang)
    asked_rings = rings_from(rings) if rings else usual_rings(keyed=bool(areas))
    asked = Asked(
        rings=asked_rings, key_areas=areas, key_names=names, vehicles=vehicles, busy=busy, place_cost=moving,
        load=None if calls is None else Load(per_hour=calls, busy_s=60 * minutes),
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


def _ground(
    district: str, key: Sequence[str], lang: str
) -> tuple[Ground, tuple[Area2D, ...], tuple[Mapping[str, str], ...]]:
    """Return the ground, its key areas, and what those are called: a file's are not, and stand last."""
    from anlan.pack import find_pack, read_pack
    from anlan.planning import Ground
    from anlan.planning.ground import label_of, marked

    ground = Ground.of(read_pack(find_pack(district)), lang)
    files = [path for path in map(Path, key) if path.suffix in {".geojson", ".json"}]
    names = [one for one in key if Path(one) not in files] if key else marked(ground.pack)
    areas: list[Area2D] = [ground.key_area(one) for one in names]
    areas += [area for path in files for area in _areas_of(ground, path)]
    labels = tuple(label_of(ground.pack, one) or {} for one in names)
    return (ground.with_key(areas) if areas else ground), tuple(areas), labels


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


def _show(made: PostsPlan, facts: Facts, lang: str) -> None:
    from anlan.planning.facts import proof

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
    if made.settled is not None:
        rounds = made.settled.n_rounds
        words = ("不超过假定", "超过假定") if zh else ("are kept to by the plan", "are exceeded by the plan")
        said = words[0 if made.settled.agreed else 1]
        say.out.print(f"方案下的忙碌占比{said}（{rounds} 轮）" if zh else f"busy shares {said} ({rounds} rounds)")
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
