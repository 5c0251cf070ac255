"""What the vendors' formats share: which device a counter belongs to, when it was, and what it counts here.

A format only reads (:class:`Format`); this room turns what it read into observations.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from anlan.ingest.meters import MOST_PER_S, WIDTHS, Gauge, Meter
from anlan.ingest.wire import FAULTS, MOST, Decoded
from anlan.kernel.errors import BadInput
from anlan.kernel.ingress import Refusal, RefusalCode
from anlan.kernel.records import Observation

AHEAD = timedelta(seconds=60)
"""A total from further ahead is not subtracted from: it would make every true one after it a total of the past."""
UNREADABLE = (*FAULTS, ValueError, KeyError, TypeError, AttributeError, ArithmeticError)
"""What reading a message of another shape can raise beside our own errors."""
EPOCH, CLOCK_EPOCH = datetime(1970, 1, 1, tzinfo=UTC), datetime(1970, 1, 1)  # noqa: DTZ001 - as a device's clock shows it
FORMS = ({"in", "out"}, {"passed"}, {"present"})


class Counted(msgspec.Struct, frozen=True, gc=False):
    """One number of a message. ``begin_at`` tells a count of a window; without it the number is a running total.

    A number of people in view is neither: the mapping knows it by ``present``. A moment without zone is local to the
    device; None is the moment at which the message came.
    """

    counter: str
    number: int
    end_at: datetime | None = None
    begin_at: datetime | None = None


class Message(msgspec.Struct, frozen=True):
    """What was read: who sent it, as the topic or the message calls it, and its numbers."""

    source: str
    counted: list[Counted]


@dataclass(frozen=True, slots=True)
class Format:
    """A vendor's format: its name, the MQTT filters that are its own, and how it is read.

    ``read(source, topic, payload)`` is given the source that the topic names (empty where none) and raises BadInput,
    or one of :data:`anlan.ingest.wire.FAULTS`, on what it cannot read. ``form`` says what a message must be. ``sparse``
    where a window leaves out what it counted none of.
    """

    name: str
    read: Callable[[str, str, bytes], Message]
    form: str
    topics: tuple[str, ...] = ()
    sparse: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Wired:
    """A device of the district pack, and where its numbers come from.

    ``counters`` maps the vendor's counter to ``in``, ``out``, ``passed`` or ``present``; ``people_per`` gives a counter
    the people that one of it stands for (a car 1.4), 1 where it is not told.
    """

    device_id: str
    source: str
    counters: Mapping[str, str]
    interval_s: float = 60.0
    time_zone: str | None = None
    people_per: Mapping[str, float] = field(default_factory=dict)
    most_per_s: float = MOST_PER_S
    wraps_at: int | None = None

    def __post_init__(self) -> None:
        if set(self.counters.values()) not in FORMS:
            raise BadInput(
                f"counters of {self.device_id}", "must be in and out, or passed, or present", "map each counter to one"
            )
        if not all(0 < n < math.inf for n in (self.interval_s, self.most_per_s, *self.people_per.values())):
            raise BadInput(
                f"interval_s, most_per_s, people of {self.device_id}", "must be > 0", "give seconds, or people"
            )
        if self.time_zone is not None:
            zone_of(self.time_zone)


def zone_of(name: str) -> ZoneInfo:
    """Return an IANA time zone.

    Raises
    ------
    BadInput
        If there is none of this name.
    """
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise BadInput(f"time_zone={name!r}", "must be an IANA time zone", "write it like Asia/Shanghai") from None


def _placed(at: datetime, zone: ZoneInfo) -> datetime:
    """Return a moment of a zone's clock in UTC. To give it the zone and convert it takes ten times as long."""
    return EPOCH + (at - CLOCK_EPOCH - (zone.utcoffset(at) or timedelta()))


class _Line:
    """A device while messages come: its mapping, its zone, its meter."""

    def __init__(self, wired: Wired, *, sparse: bool) -> None:
        self.wired = wired
        self.sparse = sparse
        self.ways = frozenset(wired.counters.values())
        self._stands_for = {name: (way, wired.people_per.get(name, 1)) for name, way in wired.counters.items()}
        self._zone = None if wired.time_zone is None else zone_of(wired.time_zone)
        widths = WIDTHS if wired.wraps_at is None else (wired.wraps_at,)
        self.meter = Meter(wired.counters, wired.interval_s, wired.most_per_s, widths)
        self.gauge = Gauge(wired.counters, wired.interval_s)

    def moment(self, at: datetime | None, received_at: datetime) -> datetime:
        """Return the moment in UTC; of an hour that the clock shows twice, the one nearer to the message's coming."""
        if at is None:
            return received_at
        if at.tzinfo is not None:
            return at if at.tzinfo is UTC else at.astimezone(UTC)
        if self._zone is None:
            raise BadInput(
                f"a time without zone of {self.wired.device_id}",
                "must have the zone of the device's clock",
                'add time_zone = "Asia/Shanghai", or its own, to the device in the adapters file',
            )
        first, second = _placed(at, self._zone), _placed(at.replace(fold=1), self._zone)
        return first if abs(first - received_at) <= abs(second - received_at) else second

    def observation(self, counted: Mapping[str, int], begin_at: datetime, end_at: datetime) -> Observation:
        """Return the numbers of a window in the form of the device."""
        wired = self.wired
        sums: dict[str, float] = {}
        for name, number in counted.items():
            if number > MOST:
                raise BadInput(f"a count of {wired.device_id}", f"must be at most {MOST}", "check the counter")
            way, people_per = self._stands_for[name]
            sums[way] = sums.get(way, 0) + number * people_per
        people = {way: round(number) for way, number in sums.items()}
        return Observation(
            device_id=wired.device_id,
            begin_at=begin_at,
            end_at=end_at,
            sequence=max(0, int(end_at.timestamp())),
            n_in=people.get("in"),
            n_out=people.get("out"),
            n_passed=people.get("passed"),
            n_present=people.get("present"),
        )


_Groups = dict[tuple[_Line, datetime | None, datetime | None], list[Counted]]


class Foreign:
    """The adapter of one vendor's format, over the devices that speak it.

    It is reached by ``<format>/<source>``, under MQTT or as the path of an HTTP POST, and by the format's own topics.
    It remembers the last totals of each device, in memory: after a restart the first total is where counting goes on.
    """

    def __init__(self, form: Format, wired: Iterable[Wired]) -> None:
        self._format = form
        self.topics = (form.name, f"{form.name}/#", *form.topics)
        self._lines: dict[str, dict[str, _Line]] = {}
        self._lock = threading.Lock()
        for one in wired:
            line, counters = _Line(one, sparse=form.sparse), self._lines.setdefault(one.source, {})
            for name in one.counters:
                if name in counters:
                    raise BadInput(f"counter {name!r} of source {one.source!r}", "must be of one device", "map it once")
                counters[name] = line

    def decode(self, topic: str, payload: bytes, received_at: datetime) -> Decoded:
        """Return the observations of a message; a first total, or a repeat of a state, is none."""
        named, _, source = topic.partition("/")
        try:
            message = self._format.read(source if named == self._format.name else "", topic, payload)
        except BadInput as fault:
            return _refused(str(fault))
        except UNREADABLE:
            return _refused(f"message must be {self._format.form}; see docs/connect.md.")
        counters = self._lines.get(message.source)
        if counters is None:
            told = f"source must be one of the adapters file under format {self._format.name}; add it there."
            return _refused(told, RefusalCode.UNKNOWN_DEVICE)
        groups = _grouped(counters, message.counted)
        if message.counted and not groups:
            return _refused("counter must be one of the source's in the adapters file; map it to a device there.")
        with self._lock:
            return _judged(groups, received_at)


def _grouped(counters: Mapping[str, _Line], counted: Iterable[Counted]) -> _Groups:
    """Return the numbers of one device and moment together, in the message's order; of no device, none."""
    groups: _Groups = {}
    for one in counted:
        line = counters.get(one.counter)
        if line is not None:
            groups.setdefault((line, one.begin_at, one.end_at), []).append(one)
    return groups


def _judged(groups: _Groups, received_at: datetime) -> Decoded:
    taken: list[tuple[int, Observation]] = []
    refusals: list[Refusal] = []
    for index, ((line, _, _), numbers) in enumerate(groups.items()):
        try:
            seen = _observed(line, numbers, received_at)
        except BadInput as fault:
            refusals.append(_refusal(str(fault), index, line.wired.device_id))
        except OverflowError:
            refusals.append(_refusal("time must be of this age; set the clock.", index, line.wired.device_id))
        else:
            if seen is not None:
                taken.append((index, seen))
    return taken, refusals


def _observed(line: _Line, numbers: list[Counted], received_at: datetime) -> Observation | None:
    first, wired = numbers[0], line.wired
    end_at = line.moment(first.end_at, received_at)
    if end_at - received_at > AHEAD:
        raise BadInput(
            f"time of {wired.device_id}",
            f"must not be more than {AHEAD.total_seconds():.0f} s ahead of the district's clock",
            "set the device's clock (NTP) and its time_zone",
        )
    counted: dict[str, int] = {}
    for one in numbers:
        if one.number < 0:
            raise BadInput(f"a count of {wired.device_id}", "must be >= 0 people", "check the counter")
        counted[one.counter] = one.number
    if "present" in line.ways:
        whole = line.gauge.take(end_at, counted)
        begin_at = end_at - timedelta(seconds=wired.interval_s)
        return None if whole is None else line.observation(whole, begin_at, end_at)
    if first.begin_at is not None:
        missing = line.ways - {wired.counters[name] for name in counted}
        if missing:
            raise BadInput(f"window of {wired.device_id}", "must have in and out", "send both, 0 where nobody crossed")
        if not line.sparse and len(counted) < len(wired.counters):
            raise BadInput(
                f"window of {wired.device_id}",
                "must have every counter that adds up to it",
                "send them in one message, or map each to a device of its own",
            )
        return line.observation(counted, line.moment(first.begin_at, received_at), end_at)
    window = line.meter.take(end_at, counted)
    return None if window is None else line.observation(window.counted, window.begin_at, window.end_at)


def _refusal(message: str, index: int, device_id: str) -> Refusal:
    code = RefusalCode.FUTURE if "ahead of" in message else RefusalCode.MALFORMED
    return Refusal(code=code, message=message, index=index, device_id=device_id)


def _refused(message: str, code: RefusalCode = RefusalCode.MALFORMED) -> Decoded:
    return [], [Refusal(code=code, message=message)]


def local_or_zoned(text: str) -> datetime:
    """Return a moment written in ISO 8601, or as fourteen digits; without zone where none is written.

    Raises
    ------
    BadInput
        If it is neither.

    Examples
    --------
    >>> local_or_zoned("20170503112756").isoformat()
    '2017-05-03T11:27:56'
    """
    try:
        return datetime.fromisoformat(f"{text[:8]}T{text[8:]}" if len(text) == 14 and text.isdigit() else text)
    except ValueError:
        raise BadInput("time", "must be ISO 8601", "write it like 2026-12-31T18:00:00+08:00") from None


def from_epoch_ms(epoch_ms: float) -> datetime:
    """Return the moment of milliseconds since 1970, in UTC."""
    return datetime.fromtimestamp(epoch_ms / 1000, UTC)
