import hashlib
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from io import BytesIO

from PIL import Image
from tests.small import LAT, LON, label, small_pack, square
from tests.store.conftest import on_both, on_sqlite, postgres  # noqa: F401 - a fixture

from anlan.cases import shipped_types
from anlan.cases.replay import LEVELS
from anlan.kernel.access import Access, Actor, Grant
from anlan.kernel.areas import Area, AreaTree, Level
from anlan.kernel.clock import FollowedClock
from anlan.kernel.geo import Projection
from anlan.kernel.records import Calendar, Device, DeviceKind, Place
from anlan.matters import open_matters, standing
from anlan.staff import read_roles
from anlan.store import SqlStore

AT = datetime(2026, 2, 10, 1, tzinfo=UTC)
PLANE = Projection(LON, LAT)
PNG = b"\x89PNG\r\n\x1a\n"
PLAYED = tuple(shipped_types())
"""The types that are played through the store, the API and the terminal."""
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def five_levels(strips=0):
    """Two streets (w, e), each with two grids, each with two committees, each with two micro-grids, side by side.

    Where ``strips`` are given, each committee but the first and the last is cut into so many by so many micro-grids.
    """
    areas = [
        Area(area_id="d", level="district", parent_id=None, name=label("区", "D"), polygon=square(-500, -500, 1000))
    ]

    def halve(parent, level, west, south, width, height):
        if level == len(LEVELS):
            return
        across = level % 2 == 1
        if strips and LEVELS[level] == "micro_grid" and parent not in {"d-w-s-w", "d-e-n-e"}:
            cells = [(i, j) for i in range(strips) for j in range(strips)]
            w, h = width / strips, height / strips
            for i, j in cells:
                own, polygon = f"{parent}-{i}-{j}", square(west + i * w, south + j * h, w, h)
                areas.append(
                    Area(area_id=own, level="micro_grid", parent_id=parent, name=label(own, own), polygon=polygon)
                )
            return
        for k, mark in enumerate("we" if across else "sn"):
            w, h = (width / 2, height) if across else (width, height / 2)
            x, y = west + k * w * across, south + k * h * (not across)
            own = f"{parent}-{mark}"
            areas.append(
                Area(
                    area_id=own, level=LEVELS[level], parent_id=parent, name=label(own, own), polygon=square(x, y, w, h)
                )
            )
            halve(own, level + 1, x, y, w, h)

    halve("d", 1, -500, -500, 1000, 1000)
    return AreaTree([Level(key=one, label=label(one, one)) for one in LEVELS], areas)


def with_bund(pack):
    """The district with what the example of a planned event names: two stretches of a promenade, and a view of one."""
    grounds = [("bund-promenade", "滩北", -480), ("bund-chenyi", "滩南", -380)]
    places = [
        Place(place_id=name, name=label(zh, name), kind="promenade", polygon=square(west, -480, 90), capacity=9000)
        for name, zh, west in grounds
    ]
    view = Device(
        device_id="bund-promenade-view-1", kind=DeviceKind.AREA, name=label("滩眼", "View of the promenade"),
        geometry=square(-470, -470, 60), place_id="bund-promenade",
    )  # fmt: skip
    return replace(pack, places=(*pack.places, *places), devices=(*pack.devices, view))


def tall_pack(strips=0, **more):
    """The small district with five levels of areas, and Shanghai's spring of 2026."""
    rest = {date(2026, 2, day): label("春节", "Spring Festival") for day in range(15, 24)}
    worked = {date(2026, 2, day): label("调休上班", "make-up day") for day in (14, 28)}
    calendar = Calendar(rest_days=rest, working_days=worked, confirmed_years=frozenset({2026}))
    return replace(with_bund(small_pack()), areas=five_levels(strips), calendar=calendar, **more)


def wide_pack():
    """The same with ten thousand micro-grids."""
    made = tall_pack(strips=41)
    assert len(made.areas.of_level("micro_grid")) > 10_000
    return made


class Kept:
    """The cases of the tall district in a store, with a clock that the test sets."""

    def __init__(self, folder, url, pack=None):
        self.folder, self.url = folder, url
        self.pack = pack or tall_pack()
        self.clock = FollowedClock(AT)
        self.told = []
        self.access = Access(read_roles(), self.pack.areas)
        self.open()

    def open(self):
        self.store = SqlStore.open(self.url)
        self.matters = open_matters(self.pack, self.store, self.folder, self.clock, self.told.extend)

    def again(self):
        """Close and open: a restart."""
        self.store.close()
        self.open()

    def wait(self, **much):
        self.clock.set(self.clock.now() + timedelta(**much))

    def who(self, name, *roles, area="d", office=""):
        grants = tuple(
            Grant(role_id=one, area_id=area, from_at=LONG_AGO, office_id=office or f"office of {name}") for one in roles
        )
        return standing(self.access, Actor(actor_id=name, grants=grants), AT)

    def holding(self, name, *rights, area="d"):
        """Somebody with plain rights, as a key has."""
        grant = Grant(role_id="", area_id=area, from_at=LONG_AGO)
        both = frozenset({"cases.read", "cases.act", *rights})
        return standing(self.access, Actor(actor_id=name, grants=(grant,), rights=both), AT)

    def reading(self, name):
        """Somebody who reads everywhere and acts nowhere, as a key may."""
        grant = Grant(role_id="", area_id="d", from_at=LONG_AGO)
        return standing(self.access, Actor(actor_id=name, grants=(grant,), rights=frozenset({"cases.read"})), AT)

    def photo(self, who, mark):
        """Store a picture of one's own; return its digest."""
        return self.matters.room.put(picture(mark), who.actor_id)


def picture(mark="x"):
    shade = hashlib.sha256(mark.encode()).digest()
    image = Image.new("RGB", (8, 8), tuple(shade[:3]))
    written = BytesIO()
    image.save(written, "PNG")
    return written.getvalue()


kept, lite = on_both(Kept), on_sqlite(Kept)


def ground_point(area_id):
    """Return a point (lon, lat) inside an area."""
    found = next(one for one in five_levels() if one.area_id == area_id)
    point = found.polygon.representative_point()
    return point.x, point.y
