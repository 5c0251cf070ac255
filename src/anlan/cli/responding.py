"""Where units wait and who is sent, tried on a year of drawn incidents or on those that were recorded."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from anlan.cli import say
from anlan.cli.asking import polygon_of
from anlan.cli.districts import AsJson, District, Lang
from anlan.kernel.errors import BadInput, NoData

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    import numpy as np

    from anlan.engine import Pool
    from anlan.kernel.pack import Pack
    from anlan.response.simulate import Comparison, Figure, Fleet, Incidents, Places, Roads, Summary, Told, Trial

replay_app = typer.Typer(help="What was recorded, played again.", no_args_is_help=True)

FARTHEST_M = 1000.0
"""An incident farther from every street is one of another city."""
POLICIES = {
    "nearest": ("最近者出动", "nearest free"),
    "cover kept": ("保留覆盖出动", "cover kept"),
    "moved up": ("动态前置", "moved up"),
    "cover kept, moved up": ("保留覆盖＋前置", "cover kept, moved up"),
}

Posts = Annotated[Path | None, typer.Option(help="GeoJSON points where units wait, `units` at each; else the pack's.")]
Within = Annotated[float, typer.Option(min=10, max=7200, help="The promise, s, from receipt to arrival.")]
OnScene = Annotated[float, typer.Option(min=0, help="Mean time on scene, min.")]
Turnout = Annotated[float, typer.Option(min=0, help="Mean turn-out from a post, s.")]
Moving = Annotated[str, typer.Option(help="Way of moving: vehicle, bicycle or foot.")]


@dataclass(frozen=True, eq=False, kw_only=True)
class _Ground:
    """What every try of one district shares: the plan that is tried, and perhaps another to hold it against."""

    pack: Pack
    places: Places
    roads: Roads
    plans: tuple[Fleet, ...]
    names: tuple[str, ...]
    hospitals: np.ndarray[Any, Any]


def simulate_(
    district: District = "huangpu",
    posts: Posts = None,
    per_day: Annotated[float, typer.Option(min=1, help="Incidents a day, drawn along the streets.")] = 200.0,
    days: Annotated[int, typer.Option(min=1, max=3660, help="Days of each repetition.")] = 30,
    repeat: Annotated[int, typer.Option(min=2, max=1000, help="Repetitions, for the intervals.")] = 10,
    years: Annotated[
        int | None, typer.Option(min=2, max=1000, help="So many years, instead of days and repeat.")
    ] = None,
    against: Annotated[Path | None, typer.Option(help="Another plan's posts, to meet the same incidents.")] = None,
    hospitals: Annotated[
        Path | None, typer.Option(help="GeoJSON points to the nearest of which people are taken.")
    ] = None,
    carried: Annotated[
        float, typer.Option(min=0, max=100, help="Of all incidents, %, where there are hospitals.")
    ] = 85.0,
    handover: Annotated[float, typer.Option(min=0, help="Mean time at the hospital, min.")] = 15.0,
    cluster: Annotated[
        str | None, typer.Option(help="Run on a Dask cluster: tcp://HOST:PORT; else on all cores.")
    ] = None,
    within: Within = 180.0,
    on_scene: OnScene = 20.0,
    turnout: Turnout = 60.0,
    mode: Moving = "vehicle",
    seed: Annotated[int, typer.Option(help="The same seed draws the same incidents.")] = 1,
    as_json: AsJson = False,
    lang: Lang = "zh",
) -> None:
    """Try a plan: drawn incidents, four policies, the same incidents for each, and for another plan."""
    from anlan.response.simulate import Carrying, Ensemble, Kind

    ground = _ground(district, posts, mode, against, hospitals)
    taken = Carrying(hospitals=ground.hospitals, share=carried / 100, handover_s=60 * handover) if hospitals else None
    drawn = Ensemble(
        trial=_trial(ground, within),
        per_hour=per_day / 24,
        weight=ground.places.street_m,
        days=365 if years else days,
        kinds=[Kind(on_scene_s=60 * on_scene)],
        turnout_s=turnout,
        carrying=taken,
        seed=seed,
    )
    with _room(cluster) as pool:
        told = list(pool.spread(drawn.told, range(years or repeat)))
    _tell(ground, told, within, as_json=as_json, zh=lang == "zh")


@replay_app.command("incidents")
def incidents_(
    file: Annotated[Path, typer.Argument(help="CSV: time, lon, lat, kind; also priority, units, on_scene_s.")],
    district: District = "huangpu",
    posts: Posts = None,
    within: Within = 180.0,
    on_scene: OnScene = 20.0,
    turnout: Turnout = 60.0,
    mode: Moving = "vehicle",
    seed: Annotated[int, typer.Option(help="Draws the durations that the file does not tell.")] = 1,
    as_json: AsJson = False,
    lang: Lang = "zh",
) -> None:
    """Play recorded incidents against a plan: what each policy would have made of them."""
    import numpy as np

    ground = _ground(district, posts, mode)
    incidents = _recorded(file, ground, 60 * on_scene, turnout, np.random.default_rng(seed))
    _tell(ground, [_trial(ground, within).over(incidents)], within, as_json=as_json, zh=lang == "zh")


def _trial(ground: _Ground, within_s: float) -> Trial:
    from anlan.response.simulate import BOTH, KEEPING, MOVING, NEAREST, Trial

    return Trial(
        roads=ground.roads,
        plans=ground.plans,
        policies=(NEAREST, KEEPING, MOVING, BOTH),
        within_s=within_s,
        promises_s=sorted({60.0, within_s, 300.0}),
    )


def _room(address: str | None) -> AbstractContextManager[Pool]:
    from anlan.engine import cluster, threads

    return cluster(address) if address else threads()


def _ground(
    district: str, posts: Path | None, mode: str, against: Path | None = None, hospitals: Path | None = None
) -> _Ground:
    import numpy as np

    from anlan.kernel.geo import Projection
    from anlan.pack import find_pack, read_pack
    from anlan.response.simulate import Places
    from anlan.response.travel import MODES, Conditions, Network, StreetGraph

    if mode not in MODES:
        raise BadInput(f"mode={mode!r}", f"must be one of {', '.join(MODES)}", "choose one")
    pack = read_pack(find_pack(district))
    graph = StreetGraph.of(pack.streets, Projection(pack.lon, pack.lat))
    network = Network.of(graph, MODES[mode], Conditions(hour=3, siren=True))
    given = [_given(posts) if posts else _of_pack(pack), *([_given(against)] if against else [])]
    main = network.main_piece()
    nodes = [
        graph.nearest(*graph.plane.to_metres(*np.array(where, float).T), main)[0].astype(np.int64)
        for where, _, _ in (*given, *([_given(hospitals)] if hospitals else []))
    ]
    places = Places.of(network, np.concatenate(nodes))
    return _Ground(
        pack=pack,
        places=places,
        roads=places.roads(),
        plans=tuple(_fleet(places, at, told[1], told[2]) for at, told in zip(nodes, given, strict=False)),
        names=(posts.name if posts else pack.pack_id, *([against.name] if against else [])),
        hospitals=np.searchsorted(places.nodes, nodes[-1] if hospitals else []),
    )


def _fleet(places: Places, nodes: np.ndarray[Any, Any], n_units: Sequence[int], names: Sequence[str]) -> Fleet:
    import numpy as np

    from anlan.response.simulate import Fleet

    return Fleet(
        posts=np.searchsorted(places.nodes, nodes), home=np.repeat(np.arange(len(nodes)), n_units), names=tuple(names)
    )


def _of_pack(pack: Pack) -> tuple[list[tuple[float, float]], list[int], list[str]]:
    """Return where the pack's units wait, how many at each, and what they are called."""
    at = {one.post_id: one.point for one in pack.posts} | {one.station_id: one.point for one in pack.stations}
    units = sorted(
        ((point.x, point.y), one.unit_id)
        for one in pack.units
        if (point := at.get(one.post_id or "") or at.get(one.station_id or "")) is not None
    )
    if not units:
        raise NoData(f"pack {pack.pack_id!r}", "has no unit at a post or station", "give posts with --posts FILE")
    where = list(dict.fromkeys(place for place, _ in units))
    return where, [sum(place == one for place, _ in units) for one in where], [name for _, name in units]


def _given(file: Path) -> tuple[list[tuple[float, float]], list[int], list[str]]:
    """Return the posts of a GeoJSON file, how many units wait at each, and their names."""
    content = polygon_of(file, "posts")
    where, n_units, names = [], [], []
    for k, feature in enumerate(content.get("features", []) if isinstance(content, dict) else []):
        told, point = feature.get("properties") or {}, feature.get("geometry") or {}
        n, at = told.get("units", 1), point.get("coordinates")
        if point.get("type") != "Point" or not isinstance(at, list) or len(at) < 2 or not isinstance(n, int) or n < 1:
            raise BadInput(f"feature {k} of {file}", "must be a point with units >= 1", "correct it")
        where.append((float(at[0]), float(at[1])))
        n_units.append(n)
        names += [f"{told.get('id', k + 1)}/{i + 1}" for i in range(n)]
    if not where:
        raise BadInput(f"posts={file}", "must hold GeoJSON features that are points", "give at least one post")
    return where, n_units, names


def _recorded(file: Path, ground: _Ground, on_scene_s: float, turnout_s: float, rng: np.random.Generator) -> Incidents:
    import numpy as np

    from anlan.response.simulate import Incidents, Kind

    rows = sorted(_rows(file, ground.pack.time_zone), key=lambda row: row["at"])
    place, far = ground.places.nearest([row["lon"] for row in rows], [row["lat"] for row in rows])
    wrong = np.flatnonzero(far > FARTHEST_M)
    if len(wrong):
        row = rows[wrong[0]]
        raise BadInput(
            f"line {row['line']} of {file}: {row['lon']}, {row['lat']}",
            f"must lie within {FARTHEST_M:.0f} m of a street, and is {far[wrong[0]]:,.0f} m off",
            "correct it, or choose the district it belongs to",
        )
    midnight = rows[0]["at"].replace(hour=0, minute=0, second=0, microsecond=0)
    draw = Incidents.drawn(
        rng, per_hour=3600.0, weight=[1.0], days=1, kinds=[Kind(on_scene_s=on_scene_s)], turnout_s=turnout_s
    )
    drawn = np.resize(np.asarray(draw.on_scene_s), len(rows))
    told = np.array([np.nan if row["on_scene_s"] is None else row["on_scene_s"] for row in rows])
    return Incidents(
        at_s=np.array([(row["at"] - midnight).total_seconds() for row in rows]),
        place=place,
        on_scene_s=np.where(np.isnan(told), drawn, told),
        turnout_s=np.resize(np.asarray(draw.turnout_s), len(rows)),
        priority=np.array([row["priority"] for row in rows]),
        n_units=np.array([row["units"] for row in rows]),
    )


def _rows(file: Path, zone: str) -> list[dict[str, Any]]:
    """Return the incidents of a file, with moments as a clock on the district's wall shows them."""
    import csv
    from zoneinfo import ZoneInfo

    try:
        with file.open(encoding="utf-8-sig", newline="") as text:
            reader = csv.DictReader(text)
            given, names = list(reader), reader.fieldnames or []
    except (OSError, UnicodeDecodeError) as fault:
        raise BadInput(f"{file}", f"must be a readable CSV file ({fault})", "correct it") from None
    missing = [name for name in ("time", "lon", "lat", "kind") if name not in names]
    if missing or not given:
        raise BadInput(f"{file}", f"must have columns time, lon, lat, kind and a row, lacks {missing}", "add them")
    made = []
    for line, row in enumerate(given, 2):
        try:
            at = datetime.fromisoformat(row["time"])
            made.append(
                {
                    "line": line,
                    "at": at if at.tzinfo is None else at.astimezone(ZoneInfo(zone)).replace(tzinfo=None),
                    "lon": float(row["lon"]),
                    "lat": float(row["lat"]),
                    "priority": int(row.get("priority") or 0),
                    "units": int(row.get("units") or 1),
                    "on_scene_s": float(row["on_scene_s"]) if row.get("on_scene_s") else None,
                }
            )
        except (TypeError, ValueError) as fault:
            raise BadInput(f"line {line} of {file}", f"must be an incident ({fault})", "correct it") from None
    return made


def _tell(
    ground: _Ground, years: Sequence[tuple[tuple[Told, ...], ...]], within_s: float, *, as_json: bool, zh: bool
) -> None:
    """Show what was told of every year: of each plan, and under each policy."""
    from anlan.response.simulate import summed

    told = [[list(one) for one in zip(*plan, strict=True)] for plan in zip(*years, strict=True)]
    shown = [[summed(key, mine) for key, mine in zip(POLICIES, plan, strict=True)] for plan in told]
    compared = _against(told[0][1:], [told[0][0]] * (len(POLICIES) - 1), "nearest")
    other = _against(told[0], told[1], None) if len(told) > 1 else []
    if as_json:
        made = _as_json(ground, shown[0], compared, told[0][0])
        if len(told) > 1:
            made["other"] = {"plan": ground.names[1], "policies": [asdict(one) for one in shown[1]]}
            made["against_other"] = [asdict(one) for one in other]
        say.as_json(made)
        return
    for name, plan in zip(ground.names, shown, strict=True):
        _table(name if len(shown) > 1 else "", plan, zh=zh)
    for one in compared:
        _compared(one, within_s, "", zh=zh)
    for one in other:
        _compared(one, within_s, ground.names[1], zh=zh)
    _hours(told[0][0], zh=zh)


def _against(mine: Sequence[Sequence[Told]], theirs: Sequence[Sequence[Told]], other: str | None) -> list[Comparison]:
    """Compare in pairs, where anybody was late to compare with; ``other`` is None where both are the same policy."""
    from anlan.response.simulate import compared

    keys = list(POLICIES)[len(POLICIES) - len(mine) :]
    return [
        compared(key, a, other or key, b)
        for key, a, b in zip(keys, mine, theirs, strict=True)
        if any(one.n_late for one in b)
    ]


def _as_json(
    ground: _Ground, told: Sequence[Summary], compared: Sequence[Comparison], nearest: Sequence[Told]
) -> dict[str, Any]:
    import numpy as np

    from anlan.response.simulate import worst

    by_place = [one for one in worst(np.sum([one.by_place for one in nearest], axis=0)) if one.n_late][:20]
    where = ground.places.network.graph.lon_lat(ground.places.nodes[[one.group for one in by_place]])
    busy = np.mean([one.busy_of for one in nearest], axis=0)
    return {
        "within_s": nearest[0].within_s,
        "n_places": ground.roads.n_places,
        "policies": [asdict(one) for one in told],
        "against_nearest": [asdict(one) for one in compared],
        "late_by_hour": [asdict(one) for one in worst(np.sum([one.by_hour for one in nearest], axis=0))],
        "late_by_place": [
            {"lon": lon, "lat": lat, "n": one.n, "n_late": one.n_late}
            for one, (lon, lat) in zip(by_place, where.tolist(), strict=True)
        ],
        "units": [{"unit": ground.plans[0].name(u), "busy": float(one)} for u, one in enumerate(busy)],
    }


def _share(one: Figure) -> str:
    if one.low is None or one.high is None:
        return f"{one.value:.1%}"
    return f"{one.value:.1%} ±{(one.high - one.low) / 2:.1%}"


def _table(title: str, told: Sequence[Summary], *, zh: bool) -> None:
    heads = [
        "出动规则" if zh else "who is sent",
        *[f"{s:.0f} s {'内到' if zh else ''}>" for s in told[0].within],
        *(("中位>", "九成>", "排队>", "忙碌>") if zh else ("median>", "90 %>", "waited>", "busy>")),
    ]
    shown = say.table(title, *heads)
    for one in told:
        shown.add_row(
            POLICIES[one.policy][0 if zh else 1],
            *(_share(share) for share in one.within.values()),
            f"{one.response_s[0.5].value:.0f} s",
            f"{one.response_s[0.9].value:.0f} s",
            f"{one.waited.value:.1%}",
            f"{one.busy.value:.0%}",
        )
    say.out.print(shown)


def _compared(one: Comparison, within_s: float, other: str, *, zh: bool) -> None:
    name, fewer = POLICIES[one.policy][0 if zh else 1], 100 * (1 - one.ratio.value)
    ends = ""
    if one.ratio.low is not None and one.ratio.high is not None:
        ends = f"（{100 * (1 - one.ratio.high):.1f}–{100 * (1 - one.ratio.low):.1f}）" if zh else (
            f" ({100 * (1 - one.ratio.high):.1f} to {100 * (1 - one.ratio.low):.1f})"
        )  # fmt: skip
    slower = f"{one.slower_s.value:+.0f} s"
    than = (f"比 {other} " if zh else f" than {other}") if other else ""
    say.out.print(
        f"{name}：{than}超过 {within_s:.0f} s 的到达减少 {fewer:.1f} %{ends}，平均到达 {slower}"
        if zh
        else f"{name}: {fewer:.1f} %{ends} fewer arrivals after {within_s:.0f} s{than}, mean arrival {slower}",
        soft_wrap=True,
    )


def _hours(nearest: Sequence[Told], *, zh: bool) -> None:
    import numpy as np

    from anlan.response.simulate import worst

    late = [one for one in worst(np.sum([one.by_hour for one in nearest], axis=0)) if one.n_late][:3]
    if not late:
        say.out.print("最近者出动：无一迟到" if zh else "nearest free: nobody was late")
        return
    hours = ("、" if zh else ", ").join(f"{one.group:02d}:00 {one.n_late / one.n:.0%}" for one in late)
    say.out.print(
        f"最近者出动，迟到最多的时段：{hours}" if zh else f"nearest free, hours with most late arrivals: {hours}"
    )
