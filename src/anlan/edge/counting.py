"""Crossings of a line, by the association of positions in one frame with those in the next."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from anlan.kernel.errors import BadInput

Points = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Line:
    """A line in the picture, as shares of its width and height: x to the right, y downwards.

    "In" is the crossing from its left side to its right side, seen from its first point to its last, as one stands
    looking along it in the picture.
    """

    x1: float
    y1: float
    x2: float
    y2: float

    def __post_init__(self) -> None:
        ends = (self.x1, self.y1, self.x2, self.y2)
        if not all(0 <= end <= 1 for end in ends) or (self.x1, self.y1) == (self.x2, self.y2):
            raise BadInput(
                f"line={','.join(f'{end:g}' for end in ends)}",
                "must be two points as shares of the picture, 0 to 1",
                "write it like 0.5,1,0.5,0 for an upward line through the middle",
            )

    def side(self, points: Points) -> Points:
        """Return which side points of shape (n, 2) are on: below 0 left of the line, above 0 right of it."""
        return (self.x2 - self.x1) * (points[:, 1] - self.y1) - (self.y2 - self.y1) * (points[:, 0] - self.x1)

    def crosses_between(self, before: Points, after: Points) -> npt.NDArray[np.bool_]:
        """Tell for each way from before to after whether it passes between the line's ends."""
        steps = after - before
        first = steps[:, 0] * (self.y1 - before[:, 1]) - steps[:, 1] * (self.x1 - before[:, 0])
        last = steps[:, 0] * (self.y2 - before[:, 1]) - steps[:, 1] * (self.x2 - before[:, 0])
        return first * last <= 0


class Crossings:
    """Counts who crosses a line. Positions are associated frame by frame and forgotten after ``patience`` frames.

    Association is the assignment of least total distance, none longer than ``reach`` (a share of the picture). Nobody
    is numbered, and nothing of how anybody looks is used.

    Parameters
    ----------
    line : Line
        Where to count.
    reach : float
        How far somebody may move from one frame to the next, as a share of the picture.
    patience : int
        For how many frames a position is remembered that was not seen again.

    Examples
    --------
    >>> crossings = Crossings(Line(0.5, 1, 0.5, 0))
    >>> [crossings.see(np.array([[x, 0.5]])) for x in (0.40, 0.48, 0.55)]
    [(0, 0), (0, 0), (1, 0)]
    """

    def __init__(self, line: Line, reach: float = 0.1, patience: int = 5) -> None:
        if not 0 < reach <= 1 or patience < 1:
            raise BadInput(f"reach={reach}, patience={patience}", "must be in (0, 1] and >= 1", "try 0.1 and 5")
        self._line = line
        self._reach = reach
        self._patience = patience
        self._at: Points = np.zeros((0, 2))
        self._unseen = np.zeros(0, int)

    def see(self, points: Points) -> tuple[int, int]:
        """Take the positions of one frame, shape (n, 2); return how many crossed in and out since the last."""
        n_in = n_out = 0
        old, new = self._matches(points)
        if len(old):
            before, after = self._at[old], points[new]
            sides = self._line.side(before), self._line.side(after)
            between = self._line.crosses_between(before, after)
            n_in = int((between & (sides[0] < 0) & (sides[1] >= 0)).sum())
            n_out = int((between & (sides[0] >= 0) & (sides[1] < 0)).sum())
        lost = np.setdiff1d(np.flatnonzero(self._unseen < self._patience), old)
        self._at = np.concatenate([points, self._at[lost]])
        self._unseen = np.concatenate([np.zeros(len(points), int), self._unseen[lost] + 1])
        return n_in, n_out

    def _matches(self, points: Points) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        if not len(points) or not len(self._at):
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        distance = np.linalg.norm(self._at[:, None] - points[None], axis=2)
        old, new = linear_sum_assignment(np.where(distance <= self._reach, distance, 1e3))
        near = distance[old, new] <= self._reach
        return old[near], new[near]
