"""The crews of a played district as a program of their own: they ask a running server what to do, and report to it.

They know nothing that a unit's terminal would not know, and speak nothing but HTTP.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from anlan.cli import say
from anlan.cli.asking import USUAL, Server
from anlan.cli.districts import District
from anlan.kernel.clock import parse_moment
from anlan.kernel.errors import AnlanError, Unavailable

if TYPE_CHECKING:
    from anlan.twin.crews import Crews, Order, Saying

ASKED_EVERY_S = 0.35
PATIENCE = 20


def crews(
    district: District,
    url: Annotated[str, typer.Option(help="A running server.", envvar="ANLAN_URL")] = USUAL,
    seed: Annotated[int, typer.Option(help="The same seed draws the same paces.")] = 1,
) -> None:
    """Play the crews of a district: they go where they are sent, along the streets, and say where they are."""
    import numpy as np

    from anlan.pack import find_pack, read_pack
    from anlan.twin.crews import Crews

    pack = read_pack(find_pack(district))

    def fresh() -> Crews:
        return Crews(pack, np.random.default_rng(seed))

    Patrols(Server(url), fresh).run()


class Patrols:
    """Asks, moves and reports until the server is gone."""

    def __init__(self, server: Server, fresh: Callable[[], Crews]) -> None:
        self._server = server
        self._fresh = fresh
        self._crews = fresh()
        self._at: datetime | None = None

    def run(self) -> None:
        """Go on until the server has not answered for some seconds."""
        silent = 0
        while silent < PATIENCE:
            try:
                self.once()
                silent = 0
            except Unavailable:
                silent += 1
            except AnlanError as fault:  # a step that somebody else was sooner with: the next answer tells
                say.err.print(f"{fault}", soft_wrap=True)
            time.sleep(ASKED_EVERY_S)

    def once(self) -> int:
        """Ask, let the crews move to the district's time, and report; return how much was said."""
        told = self._server.ask("/units")
        at = parse_moment(told["at"])
        if self._at is not None and at < self._at:  # the district began another day
            self._crews = self._fresh()
        if self._at == at:
            return 0
        self._at = at
        targets = {one["id"]: tuple(one["at"]) for one in self._server.ask("/incidents")["incidents"]}
        posts = {one["id"]: tuple(one["at"]) for one in told["posts"]}
        said = self._crews.advance(at, [_order(unit, targets, posts) for unit in told["units"]])
        self._report([one for one in said if one.position is not None])
        for one in said:
            if one.status is not None:
                body = {"status": one.status, "at": one.at.isoformat(), "outcome": one.outcome}
                self._server.ask(f"/units/{one.unit_id}/status", body)
        return len(said)

    def _report(self, said: list[Saying]) -> None:
        if not said:
            return
        told = [
            {"unit": one.unit_id, "at": one.at.isoformat(), "lon": one.position[0], "lat": one.position[1]}
            for one in said
            if one.position is not None
        ]
        self._server.ask("/units/positions", {"positions": told})


def _order(unit: dict[str, Any], targets: dict[str, Any], posts: dict[str, Any]) -> Order:
    from anlan.twin.crews import Order

    return Order(
        unit_id=unit["id"],
        kind=unit["kind"],
        status=unit["status"],
        incident_id=unit["incident"],
        towards=targets.get(unit["incident"]) if unit["incident"] else posts.get(unit["post"]),
        here=None if unit["at"] is None else tuple(unit["at"]),
    )
