"""Verbs on packs, recordings and the simulated district."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from anlan.cli import say
from anlan.kernel.clock import parse_moment
from anlan.kernel.errors import BadInput, NotFound

if TYPE_CHECKING:
    from anlan.ingest import Beat
    from anlan.kernel.pack import Pack
    from anlan.kernel.records import Observation
    from anlan.twin import Scenario, Station

district_app = typer.Typer(help="District packs: make, import, check.", no_args_is_help=True)
observations_app = typer.Typer(help="Recordings of what devices counted.", no_args_is_help=True)
twin_app = typer.Typer(help="The simulated district.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="JSON for programs.")]
Lang = Annotated[str, typer.Option(help="Language of names: zh or en.", envvar="ANLAN_LANG")]
District = Annotated[str, typer.Option(help="A shipped district's name, or the folder of a pack.")]


def _progress() -> Progress:
    return Progress(TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), console=say.err, transient=True)


@district_app.command("check")
def check(folder: Annotated[Path, typer.Argument(help="Folder of a pack.")], as_json: AsJson = False) -> None:
    """Tell every fault of a pack with its file, row and remedy; exit with 2 where one blocks."""
    from anlan.pack import check_pack

    faults = check_pack(folder)
    blocking = sum(fault.blocking for fault in faults)
    if as_json:
        say.as_json({"faults": [asdict(fault) for fault in faults]})
    else:
        for fault in faults:
            word = "[red]fault[/]" if fault.blocking else "[yellow]advice[/]"
            say.out.print(f"{word} {escape(str(fault))}", soft_wrap=True)
        say.out.print(
            f"{blocking} faults, {len(faults) - blocking} pieces of advice" if faults else "[green]no fault[/]"
        )
    if blocking:
        raise typer.Exit(2)


@district_app.command("import")
def import_(
    osm: Annotated[Path, typer.Option(help="OpenStreetMap extract: .osm, .osm.gz or .pbf.")],
    areas: Annotated[Path, typer.Option(help="Boundaries as GeoJSON, a file or a folder with one for each level.")],
    out: Annotated[Path, typer.Option(help="Folder of the new pack.")],
    committees: Annotated[Path | None, typer.Option(help="CSV: code,name,street_code.")] = None,
    places: Annotated[
        list[Path] | None, typer.Option(help="GeoJSON of places or gateways; may be given often.")
    ] = None,
    name: Annotated[str, typer.Option(help="Name of the district.")] = "",
    datum: Annotated[str, typer.Option(help="Of the boundaries: wgs84, gcj02 or bd09.")] = "wgs84",
) -> None:
    """Make a pack of an OpenStreetMap extract and boundaries."""
    from anlan.pack import ImportOptions, import_osm

    options = ImportOptions(name={"en": name} if name else None, datum=datum)
    with _progress() as progress:
        task = progress.add_task("reading", total=1.0)

        def tell(what: str, share: float) -> None:
            progress.update(task, description=what, completed=share)

        pack = import_osm(osm, areas, out, committees=committees, places=places or (), options=options, progress=tell)
    say.out.print(
        f"[green]made[/] {out}: {len(pack.areas)} areas, {len(pack.streets)} streets, {len(pack.places)} places, "
        f"{len(pack.gateways)} gateways. {pack.attribution}"
    )
    say.out.print(f"Next: anlan district check {out}; anlan demo --district {out}")


@district_app.command("new")
def new(
    out: Annotated[Path, typer.Option(help="Folder of the new pack.")],
    name: Annotated[str, typer.Option(help="Name of the district.")],
    counters: Annotated[Path | None, typer.Option(help="CSV of counters with latitude and longitude.")] = None,
    time_zone: Annotated[str, typer.Option(help="IANA zone; the nearest city's if empty.")] = "",
    centre: Annotated[str, typer.Option(help="Without counters: lon,lat in degrees.")] = "",
) -> None:
    """Start a pack: of a list of counters, or a commented empty one."""
    from anlan.pack import DraftOptions, draft_pack

    options = None
    if centre:
        try:
            lon, lat = (float(part) for part in centre.split(","))
        except ValueError:
            raise BadInput(f"centre={centre!r}", "must be lon,lat in degrees", "write it like 121.485,31.219") from None
        options = DraftOptions(centre=(lon, lat))
    pack = draft_pack(counters, out, name, time_zone, options=options)
    say.out.print(f"[green]made[/] {out}: {len(pack.devices)} counters, time zone {pack.time_zone}")
    say.out.print(f"Next: anlan district check {out}")


@observations_app.command("read")
def read(
    file: Annotated[Path, typer.Argument(help="CSV, .csv.gz or .parquet.")],
    district: District,
    out: Annotated[Path, typer.Option(help="Recording to write (.parquet).")],
    columns: Annotated[str, typer.Option(help="Of a CSV: time=...,device=...,count=... or date=...,hour=...")] = "",
    begin: Annotated[str, typer.Option("--from", help="Keep from this moment, ISO 8601 with offset.")] = "",
    end: Annotated[str, typer.Option("--to", help="Keep up to this moment.")] = "",
) -> None:
    """Turn a table of counts into a recording that can be replayed; tell what was missing, doubled or wrong."""
    from anlan.ingest import Columns, Reading, read_observations, write_observations
    from anlan.pack import find_pack, read_pack

    pack = read_pack(find_pack(district))
    told = _columns(columns)
    layout = Columns(**{"time_zone": pack.time_zone, **told}) if told else None
    first = parse_moment(begin, "from") if begin else None
    last = parse_moment(end, "to") if end else None
    reading = Reading()
    kept = (
        seen
        for seen in read_observations(file, pack.devices, layout, reading)
        if (first is None or seen.end_at > first) and (last is None or seen.end_at <= last)
    )
    n = write_observations(kept, out)
    say.out.print(
        f"[green]wrote[/] {n:,} observations to {out}; in the file: {reading.n_missing:,} blank, "
        f"{reading.n_unknown:,} of unknown devices, {reading.n_doubled:,} doubled, {len(reading.faults):,} wrong"
    )
    for fault in reading.faults[:10]:
        say.out.print(f"[yellow]{escape(fault)}[/]", soft_wrap=True)


def _columns(text: str) -> dict[str, str]:
    parts = [part.partition("=") for part in text.split(",") if part]
    for key, _, value in parts:
        if key not in {"time", "date", "hour", "device", "count", "time_zone"} or not value:
            raise BadInput(
                f"columns part {key!r}", "must be time, date, hour, device, count or time_zone =NAME", "correct it"
            )
    return {key: value for key, _, value in parts}


@observations_app.command("replay")
def replay_(
    file: Annotated[Path, typer.Argument(help="A recording (.parquet).")],
    mqtt: Annotated[str, typer.Option(help="Broker: mqtt://host:port.")],
    begin: Annotated[str, typer.Option("--from", help="Moment to begin at, ISO 8601 with offset.")] = "",
    speed: Annotated[float, typer.Option(min=0.1, max=100_000, help="Recorded seconds per second.")] = 600.0,
    every: Annotated[float, typer.Option(min=1, max=60, help="Seconds of a step.")] = 60.0,
) -> None:
    """Play a recording through MQTT as its devices would send it."""
    from anlan.ingest import Pace, beats, read_observations, replay

    seen = list(read_observations(file, ()))
    if not seen:
        raise BadInput(f"{file}", "must hold observations", "choose another recording")
    begin_at = parse_moment(begin, "from") if begin else min(one.begin_at for one in seen)
    replay(beats(seen, begin_at, timedelta(seconds=every)), mqtt, Pace(speed=speed), control=sys.stdin)


@twin_app.command("scenarios")
def scenarios_(district: District = "huangpu", as_json: AsJson = False, lang: Lang = "zh") -> None:
    """The days that a district can be simulated on."""
    from anlan.pack import find_pack, read_pack
    from anlan.twin import scenarios

    found = scenarios(read_pack(find_pack(district)))
    if as_json:
        told = [
            {"id": one.scenario_id, "name": dict(one.name), "opens_at": one.opens_at.isoformat(), "visits": one.visits}
            for one in found
        ]
        say.as_json({"scenarios": told})
        return
    shown = say.table("", "scenario", "", "opens at", "visits>")
    for one in found:
        shown.add_row(
            one.scenario_id,
            say.name_in(dict(one.name), lang),
            one.opens_at.isoformat(timespec="minutes"),
            f"{one.visits:,.0f}",
        )
    say.out.print(shown)


@twin_app.command("run")
def twin_run(
    district: District,
    mqtt: Annotated[str, typer.Option(help="Broker: mqtt://host:port.")],
    scenario: Annotated[str, typer.Option(help="Which day.")] = "",
    speed: Annotated[float, typer.Option(min=0.1, max=100_000, help="Simulated seconds per second.")] = 10.0,
    begin: Annotated[str, typer.Option("--start", help="Moment to begin at, ISO 8601 with offset.")] = "",
    rush_min: Annotated[float, typer.Option(help="Minutes before it that are played as fast as possible.")] = 20.0,
    seed: Annotated[int, typer.Option(help="The same seed gives the same day.")] = 1,
) -> None:
    """Simulate a district whose devices speak MQTT; its time is told line by line, its truth to nobody."""
    from anlan.ingest import Pace, replay
    from anlan.pack import find_pack, read_pack
    from anlan.twin import Station, beats

    pack = read_pack(find_pack(district))
    chosen = scenario_of(pack, scenario)
    opens_at = parse_moment(begin, "start") if begin else chosen.opens_at
    begin_at = opens_at - timedelta(minutes=rush_min)
    pace = Pace(speed=speed, rush_until=opens_at)
    station = Station(seed, pack.lat, begin_at.astimezone(ZoneInfo(pack.time_zone)).utcoffset() or timedelta(0))
    played = _with_weather(beats(pack, chosen, seed, begin_at), station, begin_at)
    replay(played, mqtt, pace, told={"scenario": chosen.scenario_id}, control=sys.stdin)


def _with_weather(
    played: Iterable[tuple[datetime, list[Observation]]], station: Station, at: datetime
) -> Iterator[Beat]:
    """Yield a simulated day with what a weather station says beside."""
    from anlan.ingest import WEATHER_TOPICS, Message, weather_message

    messages = list(station.first(at))
    for then, seen in played:
        messages += station.told(at, then)
        yield then, [*seen, *(Message(f"{WEATHER_TOPICS}twin", weather_message(hours)) for hours in messages)]
        messages, at = [], then


def scenario_of(pack: Pack, name: str | None) -> Scenario:
    """Return a scenario of a pack by its id, the first where none is named."""
    from anlan.twin import scenarios

    found = {one.scenario_id: one for one in scenarios(pack)}
    if name and name not in found:
        raise NotFound(f"scenario={name!r}", f"must be one of {', '.join(found)}", "choose one")
    return found[name] if name else next(iter(found.values()))


@twin_app.command("record")
def twin_record(
    out: Annotated[Path, typer.Option(help="Folder for observations.parquet and truth.parquet.")],
    district: District = "huangpu",
    scenario: Annotated[str, typer.Option(help="Which day.")] = "",
    hours: Annotated[float, typer.Option(min=0.05, max=48, help="How long.")] = 24.0,
    begin: Annotated[str, typer.Option("--start", help="Moment to begin at; the scenario's opening if empty.")] = "",
    seed: Annotated[int, typer.Option(help="The same seed gives the same day.")] = 1,
) -> None:
    """Simulate as fast as the machine can, and write what devices sent and what was true."""
    from anlan.ingest import write_observations
    from anlan.pack import find_pack, read_pack
    from anlan.twin import record

    pack = read_pack(find_pack(district))
    chosen = scenario_of(pack, scenario)
    begin_at = parse_moment(begin, "start") if begin else chosen.opens_at
    sent: list[Observation] = []
    with _progress() as progress:
        task = progress.add_task("simulating", total=hours * 60)
        for _, observations in record(
            pack, chosen, out, seed=seed, begin_at=begin_at, end_at=begin_at + timedelta(hours=hours)
        ):
            sent.extend(observations)
            progress.advance(task)
    n = write_observations(sent, out / "observations.parquet")
    say.out.print(f"[green]wrote[/] {n:,} observations and the truth of {len(pack.places)} places to {out}")
