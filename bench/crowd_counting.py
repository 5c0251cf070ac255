"""Count in polygons: how fast and how exact, beside what others would use."""

from __future__ import annotations

import json
import socket
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import shapely
import uvicorn
from shapely import affinity
from shapely.geometry.base import BaseGeometry

import peers
import postgis
from anlan.command.app import create_app
from anlan.crowd import Cells, Counter, Estimator, Field
from anlan.crowd.scan import PARTS
from anlan.district import District
from anlan.kernel.clock import FollowedClock
from anlan.kernel.geo import to_geojson
from anlan.kernel.pack import Pack
from anlan.pack import find_pack, read_pack
from anlan.twin import scenarios, simulate
from row import Row

Floats = npt.NDArray[np.float64]
SIZES = ((30_000, 3.0), (70_000, 5.0))
"""Cells of the district, and the milliseconds within which a thousand polygons are to be summed."""
MINUTES = 12


def polygons(cells: Cells, n: int, rng: np.random.Generator) -> list[BaseGeometry]:
    """Return ``n`` polygons (metres) of 40 to 700 m radius: concave, some with a hole or a second part, some tiny."""
    found: list[BaseGeometry] = []
    while len(found) < n:
        corners, k = int(rng.integers(5, 12)), int(rng.integers(len(cells)))
        angle = np.sort(rng.uniform(0, 2 * np.pi, corners))
        star = shapely.Polygon(np.column_stack([np.cos(angle), np.sin(angle)]) * rng.uniform(0.5, 1.2, (corners, 1)))
        if not star.is_valid:
            continue
        radius = float(np.exp(rng.uniform(np.log(40), np.log(700)))) if rng.random() < 0.95 else 12.0
        shape = affinity.translate(affinity.scale(star, radius, radius, origin=(0, 0)), cells.x_m[k], cells.y_m[k])
        if rng.random() < 0.2:
            shape = shape.difference(shape.centroid.buffer(radius * 0.2))
        if rng.random() < 0.1:
            shape = shape.union(affinity.translate(shape, 2.5 * radius, 0.0))
        found.append(shape)
    return found


def cut(pack: Pack, wanted: int) -> Pack:
    """Return a pack cut into about so many cells."""
    return replace(pack, cell_m=pack.cell_m * float(np.sqrt(len(Cells.of(pack)) / wanted)))


def begun(pack: Pack) -> tuple[Cells, Field]:
    """Return the cells of a pack, and its estimate after some minutes of a simulated day."""
    cells = Cells.of(pack)
    estimator, scenario = Estimator(pack, cells), scenarios(pack)[0]
    begin_at = scenario.opens_at
    state = estimator.start(begin_at)
    for minute in simulate(pack, scenario, 1, begin_at, begin_at + timedelta(minutes=MINUTES), ()):
        ripe = [seen for seen in minute.observations if seen.end_at <= minute.at]
        state = estimator.advance(state, ripe, minute.at)
    return cells, estimator.field(state)


def rows(*, quick: bool, say: Callable[[str], None]) -> Iterator[Row]:
    """Means, intervals and one polygon at two sizes of cells, then over HTTP."""
    shipped = read_pack(find_pack("huangpu"))
    for letter, (wanted, goal_ms) in zip("ab", SIZES[:1] if quick else SIZES, strict=False):
        pack = cut(shipped, wanted)
        cells, field = begun(pack)
        say(f"{len(cells):,} cells estimated")
        yield from sizes(pack, cells, field, letter, goal_ms)
    yield over_http(shipped, 100 if quick else 1000, say)


def sizes(pack: Pack, cells: Cells, field: Field, letter: str, goal_ms: float) -> Iterator[Row]:
    """Time a thousand polygons and one, at one size of cells."""
    counter, plane = Counter(pack, cells), polygons(cells, 1000, np.random.default_rng(9))
    exact = peers.exact_sums(cells, field.persons, plane)
    means = counter.means(field, plane)
    told = np.isfinite(means)
    took = peers.median_ms(lambda: counter.means(field, plane), 15)
    what = f"1,000 polygons, {len(cells):,} cells"
    yield Row(
        id=f"2.1{letter}", what=f"{what}, mean", value=took, unit="ms",
        goal=f"<= {goal_ms:g}", ok=took <= goal_ms, peer=beside(cells, field.persons, plane, exact),
    )  # fmt: skip
    wrong = 100 * float(np.max(np.abs(means[told] - exact[told]) / exact[told]))
    yield Row(
        id=f"2.1{letter}e", what=f"{what}, largest error of the {told.sum()} told", value=wrong, unit="%",
        goal="<= 0.1", ok=wrong <= 0.1,
    )  # fmt: skip
    took = peers.median_ms(lambda: counter.many(field, cells.shares_of(plane), field.at), 5)
    yield Row(
        id=f"2.2{letter}", what=f"{what}, mean and 90 % interval", value=took, unit="ms",
        goal="<= 50", ok=took <= 50,
    )  # fmt: skip
    each = [peers.median_ms(lambda one=one: counter.many(field, [cells.shares(one)], field.at), 1) for one in plane]  # type: ignore[misc]  # mypy cannot infer a lambda with a default
    took = float(np.median(each))
    yield Row(
        id=f"2.2{letter}1", what=f"one polygon in process, {len(cells):,} cells", value=took, unit="ms",
        goal="<= 1", ok=took <= 1,
    )  # fmt: skip


def beside(cells: Cells, persons: Floats, plane: Sequence[BaseGeometry], exact: Floats) -> str:
    """Return what others took for the same polygons, and which was left out."""
    acts = {
        "exactextract": lambda: peers.by_exactextract(cells, persons, plane),
        "geopandas": lambda: peers.by_geopandas(cells, persons, plane),
        "shapely, exact": lambda: peers.exact_sums(cells, persons, plane),
    }
    told = [
        f"{name} {peers.median_ms(act, 1):,.0f} ms, error {peers.error(act(), exact):.2f} %"
        for name, act in acts.items()
    ]
    return "; ".join([*told, *by_postgis(cells, persons, plane, exact)])


def by_postgis(cells: Cells, persons: Floats, plane: Sequence[BaseGeometry], exact: Floats) -> list[str]:
    """Return what PostGIS took, where it is installed."""
    binaries = postgis.installed()
    if binaries is None:
        return ["PostGIS is not installed"]
    told = []
    with postgis.loaded(binaries, cells, persons, plane) as connection:
        for name, query in (("centres", postgis.BY_CENTRE), ("exact", postgis.EXACT)):
            act = partial(postgis.sums, connection, query, (cells.size_m / PARTS) ** 2, len(plane))
            off = peers.error(act(), exact)
            told.append(f"PostGIS, {name} {peers.median_ms(act, 1):,.0f} ms, error {off:.2f} %")
    return told


def over_http(pack: Pack, n: int, say: Callable[[str], None]) -> Row:
    """Time one polygon after the other through a server on the loopback."""
    begin_at = scenarios(pack)[0].opens_at
    clock = FollowedClock(begin_at)
    with tempfile.TemporaryDirectory() as folder, socket.socket() as listener:
        district = District.open(pack, Path(folder) / "district", clock=clock)
        district.advance()
        for minute in simulate(pack, scenarios(pack)[0], 1, begin_at, begin_at + timedelta(minutes=MINUTES), ()):
            clock.set(minute.at)
            district.observe([seen for seen in minute.observations if seen.end_at <= minute.at])
            district.advance()
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(create_app(district), log_level="warning"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            took, n_told = asked(f"http://127.0.0.1:{listener.getsockname()[1]}", pack, district.cells, n)
        finally:
            server.should_exit = True
            thread.join()
            district.close()
    say(f"{n} polygons asked over HTTP, median {np.median(took):.1f} ms")
    p99 = float(np.quantile(took, 0.99))
    return Row(
        id="2.2h",
        what=f"one polygon over HTTP, p99 of {n}, {n_told} told with an interval",
        value=p99,
        unit="ms",
        goal="<= 25",
        ok=p99 <= 25,
    )


def asked(url: str, pack: Pack, cells: Cells, n: int) -> tuple[Floats, int]:
    """Return the milliseconds of each of ``n`` requests, after ten that are not counted, and how many had an interval."""
    inside = [p for p in polygons(cells, n + 10, np.random.default_rng(4)) if not p.is_empty]
    took, n_told = [], 0
    for k, shape in enumerate(inside):
        body = json.dumps({"polygon": to_geojson(pack.projection.unproject(shape))}).encode()
        request = urllib.request.Request(  # noqa: S310 - the address is the loopback's
            f"{url}/api/v1/count", body, {"content-type": "application/json"}
        )
        begin = time.perf_counter()
        for patience in range(50):
            try:
                with urllib.request.urlopen(request) as answer:  # noqa: S310 - the same
                    made = json.loads(answer.read())
                break
            except urllib.error.URLError:
                if patience == 49 or took:
                    raise
                time.sleep(0.1)
        took.append(1000 * (time.perf_counter() - begin))
        n_told += k >= 10 and made["low"] is not None
    return np.array(took[10:]), n_told
