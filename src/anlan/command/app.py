"""The application: every route in one list, every error in one form."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware

import anlan
from anlan.command import api, reach_views, views, volunteer_pages
from anlan.command.access import admit
from anlan.command.api.forms import ERRORS
from anlan.command.assets import ASK_AGAIN, Assets
from anlan.command.guard import SHOWN, Guard, TooLarge, told
from anlan.command.live import Hub
from anlan.command.residents import PREFIXES, add_residents, refusal_for
from anlan.command.simulation import Simulation
from anlan.command.whereabouts import Whereabouts
from anlan.district import District
from anlan.kernel.access import Actor
from anlan.kernel.answers import DeviceState
from anlan.kernel.errors import AnlanError, BadInput, NotFound
from anlan.staff import Staff

log = logging.getLogger(__name__)

STATIC = Path(__file__).with_name("static")
UNBUILT = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Anlan</title>
<p>The page has not been built. Run <code>make web</code>, then start again.
The <a href="/openapi.json">API</a> works without it.</p></html>"""

# The page of the API, drawn by a bundle that lies beside our own page; its one script is a file, so that the policy
# against inline scripts holds here too.
DOCS = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Anlan API</title>
<link rel="icon" href="/icon.svg"><link rel="stylesheet" href="/swagger/swagger-ui.css"><div id="api"></div>
<script src="/swagger/swagger-ui-bundle.js"></script><script src="/docs/start.js"></script></html>"""
DOCS_START = 'SwaggerUIBundle({ url: "/openapi.json", dom_id: "#api", validatorUrl: null });'


def create_app(
    district: District,
    *,
    simulation: Simulation | None = None,
    static: Path | None = None,
    staff: Staff | None = None,
    terminals: Mapping[str, Actor] | None = None,
    guest: Actor | None = None,
) -> FastAPI:
    """Return the application over an open district.

    Parameters
    ----------
    district : District
        Open; the caller makes its minutes and closes it.
    simulation : Simulation, optional
        Whoever plays the district, where it is not real.
    static : Path, optional
        The built page; the one beside this module where None.
    staff : Staff, optional
        Who works here and may do what. Where None, whoever reaches the application may do everything.
    terminals : mapping of str to Actor, optional
        Keys that live as long as the application: those of the terminal of this very machine.
    guest : Actor, optional
        Whoever is not signed in may do what this one may: for a district that is played, where nothing is real.
    """
    hub = Hub()

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        def hand_on(kind: str, content: dict[str, Any]) -> None:
            if kind == "units":  # where units are: only the newest matters
                hub.pass_on(kind, reach_views.positions(content["units"]))
            else:
                hub.publish(kind, _message(district, kind, content))

        hub.attach(asyncio.get_running_loop())
        leave = district.subscribe(hand_on)
        beside = [asyncio.create_task(residents.gauge.forget())]
        if simulation is not None:
            beside.append(asyncio.create_task(_tell_time(hub, simulation)))
        yield
        for one in beside:
            one.cancel()
        leave()
        hub.close()

    app = FastAPI(
        title="Anlan",
        version=anlan.__version__,
        description="How many people are anywhere in a district, with an interval; devices, watches, and the log.",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.district, app.state.simulation, app.state.hub = district, simulation, hub
    app.state.staff, app.state.terminals, app.state.guest = staff, terminals or {}, guest
    app.state.where = Whereabouts(district.pack)
    for router in api.ROUTERS:
        app.include_router(router, prefix="/api/v1", responses=ERRORS, dependencies=[Depends(admit)])
    residents = add_residents(app, district, test=simulation is not None)
    app.include_router(volunteer_pages.router)
    _add_errors(app)
    _add_page(app, static or STATIC)
    app.add_middleware(_Packed, minimum_size=1000, compresslevel=5)  # 9 packs 4 % more, in five times the time
    app.add_middleware(Guard, refusal_for=refusal_for, hosts=residents.settings.hosts, prefixes=PREFIXES)
    return app


async def _tell_time(hub: Hub, simulation: Simulation) -> None:
    """Tell the screens of a played district its time and pace, once a second where either has changed."""
    last = None
    while True:
        status = simulation.status()
        clock = {name: status.get(name) for name in ("now", "speed", "paused", "rushing", "fault")}
        if clock != last:
            hub.pass_on("clock", clock)
            last = clock
        await asyncio.sleep(1.0)


class _Packed(GZipMiddleware):
    """Compresses everything but the live feed, which must not wait for a buffer to fill."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["path"].endswith("/live"):
            await self.app(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


def _message(district: District, kind: str, content: dict[str, Any]) -> dict[str, Any]:
    """Return what the live feed tells of a minute or a change."""
    if kind == "change":
        return views.change(content["change"])
    if kind == "weather":
        return views.weather(content["weather"])
    if kind != "minute":
        return content
    estimates = content["estimates"]
    places = []
    for place in district.pack.places:
        made = views.estimate(estimates[f"place:{place.place_id}"])
        told_of = ("occupancy", "low", "high", "density_per_m2", "level_of_service", "hidden", "unknown")
        places.append({"id": place.place_id, **{name: made[name] for name in told_of}})
    states = [now.state for now in district.devices()]
    return {
        "at": views.moment(content["at"]),
        "now": views.moment(district.clock.now()),
        "district": views.estimate(estimates["district"]),
        "places": places,
        "devices": {str(state): states.count(state) for state in DeviceState},
    }


def _add_errors(app: FastAPI) -> None:
    @app.exception_handler(AnlanError)
    async def _ours(request: Request, fault: AnlanError) -> Response:
        return refusal_for(request.scope, fault) or told(fault)

    @app.exception_handler(RequestValidationError)
    async def _form(_request: Request, fault: RequestValidationError) -> JSONResponse:
        return told(_misfit(fault.errors()[0]))

    @app.exception_handler(HTTPException)
    async def _http(request: Request, fault: HTTPException) -> Response:
        made, status = _unasked(request, fault)
        return refusal_for(request.scope, made, status) or told(made, status)


def _unasked(request: Request, fault: HTTPException) -> tuple[AnlanError, int | None]:
    """Return what the framework refuses, in three parts, with its status."""
    asked = f"{request.method} {request.url.path[:SHOWN]}"
    if isinstance(fault.__cause__, TooLarge):  # the framework takes it for a body that it cannot read
        return fault.__cause__, None
    if fault.status_code == 404:
        return NotFound(asked, "does not exist", "see /docs"), None
    if fault.status_code == 405:
        return BadInput(asked, "must be asked by another method", "see /docs"), 405
    return BadInput(f"body of {asked}", f"must be readable JSON ({fault.detail})", "see /docs"), fault.status_code


def _misfit(first: dict[str, Any]) -> BadInput:
    """Return what the framework says of a value that does not fit, in three parts."""
    name = ".".join(str(part) for part in first["loc"][1:]) or "body"
    if first["type"] == "missing":
        return BadInput(name, "must be given", "see /docs")
    if first["type"] == "json_invalid":
        return BadInput("body", f"must be JSON ({first['ctx']['error']})", "see /docs")
    shown = repr(first.get("input"))
    value = f"{name}={shown[:SHOWN]}{'...' if len(shown) > SHOWN else ''}"
    return BadInput(value, f"must fit: {first['msg'][:1].lower()}{first['msg'][1:]}", "see /docs")


def _add_page(app: FastAPI, static: Path) -> None:
    @app.head("/", include_in_schema=False)  # whoever watches over the server asks no more than whether it is there
    @app.get("/", include_in_schema=False)
    async def page() -> Response:
        index = static / "index.html"
        built = await asyncio.to_thread(index.is_file)
        return FileResponse(index, headers={"cache-control": ASK_AGAIN}) if built else HTMLResponse(UNBUILT)

    @app.get("/docs", include_in_schema=False)
    async def documentation() -> Response:
        built = await asyncio.to_thread((static / "swagger").is_dir)
        return HTMLResponse(DOCS if built else UNBUILT)

    @app.get("/docs/start.js", include_in_schema=False)
    async def documentation_start() -> Response:
        return Response(DOCS_START, media_type="text/javascript")

    if static.is_dir():
        app.mount("/", Assets(directory=static), name="static")
