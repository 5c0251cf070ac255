"""Community: how long a district with 20,000 volunteers waits for a call-out, a page, a leaver and a map of walks."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from anlan.community import Reply
from anlan.kernel.access import Scope
from anlan.kernel.clock import FollowedClock
from anlan.pack import find_pack, read_pack
from anlan.planning.service_points import Walks
from anlan.store import SqlStore
from anlan.store import volunteerbook as book
from anlan.volunteers import Hall, Profile, Wanted, beat, call_out
from anlan.volunteers.calling import answers_of, asked_of, choose, one_call_out, reply
from anlan.volunteers.joining import Invitation, invite, join, leave, who
from row import Row

AT = datetime(2026, 12, 30, 2, tzinfo=UTC)
EVERYWHERE = Scope(True, frozenset())
N = 20_000
SPOT = (121.4925, 31.227)


def fill(hall: Hall, n: int) -> str:
    """Let one join as everybody does, and the rest as copies of the row at other homes; return the one's token."""
    rng = np.random.default_rng(5)
    token = join(
        hall, invite(hall, Invitation(label="bench", area_id=hall.ground.root), "bench")[1],
        Profile(shown_name="one", home_id=hall.homes[-1], skills=("first_aid",)),
    )  # fmt: skip
    committees = [one for one in hall.homes if hall.pack.areas.area(one).level == "committee"]
    with hall.store.writing() as connection:
        first = book.rows(connection, book.volunteer)[0]
        more = [
            first | {"volunteer_no": k, "volunteer_id": f"v{k}", "token_key": f"t{k}",
                     "home_id": committees[rng.integers(len(committees))]}
            for k in range(2, n + 1)
        ]  # fmt: skip
        for low in range(0, len(more), 1000):
            book.add(connection, book.volunteer, more[low : low + 1000])
    hall.forget_pool()
    return token


def median_ms(step: Callable[[], object], n: int) -> float:
    """Return the median time of a step, ms."""
    taken = []
    for _ in range(n):
        begun = time.perf_counter()
        step()
        taken.append(1e3 * (time.perf_counter() - begun))
    return float(np.median(taken))


def evening(hall: Hall, clock: FollowedClock) -> tuple[int, int, int]:
    """Play a call-out of twelve at a place where half of those asked come; return its yeses, asked and waves."""
    rng = np.random.default_rng(6)
    key = call_out(hall, Wanted(lon=SPOT[0], lat=SPOT[1], quota=12, words="bench"), EVERYWHERE, "bench")["call_out_id"]
    answered: set[int] = set()
    for _ in range(40):
        with hall.store.reading() as connection:
            numbers = [one["volunteer_no"] for one in book.rows(connection, book.ask) if not one["reply"]]
        for number in numbers:
            open_to = [call["call_out_id"] for call, _ in asked_of(hall, number)]
            if number in answered or key not in open_to or rng.random() < 0.4:
                continue
            answered.add(number)
            if one_call_out(hall, key, EVERYWHERE)[0]["state"] == "open":
                reply(hall, number, key, Reply.YES if rng.random() < 0.5 else Reply.NO)
        clock.set(clock.now() + timedelta(seconds=61))
        beat(hall)
    row = one_call_out(hall, key, EVERYWHERE)[0]
    return row["n_yes"], row["n_asked"], row["wave"]


def rows(quick: bool, say: Callable[[str], None]) -> Iterator[Row]:  # noqa: FBT001 - the runner's port
    """Yield the rows of the table."""
    pack, clock = read_pack(find_pack("huangpu")), FollowedClock(AT)
    n = 2_000 if quick else N
    with tempfile.TemporaryDirectory() as folder:
        store = SqlStore.open(f"sqlite:///{Path(folder) / 'records.db'}")
        hall = Hall(pack, store, Path(folder), clock, lambda _changes: None)
        say(f"filling {n:,} volunteers")
        token = fill(hall, n)
        with store.reading() as connection:
            read_ms = median_ms(lambda: hall.pool(connection, alone=False), 3)
        row = call_out(hall, Wanted(lon=SPOT[0], lat=SPOT[1], quota=12, words="bench"), EVERYWHERE, "bench")
        with store.reading() as connection:
            told = (hall.pool(connection, alone=False), answers_of(row, [], AT))
            pick_ms = median_ms(lambda: choose(hall, connection, row, told, AT), 50)
        yield Row(
            id="7.1",
            what=f"whom to ask next, of {n:,} volunteers",
            value=pick_ms,
            unit="ms",
            goal="<= 10",
            ok=pick_ms <= 10,
        )
        yield Row(id="7.2", what=f"the same after somebody joined: {n:,} are read anew", value=read_ms, unit="ms")
        n_yes, n_asked, n_waves = evening(hall, clock)
        yield Row(
            id="7.3",
            what="come of a quota of 12, where half of those asked would",
            value=n_yes,
            unit="people",
            goal="= 12",
            ok=n_yes == 12,
        )
        yield Row(id="7.4", what=f"were asked for it, in {n_waves} looks", value=n_asked, unit="people")
        number = who(hall, token)["volunteer_no"]
        page_ms = median_ms(lambda: (who(hall, token), asked_of(hall, number)), 50)
        yield Row(id="7.5", what="a volunteer's page finds who asks, and what they are asked", value=page_ms, unit="ms")
        leave_ms = median_ms(lambda: leave(hall, number), 1)
        yield Row(id="7.6", what="one leaves: every table and the file", value=leave_ms, unit="ms")
        store.close()
    say("walking to service points")
    walks = Walks(pack)
    points = hall.points
    walks.coverage(points)
    walk_ms = median_ms(lambda: walks.coverage(points), 3)
    yield Row(
        id="7.7", what=f"who lives within a walk of {len(points)} points, 171 committees", value=walk_ms, unit="ms"
    )
