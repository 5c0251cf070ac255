from dataclasses import replace
from datetime import UTC, datetime, timedelta

from shapely.geometry import Point
from tests.matters.conftest import five_levels
from tests.small import PLANE, small_pack
from tests.store.conftest import on_both, on_sqlite, postgres  # noqa: F401 - a fixture

from anlan.kernel.access import Scope
from anlan.kernel.clock import FollowedClock
from anlan.store import SqlStore
from anlan.volunteers import Hall, Profile
from anlan.volunteers.joining import Invitation, invite, join, who
from anlan.volunteers.rostering import NewShift, plan

AT = datetime(2026, 12, 7, 2, 0, tzinfo=UTC)
"""A Monday, ten in the morning in Shanghai."""
EVERYWHERE = Scope(True, frozenset())
HOUR = timedelta(hours=1)
LISTS = """
[alliances]
silk = { name = { zh = "丝绸联盟", en = "Silk alliance" }, trade = "retail", area = "d-w" }
gold = { name = { zh = "金店联盟", en = "Gold alliance" }, trade = "jewellery", area = "d-e" }
"""


def community_pack(folder):
    """The small district with five levels of areas and two alliances."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "community.toml").write_text(LISTS, encoding="utf-8")
    return replace(small_pack(), areas=five_levels(), folder=folder)


def spot(x_m, y_m):
    """Return degrees of metres from the middle."""
    made = PLANE.unproject(Point(x_m, y_m))
    return made.x, made.y


class Kept:
    """The community of a small district in a store, with a clock that the test sets."""

    def __init__(self, folder, url):
        self.folder, self.url = folder, url
        self.pack = community_pack(folder / "pack")
        self.clock = FollowedClock(AT)
        self.told = []
        self.open()

    def open(self):
        self.store = SqlStore.open(self.url)
        self.hall = Hall(self.pack, self.store, self.folder, self.clock, self.told.extend)
        self.invitation = None

    def again(self):
        """Close and open: a restart."""
        self.store.close()
        self.open()

    def wait(self, **much):
        self.clock.set(self.clock.now() + timedelta(**much))

    def joined(self, name="Li", home="d-w-s-w", **more):
        """Let somebody join; return their number."""
        return who(self.hall, self.token(name, home, **more))["volunteer_no"]

    def token(self, name="Li", home="d-w-s-w", **more):
        if self.invitation is None:
            self.invitation = invite(self.hall, Invitation(label="poster", area_id="d", days=400, most=5000), "test")[1]
        return join(self.hall, self.invitation, Profile(shown_name=name, home_id=home, **more))

    def shift(self, begin_h=24.0, length_h=4.0, at=(-300, -300), places=2, **more):
        """Plan a shift; return its id."""
        lon, lat = spot(*at)
        begin = self.clock.now() + begin_h * HOUR
        new = NewShift(
            name={"zh": "引导", "en": "Guide"}, lon=lon, lat=lat, begin_at=begin, end_at=begin + length_h * HOUR,
            places=places, **more,
        )  # fmt: skip
        return plan(self.hall, new, EVERYWHERE, "test")


kept, lite = on_both(Kept), on_sqlite(Kept)
