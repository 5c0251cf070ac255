"""A video, frame by frame: each is looked at once and let go of, and every window's numbers go to the outbox."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt

from anlan.edge.counting import Crossings
from anlan.edge.detecting import Detector, needed
from anlan.kernel.errors import BadInput, Unavailable
from anlan.kernel.records import Observation

Picture = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class Watching:
    """What to count: crossings where there are ``crossings``, else people in view on average over the window.

    ``begin_at`` is when a recorded video begins; a stream is always now.
    """

    device_id: str
    interval_s: float = 60.0
    crossings: Crossings | None = None
    begin_at: datetime | None = None

    def __post_init__(self) -> None:
        if self.interval_s <= 0:
            raise BadInput(f"interval_s={self.interval_s}", "must be > 0 s", "give the length of a window")


def frames(video: str, begin_at: datetime | None) -> Iterator[tuple[datetime, Picture]]:
    """Yield each frame with its moment: of a recording by its place in it, of a stream by the clock.

    Raises
    ------
    Unavailable
        If the video cannot be opened, or a stream ends.
    """
    cv2 = needed("cv2")
    opened = cv2.VideoCapture(video)
    try:
        if not opened.isOpened():
            raise Unavailable("the video", "must be readable", "check the path or address, and that the camera is on")
        live = "://" in video
        rate = opened.get(cv2.CAP_PROP_FPS)
        per_frame_s = 1 / rate if rate and rate > 0 else 0.04
        first_at = begin_at or datetime.now(UTC)
        n = 0
        while True:
            read, picture = opened.read()
            if not read:
                break
            n += 1
            yield (datetime.now(UTC) if live else first_at + timedelta(seconds=n * per_frame_s)), picture
    finally:
        opened.release()
    if live:
        raise Unavailable("the stream", "must go on", "it is opened again")


def watch(
    pictures: Iterator[tuple[datetime, Picture]],
    detector: Detector,
    asked: Watching,
    put: Callable[[Observation], None],
) -> int:
    """Count until the pictures end; hand each whole window to ``put``. Return how many frames were seen.

    A window that was cut short by the video's end is handed in as what it is: it ends with the last frame.
    """
    n_frames = 0
    window = _Window(asked)
    at: datetime | None = None
    try:
        for at, picture in pictures:
            n_frames += 1
            if (made := window.closed_by(at)) is not None:
                put(made)
            window.add(detector.feet(picture))
    finally:
        if at is not None and (made := window.closed_by(at, ends=True)) is not None:
            put(made)
    return n_frames


class _Window:
    """The numbers of the window at hand."""

    def __init__(self, asked: Watching) -> None:
        self._asked = asked
        self._begin_at: datetime | None = None
        self._n_in = self._n_out = self._n_seen = self._n_frames = 0

    def add(self, feet: npt.NDArray[np.float64]) -> None:
        self._n_frames += 1
        self._n_seen += len(feet)
        if self._asked.crossings is not None:
            n_in, n_out = self._asked.crossings.see(feet)
            self._n_in += n_in
            self._n_out += n_out

    def closed_by(self, at: datetime, *, ends: bool = False) -> Observation | None:
        """Return the window's observation where a frame at this moment is beyond it."""
        if self._begin_at is None:
            self._begin_at = at
            return None
        if not ends and (at - self._begin_at).total_seconds() < self._asked.interval_s:
            return None
        if not self._n_frames or at <= self._begin_at:
            return None
        directed = self._asked.crossings is not None
        made = Observation(
            device_id=self._asked.device_id,
            begin_at=self._begin_at,
            end_at=at,
            sequence=max(0, int(at.timestamp() * 1000)),
            n_in=self._n_in if directed else None,
            n_out=self._n_out if directed else None,
            n_present=None if directed else round(self._n_seen / self._n_frames),
        )
        self._begin_at = at
        self._n_in = self._n_out = self._n_seen = self._n_frames = 0
        return made
