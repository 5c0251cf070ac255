"""Alerts: each breach announced once, ahead where it can be foreseen, and why; eased and ended when it is over."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import msgspec

from anlan.crowd.course import Course, bent
from anlan.crowd.judging import Gain, Odds, Verdict, judge_line, judge_place, persons
from anlan.crowd.lines import LINED, Lines, Window
from anlan.crowd.trend import Outlook, Trend, TrendParams, followed, outlook
from anlan.kernel.alerts import Alert, AlertAction, AlertKind, AlertNews
from anlan.kernel.errors import BadInput
from anlan.kernel.ladders import Rung, ladders_of_line, ladders_of_place
from anlan.kernel.pack import Pack
from anlan.kernel.records import DeviceKind, Estimate, Observation, Place

Outlooks = Mapping[str, Course | Sequence[Outlook]]
"""By subject: the course by which its trend is bent, or people expected some minutes ahead instead, nearest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertParams:
    """When something is announced, and when it is over. Times in minutes.

    ``ahead_min`` are the moments ahead that are judged; a rung is left after ``calm_min`` minutes in which its limit
    was clearly not exceeded, and an expectation after ``calm_ahead_min``; a place that was seen counts as unseen after
    ``unseen_min`` minutes without an estimate.
    """

    odds: Odds = field(default_factory=Odds)
    ahead_min: tuple[float, ...] = (5.0, 10.0, 15.0, 20.0)
    least_ahead: Rung = Rung.YELLOW
    calm_min: int = 5
    calm_ahead_min: int = 10
    unseen_min: int = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What is remembered of a place or a line: its rungs, how long they have been clearly left, and its alerts."""

    trend: Trend | None = None
    now: Rung = Rung.CALM
    ahead: Rung = Rung.CALM
    calm: int = 0
    calm_ahead: int = 0
    seen: bool = False
    unseen_for: int = 0
    alert: Alert | None = None
    unseen: Alert | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertState:
    """What the judge carries from minute to minute."""

    at: datetime | None = None
    subjects: Mapping[str, Subject] = field(default_factory=dict)
    windows: Mapping[str, tuple[Window, ...]] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        """Return the state as JSON, from which a restart goes on."""
        return msgspec.json.encode(self)

    @classmethod
    def from_bytes(cls, body: bytes) -> AlertState:
        """Return the state from its bytes.

        Raises
        ------
        BadInput
            If they are of another form.
        """
        try:
            return msgspec.json.decode(body, type=cls)
        except msgspec.MsgspecError as fault:
            raise BadInput("state of alerts", f"must be of this version's form ({fault})", "start afresh") from None

    @classmethod
    def of(cls, alerts: Iterable[Alert]) -> AlertState:
        """Return a state in which these alerts stand, where nothing else is known."""
        subjects: dict[str, Subject] = {}
        for alert in alerts:
            before = subjects.get(alert.subject_id, Subject(seen=True))
            if alert.kind is AlertKind.UNSEEN:
                subjects[alert.subject_id] = replace(before, unseen=alert)
            elif alert.reached_at is not None:
                subjects[alert.subject_id] = replace(before, alert=alert, now=alert.rung)
            else:
                subjects[alert.subject_id] = replace(before, alert=alert, ahead=alert.rung)
        return cls(subjects=subjects)

    def standing(self) -> list[Alert]:
        """Return the alerts that stand, the most serious first, each with the numbers of the last minute."""
        every = [alert for one in self.subjects.values() for alert in (one.alert, one.unseen) if alert is not None]
        return sorted(every, key=lambda alert: (-alert.rung, alert.since_at, alert.alert_id))


FAR_SD = 4.0
"""A flow that is below a limit by so many standard deviations is not judged against it."""


@dataclass(frozen=True, slots=True)
class _Telling:
    """A minute, and what is told of it so far."""

    at: datetime
    news: list[AlertNews] = field(default_factory=list)

    def tell(self, action: AlertAction, alert: Alert) -> None:
        self.news.append(AlertNews(action=action, alert=alert))

    def end(self, alert: Alert) -> None:
        self.tell(AlertAction.END, replace(alert, changed_at=self.at, ended_at=self.at))


class Judge:
    """Judges a district's estimates against its ladders. It holds constants only; what changes is the state.

    Parameters
    ----------
    pack : Pack
        Its places, lines and ladders.
    params : AlertParams
    trend : TrendParams

    Notes
    -----
    A limit is judged on the *probability* that it is exceeded, so that an unsure estimate is announced at once where it
    is far above, and not where it is a little. A rung is entered at probability ``rise`` and left at ``fall`` after
    some minutes, so that an estimate that wavers about a limit is announced once. What a trend or a forecast expects
    is announced in the same alert, which is told again only when it escalates, when it comes, when it eases and when
    it ends. Where the estimate is unknown nothing ends, and that the place cannot be seen is announced itself.

    References
    ----------
    J. J. Fruin, *The Causes and Prevention of Crowd Disasters*, 1993 (why ahead of time); EEMUA 191, *Alarm Systems*
    (why each alarm once).
    """

    def __init__(self, pack: Pack, params: AlertParams | None = None, trend: TrendParams | None = None) -> None:
        self.params = params or AlertParams()
        self._trend = trend or TrendParams()
        self._lines = Lines.of(pack, LINED)
        self._places = {f"place:{place.place_id}": place for place in pack.places}
        self._ladders = {name: ladders_of_place(pack.ladders, place) for name, place in self._places.items()}
        kinds = {place.place_id: place.kind for place in pack.places}
        self._line_ladders = {
            name: ladders_of_line(pack.ladders, tuple(filter(None, (kinds.get(d.place_id or ""), d.place_id, name))))
            for name, d in self._lines.devices.items()
            if d.kind is not DeviceKind.ROAD
        }
        self._least = {
            name: min(ladder.given[0][1] if ladder.measure.of_line else 0.0 for ladder in ladders)
            for name, ladders in self._line_ladders.items()
        }
        self._behind = {name: _devices_of(pack, place) for name, place in self._places.items()}

    def judge(
        self,
        state: AlertState,
        estimates: Mapping[str, Estimate],
        at: datetime,
        observations: Sequence[Observation] = (),
        outlooks: Outlooks | None = None,
    ) -> tuple[AlertState, tuple[AlertNews, ...]]:
        """Return the state of the next minute, and what is to be announced.

        Pure: the same state and minute always give the same news.

        Parameters
        ----------
        state : AlertState
        estimates : mapping of str to Estimate
            By ``place:ID``; a place that is not among them is unknown.
        at : datetime
            The minute that the estimates are of.
        observations : sequence of Observation
            What gates and passages counted meanwhile; others may be among them.
        outlooks : mapping, optional
            By ``place:ID``: the course that bends the place's own trend, or forecasts to judge instead of it.
        """
        windows = self._lines.heard(state.windows, observations, at)
        subjects: dict[str, Subject] = {}
        telling = _Telling(at)
        for name, place in self._places.items():
            before = state.subjects.get(name, Subject())
            estimate = estimates.get(name)
            if estimate is None or estimate.unknown is not None:
                subjects[name] = self._blind(name, before, estimate, telling)
                continue
            gained = self._lines.gained(place.place_id, windows)
            per_min = (60 * gained[0], 60 * gained[1]) if gained else None
            trend = followed(before.trend, _as_number(estimate), self._trend, per_min)
            per_s, sd = gained or (trend.slope / 60, trend.sd_slope / 60)
            net = Gain(per_s=per_s, sd=sd, flow=self._lines.through(place.place_id, windows))
            told = self._told(trend, (outlooks or {}).get(name))
            verdict = judge_place(place, self._ladders[name], estimate, net, told, self.params.odds)
            seen = self._seen(before, telling)
            subjects[name] = self._moved(name, replace(seen, trend=trend), verdict, telling)
        for device_id, kept in windows.items():
            if device_id not in self._line_ladders:
                continue
            name = f"device:{device_id}"
            before = state.subjects.get(name, Subject())
            flow = self._lines.flow(device_id, kept)
            if (
                name not in state.subjects
                and flow.specific + FAR_SD * flow.sd_per_s / flow.width_m < self._least[device_id]
            ):
                continue  # far below every limit, as nearly every line is nearly always
            verdict = judge_line(self._line_ladders[device_id], flow, self.params.odds)
            moved = self._moved(name, before, verdict, telling)
            if moved != Subject():
                subjects[name] = moved
        for name, before in state.subjects.items():
            device_id = name.removeprefix("device:")
            if name not in self._places and device_id not in self._line_ladders:
                _gone(before, telling)
            elif device_id in self._line_ladders and device_id not in windows:
                subjects[name] = before  # a line that is silent: nothing ends
        return AlertState(at=at, subjects=subjects, windows=windows), tuple(telling.news)

    # -- inside ----------------------------------------------------------------------------------------------------

    def _told(self, trend: Trend, known: Course | Sequence[Outlook] | None) -> Sequence[Outlook]:
        """Return what is expected of a place: what is told instead of its trend, or the trend, bent where it is."""
        if isinstance(known, Course):
            return bent(trend, known, self.params.ahead_min, self._trend)
        return known or outlook(trend, self.params.ahead_min, self._trend)

    def _moved(self, name: str, before: Subject, verdict: Verdict, telling: _Telling) -> Subject:
        """Return the subject with its rungs moved, and tell what that makes of its alert."""
        params = self.params
        now, calm = _climbed(before.now, before.calm, verdict.up, verdict.hold, params.calm_min)
        least = params.least_ahead
        up, hold = (rung if rung >= least else Rung.CALM for rung in (verdict.ahead_up, verdict.ahead_hold))
        ahead, calm_ahead = _climbed(before.ahead, before.calm_ahead, up, hold, params.calm_ahead_min)
        alert = self._announced(name, before.alert, (max(now, ahead), now), verdict, telling)
        return replace(before, now=now, ahead=ahead, calm=calm, calm_ahead=calm_ahead, alert=alert)

    def _announced(
        self, name: str, alert: Alert | None, rungs: tuple[Rung, Rung], verdict: Verdict, telling: _Telling
    ) -> Alert | None:
        """Return the alert of a subject that stands at a rung, and tell of it only what has changed."""
        (rung, now), at = rungs, telling.at
        if rung is Rung.CALM:
            if alert is not None:
                telling.end(alert)
            return None
        reached = now >= rung
        grounds = verdict.grounds(rung, reached=reached)
        if grounds is not None:
            grounds = replace(grounds, devices=self._behind.get(name) or (name.removeprefix("device:"),))
        expected_at = None if reached or grounds is None else at + timedelta(seconds=grounds.ahead_s)
        if alert is None:
            kind = AlertKind.CROWD if name in self._places else AlertKind.FLOW
            alert = _begun(name, kind, rung, at)
            action: AlertAction | None = AlertAction.RAISE
        elif rung > alert.rung:
            action = AlertAction.ESCALATE
        elif rung < alert.rung:
            action = AlertAction.EASE
        else:
            action = AlertAction.REACH if reached and alert.reached_at is None else None
        told = replace(
            alert,
            rung=rung,
            highest=max(alert.highest, rung),
            changed_at=at if action else alert.changed_at,
            reached_at=(alert.reached_at or at) if reached else (None if action else alert.reached_at),
            expected_at=expected_at,
            grounds=grounds or alert.grounds,
        )
        if action:
            telling.tell(action, told)
        return told

    def _blind(self, name: str, before: Subject, estimate: Estimate | None, telling: _Telling) -> Subject:
        """Return a subject that cannot be seen: whatever stands goes on standing, and the blindness is announced."""
        blind = replace(before, unseen_for=before.unseen_for + 1)
        if not before.seen or blind.unseen_for < self.params.unseen_min or before.unseen is not None:
            return blind
        rung = max(Rung.NOTICE, before.alert.rung if before.alert else Rung.CALM)
        reason = estimate.unknown if estimate is not None else None
        alert = replace(_begun(name, AlertKind.UNSEEN, rung, telling.at), unknown=reason, reached_at=telling.at)
        telling.tell(AlertAction.RAISE, alert)
        return replace(blind, unseen=alert)

    def _seen(self, before: Subject, telling: _Telling) -> Subject:
        if before.unseen is not None:
            telling.end(before.unseen)
        return replace(before, seen=True, unseen_for=0, unseen=None)


def _gone(before: Subject, telling: _Telling) -> None:
    """End what stands of a place or a line that the pack does not have any more: nothing else ever would."""
    for alert in (before.alert, before.unseen):
        if alert is not None:
            telling.end(alert)


def _climbed(rung: Rung, calm: int, up: Rung, hold: Rung, patience: int) -> tuple[Rung, int]:
    """Return the rung after one more minute, and for how many minutes it has been clearly left.

    Up at once; down only after ``patience`` minutes in a row.

    Examples
    --------
    >>> _climbed(Rung.RED, 1, Rung.CALM, Rung.NOTICE, 3)
    (<Rung.RED: 4>, 2)
    >>> _climbed(Rung.RED, 2, Rung.CALM, Rung.NOTICE, 3)
    (<Rung.NOTICE: 1>, 0)
    """
    if up >= rung or hold >= rung:
        return max(up, rung), 0
    if calm + 1 < patience:
        return rung, calm + 1
    return max(up, hold), 0


def _begun(name: str, kind: AlertKind, rung: Rung, at: datetime) -> Alert:
    """Return a new alert. Its id follows from what it is of and when, so that a minute made again makes the same."""
    word = "" if kind is not AlertKind.UNSEEN else "unseen:"
    return Alert(
        alert_id=f"{word}{name}@{at.astimezone(UTC):%Y%m%dT%H%M}Z",
        subject_id=name,
        kind=kind,
        rung=rung,
        highest=rung,
        since_at=at,
        changed_at=at,
    )


def _as_number(estimate: Estimate) -> Estimate:
    mean, sd = persons(estimate)
    return replace(estimate, occupancy=mean, sd=sd)


def _devices_of(pack: Pack, place: Place) -> tuple[str, ...]:
    """Return the devices that make a place's number: its own, those inside it, and the location grids over it."""
    return tuple(
        device.device_id
        for device in pack.devices
        if device.place_id == place.place_id
        or (device.kind is DeviceKind.GRID)
        or (device.kind is not DeviceKind.GATE and device.geometry.intersects(place.polygon))
    )
