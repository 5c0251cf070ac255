"""Calling volunteers: a few of the nearest first, more and farther while answers lack, none any more when enough come.

Nobody is scored: among all who may be asked within a circle, chance decides, by the generator that is handed in.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from anlan.kernel.clock import as_utc
from anlan.kernel.errors import BadInput, Conflict

Floats = npt.NDArray[np.float64]
Bits = npt.NDArray[np.uint64]
Mask = npt.NDArray[np.bool_]
Index = npt.NDArray[np.int64]

MOST = 500
LONGEST = timedelta(hours=24)
RADII_M = (300.0, 600.0, 1200.0, 2500.0, 6000.0)
LEAST_YES = 0.05
"""However few have come so far, at least this share of those asked is expected to."""


class Reply(StrEnum):
    """What somebody who was asked has said."""

    YES = "yes"
    NO = "no"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallOut:
    """A call for helpers at a place. One matter may have several; nobody is asked twice for it.

    ``radii_m`` are the circles, rising; ``patience_s`` how long an answer is waited for before more are asked.

    Raises
    ------
    BadInput
        If the quota, the circles, the patience or the end are out of range.
    """

    call_out_id: str
    matter_id: str
    quota: int
    begun_at: datetime
    ends_at: datetime
    skills: frozenset[str] = frozenset()
    alliance: str | None = None
    radii_m: tuple[float, ...] = RADII_M
    patience_s: float = 120.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "begun_at", as_utc(self.begun_at, "begun_at"))
        object.__setattr__(self, "ends_at", as_utc(self.ends_at, "ends_at"))
        if not 1 <= self.quota <= MOST:
            raise BadInput(f"quota={self.quota}", f"must be 1..{MOST} people", "say how many are needed")
        if not timedelta(0) < self.ends_at - self.begun_at <= LONGEST:
            raise BadInput(f"ends_at={self.ends_at.isoformat()}", "must be within 24 h of the begin", "correct it")
        if not self.radii_m or list(self.radii_m) != sorted(set(self.radii_m)) or not self.radii_m[0] > 0:
            raise BadInput(f"radii_m={self.radii_m}", "must be above 0 m and rise", "give circles in metres")
        if not 10 <= self.patience_s <= 3600:
            raise BadInput(f"patience_s={self.patience_s:g}", "must be 10..3600 s", "say how long to wait for answers")


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Pool:
    """Every volunteer as a call-out weighs them, one entry each.

    Attributes
    ----------
    number : int64, shape (n,)
        Who, by the number under which they are kept.
    home : int64, shape (n,)
        Index of the area in which they are at home, for distances by area.
    skills, alliances, free : uint64, shape (n,)
        What they can, where they are members, and when they may be asked, as bits.
    """

    number: Index
    home: Index
    skills: Bits
    alliances: Bits
    free: Bits

    def __len__(self) -> int:
        return len(self.number)

    def able(self, *, skills: int, alliance: int, slot: int) -> Mask:
        """Return who has all these skills, is a member where that is asked, and may be asked in this slot."""
        wanted, member = np.uint64(skills), np.uint64(alliance)
        fits = ((self.skills & wanted) == wanted) & ((self.free & np.uint64(slot)) != 0)
        return fits & ((self.alliances & member) == member)

    def at(self, numbers: Iterable[int]) -> Mask:
        """Return where these numbers are."""
        return np.isin(self.number, np.fromiter(numbers, np.int64))


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """How a call-out stands. ``n_pending`` were asked less than its patience ago, ``n_silent`` longer."""

    n_yes: int = 0
    n_no: int = 0
    n_pending: int = 0
    n_silent: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Wave:
    """Whom to ask now (indices into the pool), out to which circle, and how many in it could not be asked again."""

    chosen: Index
    circle: int
    n_left: int
    """Who could still be asked, beyond those chosen, in the widest circle."""


def n_to_ask(quota: int, answers: Answers) -> int:
    """Return how many to ask now, so that as many as lack may be expected to come.

    The share that says yes is taken as (yes + 1) / (answered or silent + 2), at least `LEAST_YES`: half of them before
    anybody has answered. Of those who have not answered yet the same share is expected. At most twice the lack is
    asked at once, so that a surge of answers finds few who were asked in vain.

    Examples
    --------
    >>> n_to_ask(12, Answers())
    24
    >>> n_to_ask(12, Answers(n_yes=4, n_no=4, n_pending=16))
    0
    >>> n_to_ask(12, Answers(n_yes=12, n_silent=3))
    0
    """
    lack = quota - answers.n_yes
    if lack <= 0:
        return 0
    share = max((answers.n_yes + 1) / (answers.n_yes + answers.n_no + answers.n_silent + 2), LEAST_YES)
    wanted = (lack - share * answers.n_pending) / share
    return min(max(math.ceil(wanted - 1e-9), 0), 2 * lack)


def next_wave(
    call: CallOut, answers: Answers, distance_m: Floats, may: Mask, *, circle: int, rng: np.random.Generator
) -> Wave:
    """Return whom to ask next.

    Parameters
    ----------
    call : CallOut
        What is needed.
    answers : Answers
        How it stands.
    distance_m : float64, shape (n,)
        From the place to where each in the pool is at home, m.
    may : bool, shape (n,)
        Who may be asked at all: able, free, not asked for this matter, not too often today, not on a shift.
    circle : int
        The circle to begin with: one more than the wave before had, -1 + 1 for the first.
    rng : Generator
        Decides among those within a circle.
    """
    wanted = n_to_ask(call.quota, answers)
    widest = len(call.radii_m) - 1
    circle = min(max(circle, 0), widest)
    while circle < widest and int((may & (distance_m <= call.radii_m[circle])).sum()) < wanted:
        circle += 1
    found = np.flatnonzero(may & (distance_m <= call.radii_m[circle]))
    n = min(wanted, len(found))
    chosen = np.sort(rng.choice(found, size=n, replace=False)) if n else np.empty(0, np.int64)
    n_left = int((may & (distance_m <= call.radii_m[widest])).sum()) - n
    return Wave(chosen=chosen, circle=circle, n_left=n_left)


def take_reply(call: CallOut, reply: Reply, n_yes: int, *, stopped: bool, at: datetime) -> Reply:
    """Return the reply that is taken from somebody who was asked; ``n_yes`` are those of the others.

    Raises
    ------
    Conflict
        If enough are coming, or the call-out is over: the quota is never passed, whoever answers at once.
    """
    if reply is Reply.NO:
        return reply
    if stopped or at >= call.ends_at:
        raise Conflict("this call", "is over", "thank you; there is nothing to do")
    if n_yes >= call.quota:
        raise Conflict("this call", "has enough helpers", "thank you; there is nothing to do")
    return reply
