"""Those on duty and their alerts: what the judge announces becomes a record and a line of the log, once."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import msgspec

from anlan.crowd import AlertState, Course, Judge, Window
from anlan.kernel.alerts import Alert, AlertAction, AlertNews
from anlan.kernel.answers import AlertNow, Mark
from anlan.kernel.errors import BadInput, Conflict, NotFound
from anlan.kernel.pack import Pack
from anlan.kernel.records import Change, Draft, Estimate, Json, Label, Observation, Record
from anlan.store import SqlStore

log = logging.getLogger(__name__)

KIND = "alert"
JUDGE = "anlan"
"""Who raises, escalates, eases and ends; people acknowledge and close."""
LONGEST_NOTE = 500
PUT_AWAY, OF_BEFORE = "put_away", "of_before"
"""What is done to the alerts of a day that begins anew, and the word by which their records are known."""


class Duty:
    """The alerts of a district. Not by itself safe to share: the district judges in one thread at a time.

    A minute that is made again after a kill is judged again from the state of before, with the same news; what of it
    is in the log already is not written twice.
    """

    def __init__(self, pack: Pack, store: SqlStore) -> None:
        self._pack = pack
        self._store = store
        self._judge = Judge(pack)
        self._records = {record.record_id: record for record in store.records(KIND)}
        self._state = AlertState.of(alert for alert in map(_alert_of, self._records.values()) if alert.ended_at is None)
        self._heard: list[Observation] = []
        self._untold: list[AlertNews] = []

    # -- judging ---------------------------------------------------------------------------------------------------

    def resume(self, body: bytes | None) -> None:
        """Go on from a state that was kept; where there is none, from the alerts that stand."""
        if body is None:
            return
        try:
            self._state = AlertState.from_bytes(body)
        except BadInput as fault:
            log.warning("%s", fault)
        else:
            self._untold += self._missed()

    def hear(self, observations: Iterable[Observation]) -> None:
        """Take what was counted for the minute that is judged next."""
        self._heard.extend(observations)

    @property
    def windows(self) -> Mapping[str, tuple[Window, ...]]:
        """What each line counted in its windows of the last minutes."""
        return self._state.windows

    def judge(
        self, estimates: Mapping[str, Estimate], at: datetime, courses: Mapping[str, Course] | None = None
    ) -> bytes:
        """Judge a minute; return the state to keep with it. :meth:`tell` announces what came of it.

        ``courses`` tells of some places, by ``place:ID``, what is known of their next minutes beside their trend.
        """
        self._state, news = self._judge.judge(self._state, estimates, at, self._heard, courses)
        self._heard = []
        self._untold += news
        return self._state.to_bytes()

    def tell(self) -> tuple[Change, ...]:
        """Write what was judged into the log, all or nothing; what could not be written is written next time."""
        drafts, at = [], None
        for news in self._untold:
            draft = self._draft(news)
            if draft is not None:
                drafts.append(draft)
                at = news.alert.changed_at
        made = () if at is None else self._apply(drafts, at)
        self._untold = []
        return made

    def reset(self, at: datetime) -> tuple[Change, ...]:
        """End whatever stands, where the district begins another day, and put away what was: its ids may come again."""
        self._state, self._heard, self._untold = AlertState(), [], []
        return self._apply([self._put_away(one, at) for one in self._records.values() if OF_BEFORE not in one.body], at)

    # -- answering -------------------------------------------------------------------------------------------------

    def alerts(self, *, since_at: datetime | None = None) -> list[AlertNow]:
        """Return the alerts that stand, the most serious first; and those that ended after a moment, newest first."""
        live = {alert.alert_id: alert for alert in self._state.standing()}
        every = [self._now(record, live) for record in list(self._records.values())]
        standing = [now for now in every if now.standing]
        standing.sort(key=lambda now: (-now.alert.rung, now.alert.since_at, now.alert.alert_id))
        if since_at is None:
            return standing
        past = [now for now in every if not now.standing and now.alert.changed_at >= since_at]
        return [*standing, *sorted(past, key=lambda now: now.alert.changed_at, reverse=True)]

    def alert(self, alert_id: str) -> AlertNow:
        """Return one alert; NotFound where there is none of that id."""
        return self._now(self._record(alert_id), {alert.alert_id: alert for alert in self._state.standing()})

    def acknowledge(self, alert_id: str, note: str, actor: str, at: datetime) -> Change:
        """Note that somebody has seen it; Conflict where somebody has, or where it is over."""
        return self._mark(alert_id, "acknowledge", note, actor, at)

    def close(self, alert_id: str, note: str, actor: str, at: datetime) -> Change:
        """Take it off the list, with the reason. It comes back only where it escalates beyond what was closed."""
        if not note.strip():
            raise BadInput("note=''", "must say why it is closed", "write a few words")
        return self._mark(alert_id, "close", note, actor, at)

    # -- inside ----------------------------------------------------------------------------------------------------

    def _missed(self) -> Iterator[AlertNews]:
        """Yield what the kept state knows and the log was not told: the program ended between the two."""
        standing = {alert.alert_id: alert for alert in self._state.standing()}
        for alert in standing.values():
            record = self._records.get(alert.alert_id)
            told = None if record is None else _alert_of(record)
            if told is None:
                yield AlertNews(action=AlertAction.RAISE, alert=alert)
            elif told.changed_at < alert.changed_at:
                higher, lower = alert.rung > told.rung, alert.rung < told.rung
                action = AlertAction.ESCALATE if higher else AlertAction.EASE if lower else AlertAction.REACH
                yield AlertNews(action=action, alert=alert)
        at = self._state.at
        for told in map(_alert_of, self._records.values()):
            if told.ended_at is None and told.alert_id not in standing and at is not None and told.changed_at < at:
                yield AlertNews(action=AlertAction.END, alert=replace(told, changed_at=at, ended_at=at))

    def _mark(self, alert_id: str, action: str, note: str, actor: str, at: datetime) -> Change:
        if len(note) > LONGEST_NOTE:
            raise BadInput(f"note of {len(note)} characters", f"must have at most {LONGEST_NOTE}", "shorten it")
        now = self.alert(alert_id)
        taken = now.acknowledged if action == "acknowledge" else now.closed
        if taken is not None:
            raise Conflict(f"alert {alert_id!r}", f"was taken by {taken.by} at {taken.at.isoformat()}", "read it again")
        if not now.standing and action == "acknowledge":
            raise Conflict(f"alert {alert_id!r}", "is over", "list the alerts that stand")
        record = self._record(alert_id)
        mark = {"by": actor, "at": at.isoformat(), "note": note.strip()}
        name = {"acknowledge": "acknowledged", "close": "closed"}[action]
        draft = Draft(
            kind=KIND,
            record_id=alert_id,
            action=action,
            actor=actor,
            body={**record.body, name: mark},
            expected_version=record.version,
        )
        return self._apply([draft], at)[0]

    def _record(self, alert_id: str) -> Record:
        try:
            return self._records[alert_id]
        except KeyError:
            raise NotFound(f"alert {alert_id!r}", "does not exist", "list the alerts") from None

    def _put_away(self, record: Record, at: datetime) -> Draft:
        """Return the line by which an alert is of a day that was played before; one that stands ends by it."""
        alert, action = _alert_of(record), PUT_AWAY
        if alert.ended_at is None:
            alert, action = replace(alert, ended_at=at, changed_at=at), str(AlertAction.END)
        return Draft(
            kind=KIND,
            record_id=record.record_id,
            action=action,
            actor=JUDGE,
            body={**record.body, "alert": msgspec.to_builtins(alert), OF_BEFORE: True},
            expected_version=record.version,
        )

    def _draft(self, news: AlertNews) -> Draft | None:
        """Return the line for a piece of news; None where the log has it already."""
        record = self._records.get(news.alert.alert_id)
        if record is None and news.action is not AlertAction.RAISE:
            return None
        anew = news.action is AlertAction.RAISE and record is not None and OF_BEFORE in record.body
        if record is not None and not anew and _alert_of(record).changed_at >= news.alert.changed_at:
            return None
        body: Json = {"alert": msgspec.to_builtins(news.alert)}
        if record is not None and not anew:
            kept: Json = {name: record.body[name] for name in ("acknowledged", "closed") if name in record.body}
            beyond = news.alert.rung > _alert_of(record).highest
            body |= kept if not beyond else {}  # a new height asks for somebody again
        return Draft(
            kind=KIND,
            record_id=news.alert.alert_id,
            action=str(news.action),
            actor=JUDGE,
            body=body,
            expected_version=None if record is None else record.version,
        )

    def _apply(self, drafts: Sequence[Draft], at: datetime) -> tuple[Change, ...]:
        if not drafts:
            return ()
        made = self._store.apply(drafts, at=at)
        for change in made:
            assert change.body is not None  # noqa: S101 - an alert's record never ends
            self._records[change.record_id] = Record(
                kind=KIND, record_id=change.record_id, version=change.version, body=change.body, changed_at=change.at
            )
        return made

    def _now(self, record: Record, live: Mapping[str, Alert]) -> AlertNow:
        alert = _alert_of(record)
        return AlertNow(
            alert=live.get(record.record_id, alert) if alert.ended_at is None else alert,
            name=self._name(alert.subject_id),
            version=record.version,
            acknowledged=_mark_of(record.body.get("acknowledged")),
            closed=_mark_of(record.body.get("closed")),
        )

    def _name(self, subject_id: str) -> Label:
        kind, _, own_id = subject_id.partition(":")
        try:
            return self._pack.place(own_id).name if kind == "place" else self._pack.device(own_id).name
        except NotFound:
            return {}


def _alert_of(record: Record) -> Alert:
    return msgspec.convert(record.body["alert"], Alert)


def _mark_of(body: Any) -> Mark | None:
    return None if body is None else msgspec.convert(body, Mark)
