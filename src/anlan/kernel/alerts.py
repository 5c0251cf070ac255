"""What is announced to those on duty: an alert, why it stands, and what has become of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from anlan.kernel.ladders import Also, Measure, Rung, Source
from anlan.kernel.records import UnknownReason


class AlertKind(StrEnum):
    """What an alert is about."""

    CROWD = "crowd"
    """People in a place against its ladders."""
    FLOW = "flow"
    """People over a line against its ladders."""
    UNSEEN = "unseen"
    """A place that was seen and is not any more."""


class AlertAction(StrEnum):
    """What has just become of an alert. Between two of them nothing is said again."""

    RAISE = "raise"
    ESCALATE = "escalate"
    REACH = "reach"
    """What was expected has come."""
    EASE = "ease"
    END = "end"


class Basis(StrEnum):
    """What is expected of a place rests on this."""

    TREES = "trees"
    """Trees that learned from the history what the usual leaves over."""
    USUAL = "usual"
    """What the hours of the week are used to."""
    PLAN = "plan"
    """What is planned there, and how many of those expected have come."""
    TREND = "trend"
    """How it has been changing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grounds:
    """Why an alert stands: the rule and its source, the numbers it was judged on, and the devices behind them.

    ``value`` is in the unit of the measure, ``limit`` likewise; ``probability`` that the limit is exceeded, now or
    ``ahead_s`` seconds ahead, as what ``rests_on`` expects. ``other`` is the number of the rule's second condition.
    """

    measure: Measure
    limit: float
    value: float
    sd: float
    probability: float
    source: Source
    ahead_s: float = 0.0
    occupancy: float | None = None
    net_inflow: float | None = None
    also: Also | None = None
    above: float | None = None
    other: float | None = None
    devices: tuple[str, ...] = ()
    rests_on: tuple[Basis, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One breach, from its first announcement to its end; ``subject_id`` is ``place:ID`` or ``device:ID``.

    ``rung`` is what is announced: present where ``reached_at`` is given, expected at ``expected_at`` otherwise.
    ``grounds`` are of the last minute judged.
    """

    alert_id: str
    subject_id: str
    kind: AlertKind
    rung: Rung
    highest: Rung
    since_at: datetime
    changed_at: datetime
    reached_at: datetime | None = None
    expected_at: datetime | None = None
    ended_at: datetime | None = None
    unknown: UnknownReason | None = None
    grounds: Grounds | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertNews:
    """What has become of an alert in this minute."""

    action: AlertAction
    alert: Alert
