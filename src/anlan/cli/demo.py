"""The demo: a district that is played, beside the very server that a real one has."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import threading
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from anlan.cli import say
from anlan.cli.districts import scenario_of
from anlan.cli.serving import HOST, Minutes, run_server
from anlan.cli.staged import stage
from anlan.cli.terminal import everything, state_folder
from anlan.command import views
from anlan.district import District
from anlan.ingest import EmbeddedBroker, read_observations
from anlan.kernel.clock import FollowedClock, parse_moment
from anlan.kernel.errors import BadInput, Conflict, NotFound
from anlan.kernel.pack import Pack
from anlan.pack import find_pack, propose_devices, propose_places, read_pack, write_pack
from anlan.staff import Staff, read_roles
from anlan.twin import scenarios
from anlan.volunteers.joining import Invitation, invite

DEVICES = 106
MARK = ".anlan-demo"
"""Stands in a folder that a demo made, so that no other folder is ever emptied."""


@dataclass(frozen=True, slots=True)
class Show:
    """What is played."""

    scenario: str | None
    speed: float
    replay: Path | None
    begin_at: datetime | None
    seed: int
    closed: bool
    """Only those who sign in may look; otherwise everybody may do everything, for nothing of it is real."""


class Demo:
    """Opens a fresh district, plays it by another program that speaks MQTT, and serves the page.

    It implements the server's Simulation port: the page may change scenario, speed and pause.
    """

    def __init__(self, district: str, show: Show, listener: socket.socket, folder: Path | None = None) -> None:
        self._listener = listener
        self._show = show
        self._folder = _fresh(folder, district)
        self._pack, self._pack_folder, self._told = _ready(
            find_pack(district), self._folder, played=show.replay is None
        )
        self._scenarios = scenarios(self._pack)
        self._scenario = scenario_of(self._pack, show.scenario)
        self._clock = FollowedClock(show.begin_at or self._first_moment())
        self._district = District.open(self._pack, self._folder / "data", clock=self._clock)
        self._staff = Staff(self._district.store, read_roles(find_pack(district)), self._pack.areas)
        self._minutes = Minutes(self._district)
        self._broker = EmbeddedBroker(HOST, 0, self._district.door)
        self._player: subprocess.Popen[str] | None = None
        self._crews: subprocess.Popen[bytes] | None = None
        self._lock = threading.RLock()
        self._line: dict[str, Any] = {}
        self._fault: str | None = None
        self._speed, self._paused = show.speed, False

    def run(self) -> None:
        """Serve until interrupted."""
        try:
            run_server(
                self._minutes,
                self._listener,
                broker=self._broker,
                staff=self._staff,
                simulation=self,
                guest=None
                if self._show.closed
                else everything("guest", self._pack.areas, self._district.matters.kinds.rights()),
                ready=self._begin,
            )
        finally:
            self._end_player()
            self._end_crews()
            self._district.close()

    # -- the Simulation port ---------------------------------------------------------------------------------------

    def status(self) -> dict[str, Any]:
        """Return what is played, and how fast."""
        return {
            "kind": "replay" if self._show.replay else "twin",
            "scenario": None if self._show.replay else self._scenario.scenario_id,
            "scenarios": []
            if self._show.replay
            else [{"id": one.scenario_id, "name": dict(one.name)} for one in self._scenarios],
            "speed": self._speed,
            "paused": self._paused,
            "rushing": bool(self._line.get("rushing", True)),
            "lag_s": self._line.get("lag_s"),
            "now": views.moment(self._clock.now()),
            "fault": self._fault,
        }

    def control(self, scenario: str | None, speed: float | None, paused: bool | None) -> dict[str, Any]:  # noqa: FBT001 - the port says so
        """Change scenario, speed or pause."""
        with self._lock:
            if scenario is not None and self._show.replay:
                raise Conflict("a recording", "has no other scenario", "start anlan demo without --replay")
            if speed is not None:
                self._speed = speed
            if paused is not None:
                self._paused = paused
            if scenario is not None and scenario != self._scenario.scenario_id:
                self._scenario = scenario_of(self._pack, scenario)
                self._end_player()
                self._clock.set(self._scenario.opens_at - timedelta(minutes=20))
                self._district.reset_estimates()
                self._begin_player()
            else:
                self._tell({"speed": self._speed, "paused": self._paused})
        return self.status()

    # -- the player ------------------------------------------------------------------------------------------------

    def _first_moment(self) -> datetime:
        if self._show.replay is None:
            return self._scenario.opens_at - timedelta(minutes=20)
        first = next(iter(read_observations(self._show.replay, ())), None)
        if first is None:
            raise BadInput(f"{self._show.replay}", "must hold observations", "choose another recording")
        return first.begin_at

    def _begin(self) -> None:
        url = f"http://{HOST}:{self._listener.getsockname()[1]}"
        say.out.print(f"\n  [bold]安澜 Anlan[/]  {self._pack.name.get('zh', '')} {self._pack.name.get('en', '')}")
        what = "a recording" if self._show.replay else "a simulated day"
        say.out.print(f"  [bold green]{url}[/]   plays {what}")
        if self._show.closed:
            now = datetime.now(UTC)
            account = self._staff.open_account("demo", "Demo 演示", None, "terminal", now)
            self._staff.found(account.account_id, now)
            link = self._staff.link(account.account_id, "terminal", now)
            say.out.print(f"  Sign in, once, by [bold]{url}/#enter={link}[/]", soft_wrap=True)
        say.out.print(f"  Its devices publish to mqtt://{HOST}:{self._broker.port}", soft_wrap=True)
        poster = Invitation(label="demo", area_id=self._pack.areas.root.area_id)
        joining = invite(self._district.community, poster, "terminal")[1]
        say.out.print(f"  Join the volunteers by [bold]{url}/v/join/{joining}[/]", soft_wrap=True)
        if self._show.replay is None:
            stage(self._district, Random(self._show.seed))  # noqa: S311 - seeded, so that a day is the same again
        for line in self._told:
            say.out.print(f"  {line}")
        say.out.print("  Ctrl-C ends it.\n")
        with self._lock:
            self._begin_player()
        if self._show.replay is None and self._pack.units:
            self._crews = subprocess.Popen(  # noqa: S603 - ourselves
                [sys.executable, "-m", "anlan", "twin", "crews", "--district", str(self._pack_folder), "--url", url],
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )

    def _begin_player(self) -> None:
        broker = f"mqtt://{HOST}:{self._broker.port}"
        show = self._show
        if show.replay is not None:
            ask = ["observations", "replay", str(show.replay), "--mqtt", broker]
            ask += ["--from", self._clock.now().isoformat()]
        else:
            ask = ["twin", "run", "--district", str(self._pack_folder), "--mqtt", broker, "--seed", str(show.seed)]
            ask += ["--scenario", self._scenario.scenario_id]
            if show.begin_at is not None:
                ask += ["--start", show.begin_at.isoformat()]
        ask += ["--speed", str(self._speed)]
        self._fault, self._line = None, {}
        player = subprocess.Popen(  # noqa: S603 - ourselves
            [sys.executable, "-m", "anlan", *ask],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C is for us; we end it
        )
        self._player = player
        threading.Thread(target=self._follow, args=(player,), name="follow", daemon=True).start()
        if self._paused:
            self._tell({"paused": True})

    def _follow(self, player: subprocess.Popen[str]) -> None:
        """Take the player's time as the district's."""
        assert player.stdout is not None  # noqa: S101 - it was asked for above
        for text in player.stdout:
            line = json.loads(text)
            with self._lock:  # a line of the day before must not set the clock of the next
                if player is not self._player:
                    return
                self._line = line
                self._clock.set(parse_moment(line["at"]))
            self._minutes.wake()
        if player is self._player and player.wait() not in {0, -15}:
            self._fault = f"the player ended with {player.returncode}"
            say.err.print(f"[red]{self._fault}; its last words stand above. The page goes on with what there is.[/]")

    def _tell(self, control: dict[str, Any]) -> None:
        player = self._player
        if player is not None and player.stdin is not None and player.poll() is None:
            player.stdin.write(json.dumps(control) + "\n")
            player.stdin.flush()

    def _end_crews(self) -> None:
        crews, self._crews = self._crews, None
        if crews is not None:
            crews.terminate()
            try:
                crews.wait(3)
            except subprocess.TimeoutExpired:
                crews.kill()
                crews.wait()

    def _end_player(self) -> None:
        player, self._player = self._player, None
        if player is None:
            return
        player.terminate()
        try:
            player.wait(3)
        except subprocess.TimeoutExpired:
            player.kill()
            player.wait()
        for pipe in (player.stdin, player.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:
                    continue


def _fresh(chosen: Path | None, district: str) -> Path:
    """Return an empty folder for the demo; one that no demo made is never emptied."""
    name = Path(district).name or "district"
    folder = chosen or state_folder() / f"demo-{name}"
    if folder.exists() and any(folder.iterdir()):
        if not (folder / MARK).is_file():
            raise Conflict(f"folder {folder}", "must be empty, or made by a demo", "choose another with --data")
        _check_unused(folder)
        cells = folder / "data" / "cells.npz"
        kept = cells.read_bytes() if cells.is_file() else None
        shutil.rmtree(folder)
        if kept is not None:  # laying the cells again would cost seconds; they are checked against the pack
            cells.parent.mkdir(parents=True)
            cells.write_bytes(kept)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARK).write_text("made by anlan demo, and emptied by the next one\n", encoding="utf-8")
    return folder


def _check_unused(folder: Path) -> None:
    """Refuse to empty a folder that a running demo holds."""
    from anlan.store import DuckHistory

    if (folder / "data" / "history.duckdb").is_file():
        DuckHistory.open(folder / "data").close()


def _ready(path: Path, folder: Path, *, played: bool) -> tuple[Pack, Path, list[str]]:
    """Return a pack that can be played; one without places or devices gets proposed ones, in a copy of our own."""
    pack = read_pack(path)
    told = []
    if played and not pack.devices:
        if not pack.places:
            pack = propose_places(pack)
            told.append(f"The pack names no place: {len(pack.places)} were proposed along its widest streets.")
        pack = propose_devices(pack, DEVICES, np.random.default_rng(1))
        told.append(f"The pack has no device: {DEVICES} simulated counters and a location grid were placed.")
        copy = folder / "pack"
        write_pack(pack, copy)
        extra = path / "twin.toml"
        if extra.is_file():
            shutil.copy(extra, copy)
        return replace(read_pack(copy), folder=copy), copy, told
    if not pack.devices:
        raise NotFound(
            f"pack {pack.pack_id!r}", "has no device that a recording could speak for", "add devices.geojson"
        )
    return pack, path, told
