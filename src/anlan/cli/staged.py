"""What a demo has beside people who walk: volunteers, shifts and cases, all of them made up here.

Nobody stands behind a name: it is a team's and a number. What is drawn comes from the generator that is handed in.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from io import BytesIO
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from PIL import Image, ImageDraw

from anlan.cases import Action
from anlan.cli.terminal import everything
from anlan.district import District
from anlan.kernel.access import Access, Scope
from anlan.kernel.errors import AnlanError
from anlan.kernel.records import Place
from anlan.matters import NewCase, Standing, standing
from anlan.staff import read_roles
from anlan.volunteers import Profile
from anlan.volunteers.hall import Hall
from anlan.volunteers.joining import Invitation, invite, join, who
from anlan.volunteers.rostering import NewShift, enter, plan

N_VOLUNTEERS, N_SHIFTS = 90, 6
TEAMS = ("蓝马甲", "银杏", "江畔", "红帽", "晨光", "弄堂")
REQUESTS = (
    ("light", "路灯不亮，走过时看不清台阶", ("assign", "accept")),
    ("road", "人行道砖松动，雨后积水", ("assign",)),
    ("waste", "垃圾桶满溢，节日人多", ("assign", "accept")),
    ("noise", "夜间装卸货噪声大", ()),
    ("safety", "护栏缺了一段，人多时危险", ("assign",)),
    ("other", "指路牌被树枝遮住", ()),
    ("light", "弄堂口灯一亮一灭", ()),
    ("road", "井盖松动，车过有响声", ("assign", "accept")),
)
HAZARDS = (("barrier", "patrol"), ("lighting", "patrol"), ("fire_door", "patrol"))
EVENT_STEPS: tuple[tuple[str, str, tuple[str, ...], dict[str, str]], ...] = (
    ("plan", "planner", (), {}),
    ("submit", "planner", ("map",), {}),
    ("permit", "authority", (), {"authority": "city"}),
    ("rehearse", "commander", ("rehearsal",), {"rehearsal_result": "passed"}),
    ("declare_ready", "observer", (), {}),
    ("begin", "commander", (), {}),
)
EVERYWHERE = Scope(True, frozenset())
TERMINAL = "terminal"


def stage(district: District, rng: Random) -> None:
    """Put volunteers with their shifts, and cases on their way, into a district that is played."""
    hall = district.community
    numbers = _volunteers(hall, rng)
    places = [one for one in district.pack.places if hall.ground.at(*_middle(one)) is not None]
    if places:
        _shifts(hall, places, numbers, rng)
        _cases(district, places, rng)
        _event(district, places)


def _volunteers(hall: Hall, rng: Random) -> list[int]:
    poster = Invitation(label="demo", area_id=hall.ground.root, days=400, most=N_VOLUNTEERS)
    token = invite(hall, poster, TERMINAL)[1]
    lists, numbers = hall.lists, []
    for k in range(N_VOLUNTEERS):
        alliance = rng.choice(sorted(lists.alliances)) if lists.alliances else None
        profile = Profile(
            shown_name=f"{TEAMS[k % len(TEAMS)]} {k // len(TEAMS) + 1:02d}", home_id=rng.choice(sorted(hall.homes)),
            skills=rng.sample(sorted(lists.skills), k=rng.randint(0, min(2, len(lists.skills)))),
            languages=sorted(lists.languages)[:1], alliances=() if alliance is None else (alliance,),
            trade=None if alliance is None else lists.alliances[alliance].trade,
        )  # fmt: skip
        numbers.append(int(who(hall, join(hall, token, profile))["volunteer_no"]))
    return numbers


def _shifts(hall: Hall, places: list[Place], numbers: list[int], rng: Random) -> None:
    first_at = hall.clock.now().replace(minute=0, second=0, microsecond=0) + timedelta(hours=2)
    for k in range(N_SHIFTS):
        place = places[k % len(places)]
        lon, lat = _middle(place)
        begin_at = first_at + timedelta(hours=12 * (k // 2))
        name = {key: f"{text} {'引导' if key == 'zh' else 'guides'}" for key, text in place.name.items()}
        new = NewShift(
            name={key: text[:40] for key, text in name.items()}, lon=lon, lat=lat, begin_at=begin_at,
            end_at=begin_at + timedelta(hours=4), places=8, needs={},
        )  # fmt: skip
        shift_id = plan(hall, new, EVERYWHERE, TERMINAL)
        for number in rng.sample(numbers, k=rng.randint(4, 11)):
            try:
                enter(hall, number, shift_id)
            except AnlanError:  # too soon after another of theirs: that is the rule, and the next one is asked
                continue


def _cases(district: District, places: list[Place], rng: Random) -> None:
    desk = _desk(district)
    on = district.clock.now().astimezone(ZoneInfo(district.pack.time_zone)).date()
    for kind, what, steps in REQUESTS:
        lon, lat = _middle(rng.choice(places))
        _begun(district, desk, NewCase(
            type_id="resident_request", lon=lon, lat=lat, filled={"kind": kind, "source": "hotline", "what": what}
        ), steps)  # fmt: skip
    for kind, source in HAZARDS:
        lon, lat = _middle(rng.choice(places))
        new = NewCase(type_id="hazard", lon=lon, lat=lat, filled={"kind": kind, "source": source})
        _begun(district, desk, new, ())
    for k, topic in enumerate(("crowd", "fire", "first_aid")):
        lon, lat = _middle(rng.choice(places))
        filled: dict[str, Any] = {
            "topic": topic, "form": "class", "audience": "residents", "held_on": str(on + timedelta(days=3 + 4 * k)),
        }  # fmt: skip
        _begun(district, desk, NewCase(type_id="public_class", lon=lon, lat=lat, filled=filled), ())


def _event(district: District, places: list[Place]) -> None:
    """Let an event run whose zones are the largest places that are counted: its triggers can be seen at work."""
    kind = district.matters.kinds.in_force.get("planned_event")
    grounds = sorted((one for one in places if one.capacity), key=lambda one: -(one.capacity or 0))[:2]
    if kind is None or not grounds or kind.entry_level not in {one.key for one in district.pack.areas.levels}:
        return
    at = district.clock.now()
    zones: list[dict[str, Any]] = []
    for mark, place in zip("AB", grounds, strict=False):
        m2 = district.pack.projection.project(place.polygon).area * place.walkable_share
        zones.append({
            "zone": mark, "ground": f"place:{place.place_id}", "capacity": int(place.capacity or 1),
            "area_m2": round(m2), "most_per_m2": 3.5,
        })  # fmt: skip
    triggers = [
        {"zone": "A", "measure": "density_per_m2", "above": above, "for_min": 3, "action": action, "office": office}
        for above, action, office in (
            (0.5, "增派引导，提示绕行", "现场带班"),
            (2.5, "单向通行，暂停进入", "现场指挥长"),
        )
    ]
    first, second = kind.fields["parts"], kind.fields["headings"]
    chain = {"district": "district_centre", "street": "station_room", "grid": "station_room", "committee": "mobile",
             "micro_grid": "mobile"}  # fmt: skip
    seen = [one.device_id for one in district.pack.devices if one.place_id == grounds[0].place_id][:1]
    filled: dict[str, Any] = {
        "title": "演示：节日人群安全", "kind": "holiday", "organised": False, "venue": grounds[0].name.get("zh", "A"),
        "n_expected": 20_000, "begins_at": (at + timedelta(hours=1)).isoformat(),
        "ends_at": (at + timedelta(hours=8)).isoformat(),
        "parts": [{"part": one, "answer": "演示"} for one in first.columns["part"].options],
        "headings": [{"heading": one, "applies": True, "answer": "演示"} for one in second.columns["heading"].options],
        "zones": zones, "triggers": triggers,
        "devices": [{"device": one, "zone": "A", "measure": "density_per_m2", "limit": 0.5} for one in seen],
        "staffing": [{"zone": "A", "shift": "18:00-02:00", "duty": "引导", "n_staff": 40, "n_volunteers": 20}],
        "chain": [{"platform": one, "level": level, "duty": "演示"} for level, one in chain.items()],
    }  # fmt: skip
    if not seen:
        return
    lon, lat = _middle(grounds[0])
    new = NewCase(type_id="planned_event", lon=lon, lat=lat, filled=filled)
    case_id = district.matters.open(new, _desk(district, "demo-planner")).case_id
    for step, office, files, told in EVENT_STEPS:
        by = _desk(district, f"demo-{office}")
        evidence = {one: district.matters.room.put(_blank(one), by.actor_id) for one in files}
        district.matters.act(case_id, Action(transition=step, filled=told, evidence=evidence), by)


def _blank(what: str) -> bytes:
    """Return a picture that says that nothing real is on it."""
    image, written = Image.new("RGB", (480, 120), "white"), BytesIO()
    ImageDraw.Draw(image).text((20, 50), f"demo: {what}", fill="black")
    image.save(written, "PNG")
    return written.getvalue()


def _begun(district: District, desk: Standing, new: NewCase, steps: tuple[str, ...]) -> None:
    """Open a case and take its first steps, where the district has such a type and the areas that it asks for."""
    kind = district.matters.kinds.in_force.get(new.type_id)
    if kind is None or not {kind.entry_level, kind.owner_level} <= {one.key for one in district.pack.areas.levels}:
        return
    made = district.matters.open(new, desk)
    for step in steps:
        district.matters.act(made.case_id, Action(transition=step), desk)


def _desk(district: District, name: str = TERMINAL) -> Standing:
    """Return the standing of a terminal that may do everything."""
    actor = everything(name, district.pack.areas, district.matters.kinds.rights())
    return standing(Access(read_roles(), district.pack.areas), actor, datetime.now(UTC))


def _middle(place: Place) -> tuple[float, float]:
    point = place.polygon.representative_point()
    return point.x, point.y
