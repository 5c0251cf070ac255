"""What a district counts by itself for its cases: incidents near a place, and what a plan that ran has seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

import numpy as np

from anlan.cases import CaseType
from anlan.cases.counted import kinds_of, window_of
from anlan.cases.definition import Counted, CountRule
from anlan.indicators.change import Change, change_between
from anlan.kernel.geo import Projection
from anlan.kernel.pack import Pack
from anlan.kernel.response import NO_CALL, Incident
from anlan.matters import Matters
from anlan.matters.standing import Standing
from anlan.matters.told import Lies, lies_of
from anlan.reach import Reach
from anlan.store import SqlStore
from anlan.underway.running import Underway


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """What the district counts for a field. ``value`` is None where it cannot know; ``until_at`` may lie ahead."""

    field_id: str
    value: int | None
    from_at: datetime | None
    until_at: datetime | None
    whole: bool
    """Whether the days are over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """Incidents near a place before and after, beside those of the rest of the district over the same days."""

    before: str
    after: str
    change: Change


class Counts:
    """Counts for cases. Incidents are known since the district opened its log."""

    def __init__(self, pack: Pack, store: SqlStore, reach: Reach, matters: Matters, underway: Underway) -> None:
        self._plane: Projection = pack.projection
        self._store, self._reach, self._matters, self._underway = store, reach, matters, underway
        self._known_since: datetime | None = None

    def count(self, rule: CountRule, lies: Lies) -> int | None:
        """Return what a rule asks for; None where it is not known, or its days are not over."""
        if rule.of is not Counted.INCIDENTS:
            return self._of_plan(rule, lies)
        window = window_of(rule, lies.case, lies.at)
        if window is None or window[1] > lies.at or not self._knows(window[0]):
            return None
        return int(self._near(rule, lies, [window])[0][0])

    def numbers(self, case_id: str, who: Standing) -> tuple[list[Number], list[Compared]]:
        """Return what is counted for a case so far, and how before and after compare.

        Raises
        ------
        NotFound
            If there is no such case for them.
        """
        seen = self._matters.read(case_id, who)
        lies = lies_of(seen.case, seen.row, self._matters.clock.now())
        numbers = [
            self._number(name, one.counted, lies) for name, one in seen.kind.fields.items() if one.counted is not None
        ]
        return numbers, list(self._compared(seen.kind, lies))

    # -- inside ----------------------------------------------------------------------------------------------------

    def _of_plan(self, rule: CountRule, lies: Lies) -> int | None:
        if lies.case is None:
            return None
        kind = self._matters.kinds.version(lies.case.type_id, lies.case.version)
        began = kind.live is not None and any(one.target in kind.live.states for one in lies.case.history)
        if not began:
            return None
        if rule.of is Counted.TRIGGERED:
            return self._underway.n_fired(lies.case.case_id)
        return self._underway.most_present(lies.case, kind, lies.at)

    def _number(self, name: str, rule: CountRule, lies: Lies) -> Number:
        if rule.of is not Counted.INCIDENTS:
            value = self._of_plan(rule, lies)
            return Number(field_id=name, value=value, from_at=None, until_at=None, whole=False)
        window = window_of(rule, lies.case, lies.at)
        if window is None:
            return Number(field_id=name, value=None, from_at=None, until_at=None, whole=False)
        begin, end = window
        value = int(self._near(rule, lies, [(begin, min(end, lies.at))])[0][0]) if self._knows(begin) else None
        return Number(field_id=name, value=value, from_at=begin, until_at=end, whole=end <= lies.at)

    def _compared(self, kind: CaseType, lies: Lies) -> Sequence[Compared]:
        rules = [(name, one.counted) for name, one in kind.fields.items() if one.counted is not None]
        found = []
        for (before, earlier), (after, later) in pairwise(rules):
            if earlier.of is not Counted.INCIDENTS or later.of is not Counted.INCIDENTS:
                continue
            if earlier.before is None or later.after is None:
                continue
            first, second = window_of(earlier, lies.case, lies.at), window_of(later, lies.case, lies.at)
            if first is None or second is None or second[0] >= lies.at or not self._knows(first[0]):
                continue
            second = second[0], min(second[1], lies.at)
            (near, rest) = self._near(earlier, lies, [first, second])
            days = [(end - begin) / timedelta(days=1) for begin, end in (first, second)]
            change = change_between((near[0], near[1]), (days[0], days[1]), elsewhere=(rest[0], rest[1]))
            found.append(Compared(before=before, after=after, change=change))
        return found

    def _knows(self, since_at: datetime) -> bool:
        if self._known_since is None:
            first = self._store.changes(limit=1)
            self._known_since = first[0].at if first else None
        return self._known_since is not None and self._known_since <= since_at

    def _near(
        self, rule: CountRule, lies: Lies, windows: Sequence[tuple[datetime, datetime]]
    ) -> tuple[list[int], list[int]]:
        """Return the incidents near a case in each window, and those elsewhere in the district."""
        kinds = kinds_of(rule, lies.values)
        every = [now.incident for now in self._reach.incidents(min(begin for begin, _ in windows))]
        mine = [one for one in every if one.outcome not in NO_CALL and (kinds is None or one.kind in kinds)]
        is_near = self._is_near(rule, lies, mine)
        near, rest = [], []
        for begin, end in windows:
            inside = [begin <= one.received_at < end for one in mine]
            near.append(sum(a and b for a, b in zip(inside, is_near, strict=True)))
            rest.append(sum(inside) - near[-1])
        return near, rest

    def _is_near(self, rule: CountRule, lies: Lies, incidents: Sequence[Incident]) -> list[bool]:
        if lies.point is None:
            lowest = list(lies.areas.values())[-1]
            areas = self._matters.ground.areas
            return [
                one.area_id is not None and one.area_id in areas
                and lowest in {above.area_id for above in areas.path(one.area_id)}
                for one in incidents
            ]  # fmt: skip
        x, y = self._plane.to_metres([one.lon for one in incidents], [one.lat for one in incidents])
        (px,), (py,) = self._plane.to_metres([lies.point[0]], [lies.point[1]])
        return [bool(one) for one in np.hypot(np.asarray(x) - px, np.asarray(y) - py) <= rule.near_m]
