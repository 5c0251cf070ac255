"""Running a district: its server, its broker, its minutes."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI

from anlan.beside import keep_coverage
from anlan.cli import say
from anlan.cli.terminal import kept_key
from anlan.command import Simulation, create_app
from anlan.command.live import Hub
from anlan.district import District
from anlan.ingest import EmbeddedBroker, MqttIngress, OwnForm, read_adapters
from anlan.ingest.adapters import Adapter
from anlan.ingest.wiring import FILE as ADAPTERS_FILE
from anlan.kernel.access import Actor
from anlan.kernel.errors import NotFound, Unavailable
from anlan.matters import forget_due, tell_due
from anlan.pack import find_pack
from anlan.staff import Staff, read_roles
from anlan.store import SqlStore
from anlan.volunteers import keep_house, tend

log = logging.getLogger(__name__)

HOST = "127.0.0.1"
HOUSEKEEPING_S = 3600.0


def listening(port: int) -> socket.socket:
    """Return a socket that listens on this machine only.

    Raises
    ------
    Unavailable
        If the port is taken.
    """
    # asyncio sends small parts at once (TCP_NODELAY) only where the socket names its protocol; without, each answer on
    # a connection that is kept open waits 40 ms for the other side's acknowledgement.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
    except OSError as fault:
        listener.close()
        raise Unavailable(
            f"port {port}", f"must be free ({fault.strerror})", "stop what uses it, or choose another with --port"
        ) from fault
    return listener


class Minutes:
    """Makes every minute that is due, in a thread of its own; whatever fails is told, and tried again.

    Closed days are put away in another: it takes seconds, on a busy machine half a minute, and no minute waits for it.
    """

    def __init__(self, district: District) -> None:
        self.district = district
        self._woken = threading.Event()
        self._stopped = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, name="minutes", daemon=True),
            threading.Thread(target=self._put_away, name="history", daemon=True),
        ]

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()
        threading.Thread(target=self._warm, name="warm", daemon=True).start()

    def _warm(self) -> None:
        self.district.reach.warm()
        # What stands by now stays; looking through it for garbage again and again would make somebody wait.
        gc.collect()
        gc.freeze()
        self.district.tend_forecasts()

    def wake(self) -> None:
        """Look at the clock now."""
        self._woken.set()

    def stop(self) -> None:
        """Finish the minute at hand, and end."""
        self._stopped.set()
        self._woken.set()
        for thread in self._threads:
            thread.join(30)

    def _put_away(self) -> None:
        """Forget what is old in the history and seal closed days, each hour; neither waits for the other to succeed."""
        while not self._stopped.wait(HOUSEKEEPING_S):
            for tidy in (self.district.history.retain, self.district.history.seal):
                try:
                    tidy(self.district.clock.now())
                except Exception:  # else nobody would tidy any more, and nobody would see that
                    log.exception("the history could not be tidied; it is tried again")

    def _run(self) -> None:
        kept_at = time.monotonic()
        while not self._stopped.is_set():
            try:
                self.district.reach.beat()
                self.district.advance()
                tell_due(self.district.matters, self.district.clock.now())
                tend(self.district.community, self.district.reach)
                if time.monotonic() - kept_at > HOUSEKEEPING_S:
                    kept_at = time.monotonic()
                    now = self.district.clock.now()
                    self.district.store.forget_due(datetime.now(UTC))
                    forget_due(self.district.matters, now)
                    keep_coverage(self.district.store, self.district.sensing, self.district.pack, now)
                    keep_house(self.district.community)
                    self.district.tend_forecasts()
                    self.district.tend_proof()
            except Exception:
                log.exception("a minute could not be made; it is tried again")
                time.sleep(1.0)
            self._woken.wait(1.0)
            self._woken.clear()


class _Server(uvicorn.Server):
    """Says when it answers, ends the live streams when it stops, and leaves the ending of the program to its caller."""

    def __init__(self, config: uvicorn.Config, hub: Hub, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._hub = hub
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            threading.Thread(target=self._ready, name="ready", daemon=True).start()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._hub.close()  # live streams never end by themselves
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop on Ctrl-C and on a polite kill; the stock one raises them again, and nothing behind it would close."""
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def run_server(
    minutes: Minutes,
    listener: socket.socket,
    *,
    broker: EmbeddedBroker | MqttIngress,
    staff: Staff,
    simulation: Simulation | None = None,
    guest: Actor | None = None,
    ready: Callable[[], None] = lambda: None,
) -> None:
    """Serve a district and make its minutes until interrupted; the broker listens for as long.

    ``ready`` is called once the page answers.

    The terminal of this machine may ask it anything meanwhile; ``guest`` is whom everybody else may be unsigned.

    Raises
    ------
    Unavailable
        If the broker cannot listen, or be reached.
    """
    district = minutes.district
    roles = district.matters.kinds.rights()
    with kept_key(listener.getsockname()[1], district.pack.areas, roles) as terminals:
        # Before any other thread: what Python warns of is one list for all, and FastAPI changes it while making routes.
        app = create_app(district, simulation=simulation, staff=staff, terminals=terminals, guest=guest)
        minutes.start()
        try:
            _run(app, listener, broker, ready)
        finally:
            minutes.stop()


def _run(
    app: FastAPI, listener: socket.socket, broker: EmbeddedBroker | MqttIngress, ready: Callable[[], None]
) -> None:
    config = uvicorn.Config(
        app,
        log_level="warning",
        timeout_graceful_shutdown=2,
        lifespan="on",
        access_log=False,
        server_header=False,
        ws="none",
    )

    async def serve() -> None:
        if isinstance(broker, EmbeddedBroker):
            await broker.start()
        else:
            await asyncio.to_thread(broker.start)
        try:
            await _Server(config, app.state.hub, ready).serve(sockets=[listener])
        finally:
            if isinstance(broker, EmbeddedBroker):
                await broker.close()
            else:
                await asyncio.to_thread(broker.close)

    asyncio.run(serve())


def serve_district(
    district: str,
    folder: Path | None,
    *,
    port: int,
    mqtt_port: int,
    broker: str | None,
    store_url: str | None,
    adapters_file: Path | None = None,
) -> None:
    """Run a real district."""
    adapters = _adapters(district, adapters_file)
    with (
        listening(port) as listener,
        contextlib.closing(District.open(district, folder, store_url=store_url)) as opened,
    ):
        staff = Staff(opened.store, read_roles(find_pack(district)), opened.pack.areas)
        opened.door.adapters = adapters
        way: MqttIngress | EmbeddedBroker
        if broker:
            way = MqttIngress(broker, opened.door, adapters=adapters)
        else:
            way = EmbeddedBroker(HOST, mqtt_port, opened.door, adapters=adapters)

        def told() -> None:
            url = f"http://{HOST}:{listener.getsockname()[1]}"
            say.out.print(f"[bold]{say.name_in(dict(opened.pack.name), 'en')}[/] is served at [link]{url}[/link]")
            where = broker or f"mqtt://{HOST}:{way.port if isinstance(way, EmbeddedBroker) else ''}"
            say.out.print(f"Devices publish to {where} under anlan/observations/<device>. Ctrl-C ends it.")
            if not staff.accounts():
                link = staff.link(None, "terminal", datetime.now(UTC))
                say.out.print(f"Make the first account: {url}/#first={link}", soft_wrap=True)
                say.out.print("(good for a quarter of an hour; `anlan staff link` gives another)")

        run_server(Minutes(opened), listener, broker=way, staff=staff, ready=told)


def _adapters(district: str, file: Path | None) -> tuple[Adapter, ...]:
    """Return the formats that are understood: those of the file given, else of the pack's own, else Anlan's alone."""
    if file is None:
        file = find_pack(district) / ADAPTERS_FILE
        if not file.is_file():
            return (OwnForm(),)
    return read_adapters(file)


def audit_of(folder: Path | None, store_url: str | None) -> dict[str, Any]:
    """Verify a log that no server holds."""
    if store_url is None:
        path = (folder or Path()) / "records.db"
        if not path.is_file():
            raise NotFound(f"{path}", "does not exist", "give the district's --data folder, or --store")
        store_url = f"sqlite:///{path}"
    store = SqlStore.open(store_url)
    try:
        made = store.verify()
    finally:
        store.close()
    return {"n_changes": made.n_changes, "ok": made.ok, "broken_at": made.broken_at, "fault": made.fault}
