"""Recommending units: how long a dispatcher waits, in process and over HTTP."""

from __future__ import annotations

import gc
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import numpy as np
import shapely
import uvicorn

from anlan.command import create_app
from anlan.district import District
from anlan.kernel.clock import FollowedClock
from anlan.kernel.records import Unit
from anlan.kernel.response import PositionReport
from anlan.pack import find_pack, read_pack
from row import Row

UNITS = 300
AT = datetime(2026, 12, 31, 12, 0, tzinfo=UTC)
KINDS = (("vehicle", 4, ()), ("vehicle", 4, ("medical",)), ("vehicle", 4, ("crowd",)), ("foot", 2, ()))


def rows(*, quick: bool, say: Callable[[str], None]) -> Iterator[Row]:
    """Time a recommendation among 300 units that all move between two of them."""
    pack = read_pack(find_pack("huangpu"))
    rng = np.random.default_rng(11)
    nodes = np.array([point for street in pack.streets for point in (street.line.coords[0], street.line.coords[-1])])
    spots = nodes[rng.choice(len(nodes), UNITS)]
    units = tuple(
        Unit(unit_id=f"u{k}", name={}, kind=kind, crew=crew, capabilities=can)
        for k in range(UNITS)
        for kind, crew, can in (KINDS[k % len(KINDS)],)
    )
    n = 60 if quick else 600
    with tempfile.TemporaryDirectory() as folder:
        clock = FollowedClock(AT)
        district = District.open(replace(pack, units=units), Path(folder), clock=clock)
        try:
            reach = district.reach
            reach.report(
                PositionReport(unit_id=unit.unit_id, at=AT, lon=lon, lat=lat)
                for unit, (lon, lat) in zip(units, spots, strict=True)
            )
            kinds = list(reach.playbooks.kinds)
            ids = []
            while len(ids) < 40:
                lon, lat = nodes[rng.integers(len(nodes))]
                if pack.boundary.contains(shapely.Point(lon, lat)):
                    ids.append(
                        reach.raise_incident(kinds[len(ids) % len(kinds)], lon, lat, "bench").incident.incident_id
                    )
            reach.warm()
            _freeze()

            def move(k: int) -> None:
                """Let every unit drive for seconds: twenty metres, back and forth."""
                clock.set(AT + timedelta(seconds=2 * k + 2))
                shift = 2e-4 * (k % 2)
                taken, _ = reach.report(
                    PositionReport(unit_id=unit.unit_id, at=clock.now(), lon=lon + shift, lat=lat)
                    for unit, (lon, lat) in zip(units, spots, strict=True)
                )
                assert taken == UNITS

            times = _timed(n, move, lambda k: reach.recommend(ids[k % len(ids)]).chosen)
            yield _row("3.11a", "in process", times, 5.0, say)
            with _served(district) as asking:
                path = "/api/v1/incidents/{}/recommendation".format
                asking.get(path(ids[0])).raise_for_status()
                times = _timed(
                    n, lambda k: move(n + k), lambda k: asking.get(path(ids[k % len(ids)])).raise_for_status()
                )
            yield _row("3.11b", "over HTTP", times, 25.0, say)
        finally:
            district.close()


def _freeze() -> None:
    """Do what the server does once it stands: what is there already is not looked through for garbage again."""
    gc.collect()
    gc.freeze()


def _timed(n: int, before: Callable[[int], object], ask: Callable[[int], object]) -> np.ndarray:
    """Return milliseconds of each of n calls, each after something else that is not timed."""
    took = np.empty(n)
    for k in range(n):
        before(k)
        begin = time.perf_counter()
        ask(k)
        took[k] = 1000 * (time.perf_counter() - begin)
    return took


def _row(row_id: str, where: str, took: np.ndarray, goal_ms: float, say: Callable[[str], None]) -> Row:
    p99 = float(np.quantile(took, 0.99))
    say(f"{row_id}: {len(took)} recommendations among {UNITS} units, median {np.median(took):.2f} ms, p99 {p99:.2f} ms")
    what = f"recommendation among {UNITS} units {where}, p99"
    return Row(id=row_id, what=what, value=p99, unit="ms", goal=f"<= {goal_ms:g}", ok=p99 <= goal_ms)


class _served:  # noqa: N801 - used as a verb
    """Serve a district on a free port of this machine while it is asked."""

    def __init__(self, district: District) -> None:
        self._listening = socket.socket(proto=socket.IPPROTO_TCP)
        self._listening.bind(("127.0.0.1", 0))
        config = uvicorn.Config(create_app(district), log_level="warning", ws="none", timeout_graceful_shutdown=1)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._listening]})

    def __enter__(self) -> httpx.Client:
        self._thread.start()
        self._asking = httpx.Client(base_url=f"http://127.0.0.1:{self._listening.getsockname()[1]}", timeout=60)
        while not self._server.started:
            time.sleep(0.05)
        return self._asking

    def __exit__(self, *_: object) -> None:
        self._asking.close()
        self._server.should_exit = True
        self._thread.join(10)
        self._listening.close()


if __name__ == "__main__":
    for made in rows(quick=True, say=print):
        print(made)
