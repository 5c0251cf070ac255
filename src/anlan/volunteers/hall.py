"""What everything about volunteers shares: the store, the lists, the areas, the clock, and who is told of changes."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import shapely
import sqlalchemy as sa

from anlan.community import SLOTS, Lists, Pool, Volunteer, read_lists
from anlan.community.lists import FILE
from anlan.community.volunteer import NIGHT
from anlan.kernel.access import Scope
from anlan.kernel.areas import Area
from anlan.kernel.clock import Clock
from anlan.kernel.errors import BadInput, NotAllowed
from anlan.kernel.pack import Pack
from anlan.kernel.records import Change, Draft, Json
from anlan.matters.ground import Ground
from anlan.planning.service_points import Walks, points_of
from anlan.store import Keeping, SqlStore, private
from anlan.store import volunteerbook as book
from anlan.store.casebook import NEVER, Range, Row, micros, moment
from anlan.store.sql import version_of
from anlan.volunteers.sealing import Sealing

Told = Callable[[Sequence[Change]], object]
ANY = frozenset(SLOTS) - {NIGHT}
GROUND = "community_ground"


class Hall:
    """The community of a district. Any thread may call; whoever writes is alone for that moment."""

    def __init__(self, pack: Pack, store: SqlStore, folder: Path, clock: Clock, tell: Told) -> None:
        self.pack = pack
        self.store = store
        self.clock = clock
        self.tell = tell
        self.lists = lists_of(pack)
        self.ground = Ground(pack.areas)
        self.zone = ZoneInfo(pack.time_zone)
        self.sealing = Sealing(folder)
        self.points = points_of(pack, folder)
        self._lock = threading.Lock()
        self._pool: Pool | None = None
        self._homes = tuple(one.area_id for one in pack.areas if self._is_home(one.level))
        self._home_at = {key: k for k, key in enumerate(self._homes)}
        drawn = [pack.projection.project(_drawn(pack, one)) for one in self._homes]
        self._grounds = np.array([*drawn, shapely.Polygon()], dtype=object)  # the last one for homes that have gone
        self._within_m = 2 / 3 * np.sqrt(shapely.area(self._grounds) / np.pi)
        shapely.prepare(self._grounds)
        self._settle()

    def _settle(self) -> None:
        """Bring ranks to the present tree of areas: a scope is a range of them, and must not show another area."""
        kept = self.store.kept(GROUND, "digest")
        if kept and kept[0].body["digest"] == self.ground.digest:
            return
        with self.store.writing() as connection:
            book.rerank(connection, self.ground.rank)
            private.put(connection, [Keeping(kind=GROUND, key="digest", body={"digest": self.ground.digest})])

    @cached_property
    def walks(self) -> Walks:
        """The streets as people walk them to a service point; the first who asks waits a second."""
        return Walks(self.pack)

    # -- areas -----------------------------------------------------------------------------------------------------

    def _is_home(self, level: str) -> bool:
        keys = [one.key for one in self.pack.areas.levels]
        finest = keys.index(self.lists.home_level) if self.lists.home_level in keys else len(keys) - 1
        return keys.index(level) <= finest

    @property
    def homes(self) -> tuple[str, ...]:
        """The areas that a volunteer may name as home."""
        return self._homes

    def known_area(self, area_id: str) -> Area:
        """Return the area by which people know where something is: as fine as a home, and no finer."""
        path = self.pack.areas.path(area_id) if area_id in self.pack.areas else [self.pack.areas.root]
        return next((one for one in reversed(path) if one.area_id in self._home_at), path[0])

    def check_home(self, area_id: str) -> None:
        """Refuse what is no area, or finer than a home may be told."""
        if area_id not in self._home_at:
            rule = f"must be an area of the district, not finer than {self.lists.home_level}"
            raise BadInput(f"home={area_id!r}", rule, "choose one from the list")

    def area_at(self, lon: float, lat: float) -> str:
        """Return the finest area in which a point (degrees) lies; refuse one outside the district."""
        found = self.ground.at(lon, lat) if np.isfinite(lon) and np.isfinite(lat) else None
        if found is None:
            raise BadInput(f"at=({lon}, {lat})", "must lie in the district", "give longitude, latitude inside it")
        return found

    def check_scope(self, scope: Scope, area_id: str) -> None:
        """Refuse an area that is not granted."""
        low, high = self.ground.range_of(area_id)
        if not any(first <= low and high <= last for first, last in self.ground.of_scope(scope)):
            raise NotAllowed(f"area {area_id!r}", "must be granted to you", "ask whoever keeps the accounts")

    def told_area(self, area_id: str) -> str:
        """Return the area under which numbers are kept that name nobody: below the top, and no finer."""
        path = self.pack.areas.path(area_id)
        return path[min(1, len(path) - 1)].area_id

    def ranges(self, scope: Scope) -> tuple[Range, ...]:
        """Return where a right is held, as ranges of ranks."""
        return self.ground.of_scope(scope)

    # -- the log -----------------------------------------------------------------------------------------------------

    def draft(self, connection: sa.Connection, line: tuple[str, str, str], actor: str, body: Json | None) -> Draft:
        """Return a line of the log, (kind, id, action). No volunteer stands in any."""
        kind, key, action = line
        version = version_of(connection, kind, key)
        return Draft(kind=kind, record_id=key, action=action, actor=actor, body=body, expected_version=version)

    def write(self, work: Callable[[sa.Connection, datetime], tuple[list[Draft], Any]]) -> Any:
        """Let ``work`` write, with its lines in the log, all or nothing; tell whoever listens."""

        def together(connection: sa.Connection) -> tuple[list[Draft], Any]:
            return work(connection, self.clock.now())

        changes, made = self.store.together(self.clock.now(), together)
        if changes:
            self.tell(changes)
        return made

    # -- the pool ----------------------------------------------------------------------------------------------------

    def pool(self, connection: sa.Connection, *, alone: bool) -> Pool:
        """Return every volunteer as a call-out weighs them.

        It is kept until somebody comes, goes or changes, where it was read while nobody else could write (``alone``):
        whoever only reads may see the moment before.
        """
        with self._lock:
            found = self._pool or self._read_pool(connection)
            if alone:
                self._pool = found
            return found

    def forget_pool(self) -> None:
        """Read the pool anew when it is asked for."""
        with self._lock:
            self._pool = None

    def _read_pool(self, connection: sa.Connection) -> Pool:
        found: list[Any] = list(book.pool_rows(connection))
        weighed: dict[tuple[str, str], int] = {}

        def bits(kind: str, text: str) -> int:
            key = (kind, text)
            if key not in weighed:
                own = json.loads(text)
                weighed[key] = slots_of(own) if kind == "free" else self.lists.bits(kind, own)
            return weighed[key]

        return Pool(
            number=np.array([one[0] for one in found], np.int64),
            home=np.array([self._home_at.get(one[1], len(self._homes)) for one in found], np.int64),
            skills=np.array([bits("skills", one[2]) for one in found], np.uint64),
            alliances=np.array([bits("alliances", one[3]) for one in found], np.uint64),
            free=np.array([bits("free", one[4]) for one in found], np.uint64),
        )

    def distances_m(self, pool: Pool, lon: float, lat: float) -> npt.NDArray[np.float64]:
        """Return how far from a point (degrees) each in the pool is at home, m; not a number where that has gone.

        It is the way to the edge of their area and two thirds of the radius of a disc as large: on the average so far
        its middle is from its points. So who names a street as home counts as farther than who names a committee.
        """
        x, y = self.pack.projection.to_metres(lon, lat)
        by_area = shapely.distance(self._grounds, shapely.Point(float(x), float(y)))
        return np.asarray((by_area + self._within_m)[pool.home], float)


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What somebody tells of themselves, and may change."""

    shown_name: str
    home_id: str
    skills: Collection[str] = ()
    languages: Collection[str] = ()
    alliances: Collection[str] = ()
    free: Collection[str] = ()
    trade: str | None = None
    contact: str | None = None
    """None leaves it as it is; empty takes it away."""
    spoken: str = "zh"


def lists_of(pack: Pack) -> Lists:
    """Return the lists of a district: those of its own ``community.toml``, the shipped ones where it has none.

    Raises
    ------
    BadInput
        If the file is wrong, or an alliance lies in no area of the district.
    """
    own = None if pack.folder is None else pack.folder / FILE
    text = own.read_text(encoding="utf-8") if own is not None and own.is_file() else ""
    lists = read_lists(text, FILE if own is None else str(own))
    for one in lists.alliances.values():
        if one.area_id not in pack.areas:
            where = f"alliance {one.alliance_id!r} in area {one.area_id!r}"
            raise BadInput(where, "must lie in an area of the district", "correct community.toml")
    return lists


def slots_of(free: Collection[str]) -> int:
    """Return slots as bits; any time but the night where none is told."""
    return sum(1 << SLOTS.index(one) for one in (set(free) & set(SLOTS) or ANY))


def volunteer_of(row: Mapping[str, Any], key: str | None = None) -> Volunteer:
    """Return the volunteer of a row, under another id where one is given."""
    return Volunteer(
        volunteer_id=key or row["volunteer_id"], shown_name=row["shown_name"], home_id=row["home_id"],
        consented_at=_at(row["consented_at"]), skills=frozenset(json.loads(row["skills"])),
        languages=frozenset(json.loads(row["languages"])), alliances=frozenset(json.loads(row["alliances"])),
        trade=row["trade"] or None, free=frozenset(json.loads(row["free"])),
    )  # fmt: skip


def _at(count: int) -> datetime:
    found = moment(count)
    assert found is not None  # noqa: S101 - a consent is always given at a moment
    return found


def set_text(keys: Collection[str]) -> str:
    """Return a set of keys as it is kept."""
    return json.dumps(sorted(set(keys)))


def at_of(count: int | None) -> datetime | None:
    """Return the moment of so many microseconds; None for none and for never."""
    return None if count is None or count >= NEVER else moment(count)


def month_of(hall: Hall, at: datetime) -> str:
    """Return the month of a moment, by the clocks of the district."""
    return f"{at.astimezone(hall.zone):%Y-%m}"


def tally(hall: Hall, connection: sa.Connection, area_id: str, what: str, n: int = 1) -> None:
    """Count something that names nobody."""
    told = hall.told_area(area_id if area_id in hall.pack.areas else hall.ground.root)
    key = (month_of(hall, hall.clock.now()), told, hall.ground.rank(told), what)
    book.count(connection, key, n)


def notify(connection: sa.Connection, rows: Collection[Row], about: tuple[str, int], at: datetime) -> None:
    """Put a message for each of these volunteers who gave a contact into the outbox: (kind, number of the thing)."""
    kind, about_no = about
    wanted = [one for one in rows if one["contact"]]
    if not wanted:
        return
    number = book.next_number(connection, book.message.c.message_no)
    made = [
        {"message_no": number + k, "volunteer_no": one["volunteer_no"], "made_at": micros(at), "about_no": about_no,
         "kind": kind}
        for k, one in enumerate(wanted)
    ]  # fmt: skip
    book.add(connection, book.message, made)


def _drawn(pack: Pack, area_id: str) -> Any:
    """Return the polygon of an area, or of the nearest above it that is drawn."""
    for one in reversed(pack.areas.path(area_id)):
        if one.polygon is not None:
            return one.polygon
    return shapely.Polygon()
