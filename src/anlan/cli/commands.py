"""The terminal's verbs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

import anlan
from anlan.cli import afield, say
from anlan.cli.asking import USUAL, Server, line_of, polygon_of
from anlan.cli.casework import types_app
from anlan.cli.districts import AsJson, Lang, district_app, observations_app, twin_app
from anlan.cli.forecasting import forecast_app
from anlan.cli.papering import indicators_app, papers_app
from anlan.cli.patrolling import crews
from anlan.cli.planning import plan_app
from anlan.cli.proving import prove
from anlan.cli.reaching import incident_app, unit_app
from anlan.cli.responding import replay_app, simulate_
from anlan.cli.rotas import rota_
from anlan.cli.staffing import staff_app
from anlan.cli.underway import cases_app
from anlan.cli.volunteering import callout_app, points_app, volunteers_app
from anlan.cli.weather import weather_
from anlan.kernel.clock import parse_moment

app = typer.Typer(
    name="anlan",
    help="Anlan (安澜): how many people are anywhere in a district, and how sure that is.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
devices_app = typer.Typer()
audit_app = typer.Typer(help="The log of changes.", no_args_is_help=True)
app.add_typer(district_app, name="district")
app.add_typer(observations_app, name="observations")
app.add_typer(twin_app, name="twin")
app.add_typer(devices_app, name="devices")
app.add_typer(audit_app, name="audit")
app.add_typer(staff_app, name="staff")
app.add_typer(forecast_app, name="forecast")
app.add_typer(types_app, name="types")
plan_app.command("rota")(rota_)
app.add_typer(plan_app, name="plan")
app.add_typer(replay_app, name="replay")
app.command("simulate")(simulate_)
app.add_typer(papers_app, name="papers")
app.add_typer(indicators_app, name="indicators")
app.add_typer(cases_app, name="cases")
app.add_typer(incident_app, name="incident")
app.add_typer(unit_app, name="unit")
app.add_typer(volunteers_app, name="volunteers")
app.add_typer(callout_app, name="callout")
app.add_typer(points_app, name="points")
twin_app.command("crews")(crews)
app.command("edge")(afield.edge)
app.command("grid")(afield.grid)
app.command("weather")(weather_)
app.command("prove")(prove)

Url = Annotated[str, typer.Option(help="A running server.", envvar="ANLAN_URL")]


def _version(value: bool) -> None:  # noqa: FBT001 - typer calls it so
    if value:
        say.out.print(f"anlan {anlan.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    _version: Annotated[
        bool | None, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = None,
) -> None:
    pass


@app.command()
def demo(
    district: Annotated[str, typer.Option(help="A shipped district's name, or the folder of a pack.")] = "huangpu",
    scenario: Annotated[str, typer.Option(help="Which day; see `anlan twin scenarios`.")] = "",
    speed: Annotated[float, typer.Option(min=0.1, max=100_000, help="Simulated seconds per second.")] = 10.0,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Where the page is; 0 takes a free one.")] = 8000,
    replay: Annotated[Path | None, typer.Option(help="Play this recording (.parquet) instead of a simulation.")] = None,
    begin: Annotated[str, typer.Option("--from", help="Moment to begin at, ISO 8601 with offset.")] = "",
    folder: Annotated[Path | None, typer.Option("--data", help="Folder for the demo's data; emptied first.")] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same day.")] = 1,
    closed: Annotated[bool, typer.Option("--closed", help="Ask who looks to sign in; it prints a link.")] = False,
) -> None:
    """Play a district and open its live page: a simulated one, or a recording."""
    from anlan.cli.demo import Demo, Show
    from anlan.cli.serving import listening

    show = Show(
        scenario=scenario or None,
        speed=speed,
        replay=replay,
        begin_at=parse_moment(begin, "from") if begin else None,
        seed=seed,
        closed=closed,
    )
    with listening(port) as listener:  # first, so that a taken port costs nobody his last demo's data
        Demo(district, show, listener, folder).run()


@app.command()
def serve(
    district: Annotated[str, typer.Option(help="A shipped district's name, or the folder of a pack.")],
    folder: Annotated[Path | None, typer.Option("--data", help="Folder of the district's data.")] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Where the page is.")] = 8000,
    mqtt_port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the embedded broker.")] = 1883,
    broker: Annotated[str, typer.Option(help="An external broker instead: mqtt://user:password@host:1883.")] = "",
    store: Annotated[str, typer.Option(help="Database of records: postgresql+psycopg://... (SQLite if empty).")] = "",
    adapters: Annotated[
        Path | None, typer.Option(help="Vendors' counters and their devices; the pack's adapters.toml if not given.")
    ] = None,
) -> None:
    """Run a district: take what its devices count, estimate every minute, serve the page."""
    from anlan.cli.serving import serve_district

    serve_district(
        district,
        folder,
        port=port,
        mqtt_port=mqtt_port,
        broker=broker or None,
        store_url=store or None,
        adapters_file=adapters,
    )


@app.command()
def count(
    polygon: Annotated[Path, typer.Option(help="File with a GeoJSON polygon, degrees.")],
    at: Annotated[str, typer.Option(help="A moment of the past, ISO 8601 with offset.")] = "",
    why: Annotated[bool, typer.Option("--why", help="Also what made the number, and what would narrow it.")] = False,
    url: Url = USUAL,
    as_json: AsJson = False,
    lang: Lang = "zh",
) -> None:
    """How many people are in a polygon."""
    made = Server(url).ask("/count", {"polygon": polygon_of(polygon), "at": at or None, "why": why})
    if as_json:
        say.as_json(made)
        return
    number, interval = say.people(made, lang)
    zh = lang == "zh"
    shown = say.table("", "", "")
    shown.show_header = False
    shown.add_row("人数" if zh else "people", f"[bold]{number}[/]  {interval}")
    if made["density_per_m2"] is not None:
        shown.add_row("密度" if zh else "density", f"{made['density_per_m2']:.2f} /m²  ({made['level_of_service']})")
    shown.add_row("可步行面积" if zh else "walkable", f"{made['walkable_m2']:,} m²")
    if made["freshness_s"] is not None:
        shown.add_row("数据时效" if zh else "freshness", f"{made['freshness_s']} s")
    say.out.print(shown)
    if made["why"] is not None:
        say.out.print(say.why(made["why"], lang))


@app.command()
def flow(
    line: Annotated[str, typer.Option(help="lon,lat lon,lat ... across the way people walk, or a GeoJSON file.")],
    url: Url = USUAL,
    as_json: AsJson = False,
    lang: Lang = "zh",
) -> None:
    """How many people go over a line per minute: counted where a device counts there, else inferred."""
    made = Server(url).ask("/flow", {"line": line_of(line)})
    if as_json:
        say.as_json(made)
    else:
        say.out.print(say.flow(made, lang))


@app.command()
def border(url: Url = USUAL, as_json: AsJson = False, lang: Lang = "zh") -> None:
    """How many people and vehicles go over the district's border per minute, each way."""
    made = Server(url).ask("/border")
    if as_json:
        say.as_json(made)
    else:
        say.out.print(say.border(made, lang))


@app.command()
def places(url: Url = USUAL, as_json: AsJson = False, lang: Lang = "zh") -> None:
    """Every named place: people against capacity."""
    made = Server(url).ask("/places")
    if as_json:
        say.as_json(made)
        return
    headings = ("场所", "人数>", "区间>", "密度>", "服务水平", "占容量>")
    if lang != "zh":
        headings = ("place", "people>", "interval>", "density>", "service", "of capacity>")
    shown = say.table("", *headings)
    for place in sorted(made["places"], key=lambda p: -(p["share_of_capacity"] or -1)):
        number, interval = say.people(place["estimate"], lang)
        density, share = place["estimate"]["density_per_m2"], place["share_of_capacity"]
        shown.add_row(
            say.name_in(place["name"], lang),
            number,
            interval,
            "" if density is None else f"{density:.2f} /m²",
            place["estimate"]["level_of_service"] or "",
            "" if share is None else f"{share:.0%}",
        )
    say.out.print(shown)


@app.command()
def areas(
    level: Annotated[str, typer.Option(help="Level of the tree.")] = "street",
    url: Url = USUAL,
    as_json: AsJson = False,
    lang: Lang = "zh",
) -> None:
    """The areas of one level: people in public space."""
    made = Server(url).ask(f"/areas/{level}")
    if as_json:
        say.as_json(made)
        return
    shown = say.table(
        "", *(("代码", "区域", "人数>", "区间>") if lang == "zh" else ("code", "area", "people>", "interval>"))
    )
    for area in made["areas"]:
        shown.add_row(area["id"], say.name_in(area["name"], lang), *say.people(area["estimate"], lang))
    say.out.print(shown)


@devices_app.callback(invoke_without_command=True)
def devices(context: typer.Context, url: Url = USUAL, as_json: AsJson = False, lang: Lang = "zh") -> None:
    """Every device: how it is doing, what it last counted, what was refused; and where the next one belongs."""
    if context.invoked_subcommand is not None:
        return
    made = Server(url).ask("/devices")
    if as_json:
        say.as_json(made)
        return
    headings = ("设备", "名称", "类型", "状态", "人/分>", "已收>", "迟到>", "重复>", "拒收>", "疑点")
    if lang != "zh":
        headings = ("device", "name", "kind", "state", "per min>", "taken>", "late>", "repeated>", "refused>", "why")
    shown = say.table("", *headings)
    colour = {"ok": "green", "late": "yellow", "silent": "red", "never": "dim", "suspect": "red", "withdrawn": "dim"}
    for device in made["devices"]:
        tally: dict[str, Any] = device["tally"] or {}
        numbers = [str(tally.get(name, 0)) for name in ("accepted", "late", "duplicate", "refused")]
        flow = device["per_minute"]
        shown.add_row(
            device["id"],
            say.name_in(device["name"], lang),
            device["kind"],
            f"[{colour[device['state']]}]{device['state']}[/]",
            "" if flow is None else f"{flow:.1f}",
            *numbers,
            say.suspicion(device["suspicion"], lang),
        )
    say.out.print(shown)


@devices_app.command("propose")
def devices_propose(
    n: Annotated[int, typer.Option("--n", help="How many sites, 1 to 50.")] = 5,
    url: Url = USUAL,
    as_json: AsJson = False,
    lang: Lang = "zh",
) -> None:
    """Where the next camera, counter or high viewpoint narrows the estimate of now most."""
    made = Server(url).ask(f"/coverage/proposed?n={n}")
    if as_json:
        say.as_json(made)
        return
    zh = lang == "zh"
    headings = ("种类", "位置", "经度>", "纬度>", "方差减少>", "标准差剩余>")
    shown = say.table(
        "", *(headings if zh else ("kind", "where", "longitude>", "latitude>", "takes away>", "spread left>"))
    )
    for site in made["proposals"]:
        lon, lat = say.middle_of(site["geometry"])
        shown.add_row(
            say.SITES[site["kind"]][0 if zh else 1],
            say.name_in(site["name"], lang),
            f"{lon:.5f}",
            f"{lat:.5f}",
            f"{site['narrows']:.1%}",
            f"{site['sd_left']:.1%}",
        )
    say.out.print(shown)


@app.command()
def watches(url: Url = USUAL, as_json: AsJson = False, lang: Lang = "zh") -> None:
    """Saved polygons that are counted every minute."""
    made = Server(url).ask("/watches")
    if as_json:
        say.as_json(made)
        return
    shown = say.table("", *(("关注区", "人数>", "区间>") if lang == "zh" else ("watch", "people>", "interval>")))
    for watch in made["watches"]:
        shown.add_row(watch["name"], *say.people(watch["estimate"], lang))
    say.out.print(shown)


@app.command("try")
def try_measure(
    kind: Annotated[str, typer.Argument(help="closure, one_way, metering, staged_crossing, skip_stop or extra_exit.")],
    place: Annotated[str, typer.Option(help="Id of the place where it applies.")] = "",
    polygon: Annotated[Path | None, typer.Option(help="Or a file with a GeoJSON polygon, degrees.")] = None,
    gateway: Annotated[str, typer.Option(help="Id of the gateway that is skipped.")] = "",
    per_minute: Annotated[float | None, typer.Option(help="metering: most people let in, per minute.")] = None,
    bearing: Annotated[float | None, typer.Option(help="one_way: degrees from north.")] = None,
    open_s: Annotated[float | None, typer.Option(help="staged_crossing: open so long in every cycle, s.")] = None,
    cycle_s: Annotated[float | None, typer.Option(help="staged_crossing: length of the cycle, s.")] = None,
    width_m: Annotated[float | None, typer.Option(help="extra_exit: clear width, m.")] = None,
    minutes: Annotated[int, typer.Option(help="How far ahead.")] = 60,
    url: Url = USUAL,
    as_json: AsJson = False,
    lang: Lang = "zh",
) -> None:
    """Try a measure before ordering it: what changes against doing nothing, place by place."""
    asked = {"kind": kind, "place": place or None, "gateway": gateway or None, "per_minute": per_minute}
    asked |= {"bearing_deg": bearing, "open_s": open_s, "cycle_s": cycle_s, "width_m": width_m, "minutes": minutes}
    made = Server(url).ask("/what-if", {**asked, "polygon": None if polygon is None else polygon_of(polygon)})
    if as_json:
        say.as_json(made)
        return
    zh = lang == "zh"
    headings = ("场所", "不采取>", "采取后>", "差异>", "区间>", "最高密度>")
    shown = say.table("", *(headings if zh else ("place", "without>", "with>", "difference>", "interval>", "peak>")))
    for one in sorted(made["places"], key=lambda p: -abs(p["difference"]["mean"]) if p["difference"] else 0.0):
        if not one["hidden"]:
            gap, peaks = one["difference"], (one["peak_without_per_m2"]["mean"], one["peak_under_per_m2"]["mean"])
            numbers = (f"{one['without']['mean']:,.0f}", f"{one['under']['mean']:,.0f}", f"{gap['mean']:+,.0f}")
            interval = f"{gap['low']:+,.0f} … {gap['high']:+,.0f}"
            shown.add_row(one["id"], *numbers, interval, f"{peaks[0]:.1f} → {peaks[1]:.1f} /m²")
    say.out.print(shown)
    if made["cut_off"]:
        where = ", ".join(made["cut_off_places"])
        told = f"{made['cut_off']:,} 人将无法离开" if zh else f"{made['cut_off']:,} people could not leave"
        say.out.print(f"[bold red]{told}[/] {escape(where)}")


@app.command()
def alerts(
    past: Annotated[int, typer.Option(min=0, max=720, help="Also those that were over in so many hours.")] = 0,
    url: Url = USUAL,
    as_json: AsJson = False,
    lang: Lang = "zh",
) -> None:
    """What stands announced: where, since when, by which rule, how sure, and how long ahead."""
    server = Server(url)
    made = server.ask(f"/alerts?past_hours={past}")
    if as_json:
        say.as_json(made)
        return
    zh = lang == "zh"
    headings = ("级别", "地点", "自", "规则与依据", "状态")
    if not zh:
        headings = ("rung", "where", "since", "rule and source", "state")
    shown = say.table("", *headings)
    for alert in made["alerts"]:
        rung_zh, rung_en, colour = say.RUNGS[alert["rung"]]
        lead, told = alert["lead_s"], alert["grounds"]
        unseen = say.WHY.get(alert["unknown"] or "", ("无法观测", "cannot be seen"))
        state = next((name for name in ("ended_at", "closed", "acknowledged") if alert[name]), "")
        words = {
            "ended_at": ("已结束", "ended"),
            "closed": ("已关闭", "closed"),
            "acknowledged": ("已确认", "acknowledged"),
            "": ("待确认", "open"),
        }
        shown.add_row(
            f"[{colour}]{rung_zh if zh else rung_en}[/]",
            say.name_in(alert["subject"]["name"], lang) or alert["subject"]["id"],
            server.local(alert["since_at"], "%m-%d %H:%M"),
            unseen[0 if zh else 1]
            if told is None
            else f"{say.grounds(told, lead, lang)}\n[dim]{escape(say.name_in(told['source'], lang))}[/]",
            words[state][0 if zh else 1],
        )
    say.out.print(shown if made["alerts"] else ("目前没有预警" if zh else "nothing stands announced"))


@audit_app.command("verify")
def audit_verify(
    folder: Annotated[
        Path | None, typer.Option("--data", help="The district's folder; a running server is asked if empty.")
    ] = None,
    store: Annotated[str, typer.Option(help="Or the database itself.")] = "",
    url: Url = USUAL,
    as_json: AsJson = False,
) -> None:
    """Recompute the log's chain, and the current state from it; exit with 1 where something was touched."""
    if folder is None and not store:
        made = Server(url).ask("/audit")
    else:
        from anlan.cli.serving import audit_of

        made = audit_of(folder, store or None)
    if as_json:
        say.as_json(made)
    elif made["ok"]:
        say.out.print(f"[green]ok[/]: {made['n_changes']} changes, each as it was written")
    else:
        say.out.print(f"[bold red]broken[/]: {escape(made['fault'])}")
    if not made["ok"]:
        raise typer.Exit(1)
