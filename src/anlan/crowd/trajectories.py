"""Density, flow and speed from trajectories of volunteers in laboratories: to check the field's relations against.

Nothing that Anlan takes in has trajectories, and nothing of the public ever comes here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry import LineString, Polygon

from anlan.kernel.errors import BadInput

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False, kw_only=True)
class Trajectories:
    """Positions of walkers in a laboratory, one row for each walker and frame, ordered by walker and frame.

    Attributes
    ----------
    walker, frame : int64, shape (n,)
    x_m, y_m : float64, shape (n,)
    per_s : float
        Frames per second.

    Raises
    ------
    BadInput
        If the columns differ in length or the frame rate is not positive.
    """

    walker: Indices
    frame: Indices
    x_m: Floats
    y_m: Floats
    per_s: float

    def __post_init__(self) -> None:
        """Refuse columns that do not fit."""
        if not len(self.walker) == len(self.frame) == len(self.x_m) == len(self.y_m):
            raise BadInput("the columns", "must be of one length", "give one row for each walker and frame")
        if not self.per_s > 0:
            raise BadInput(f"per_s={self.per_s}", "must be > 0 frames per second", "give the camera's rate")

    @property
    def frames(self) -> Indices:
        """Every frame from the first to the last."""
        return np.arange(self.frame.min(), self.frame.max() + 1)


def classical_density(seen: Trajectories, area: Polygon) -> Floats:
    r"""Return the density in an area at each frame, 1/m²: :math:`\rho = N / |A|`.

    Parameters
    ----------
    seen : Trajectories
    area : Polygon, metres

    Returns
    -------
    float64, shape (frames,)

    References
    ----------
    B. Steffen, A. Seyfried, *Methods for measuring pedestrian density, flow, speed and direction*, Physica A 389, 2010.

    Examples
    --------
    >>> one = np.array([0, 0]), np.array([0, 1]), np.array([0.5, 3.0]), np.array([0.5, 0.5])
    >>> seen = Trajectories(walker=one[0], frame=one[1], x_m=one[2], y_m=one[3], per_s=1.0)
    >>> classical_density(seen, shapely.box(0, 0, 2, 1)).tolist()
    [0.5, 0.0]
    """
    inside = shapely.contains_xy(area, seen.x_m, seen.y_m)
    frames = seen.frames
    return np.bincount(seen.frame[inside] - frames[0], minlength=len(frames)) / area.area


def voronoi_density(seen: Trajectories, floor: Polygon, area: Polygon) -> Floats:
    r"""Return the Voronoi density in an area at each frame, 1/m².

    .. math:: \rho = \frac{1}{|A|} \sum_i \frac{|V_i \cap A|}{|V_i|}

    with :math:`V_i` the ground nearer to walker i than to any other, within the floor and joined to the walker.

    Parameters
    ----------
    seen : Trajectories
    floor : Polygon, metres
        Where one can walk.
    area : Polygon, metres

    Returns
    -------
    float64, shape (frames,)

    References
    ----------
    B. Steffen, A. Seyfried, *Methods for measuring pedestrian density, flow, speed and direction*, Physica A 389, 2010.

    Examples
    --------
    >>> one = np.array([0]), np.array([0]), np.array([0.5]), np.array([0.5])
    >>> seen = Trajectories(walker=one[0], frame=one[1], x_m=one[2], y_m=one[3], per_s=1.0)
    >>> voronoi_density(seen, shapely.box(0, 0, 4, 1), shapely.box(0, 0, 2, 1)).tolist()
    [0.25]
    """
    frames = seen.frames
    found = np.zeros(len(frames))
    for k, frame in enumerate(frames):
        now = seen.frame == frame
        points = shapely.points(seen.x_m[now], seen.y_m[now])
        points = points[shapely.intersects(floor, points)]
        if len(points):
            grounds = _grounds(points, floor)
            part = shapely.area(shapely.intersection(grounds, area)) / shapely.area(grounds)
            found[k] = part.sum() / area.area
    return found


def _grounds(points: npt.NDArray[np.object_], floor: Polygon) -> npt.NDArray[np.object_]:
    """Return the ground of each point, in any order; of a cell that the walls cut, the piece with the point."""
    if len(points) == 1:
        return np.array([floor])
    shapes = shapely.get_parts(shapely.voronoi_polygons(shapely.multipoints(points), extend_to=floor))
    pieces = shapely.get_parts(shapely.intersection(shapes, floor))
    own, _ = shapely.STRtree(points).query(pieces, predicate="intersects")
    return np.asarray(pieces[np.unique(own)])


def crossing_times(seen: Trajectories, line: LineString) -> Floats:
    """Return when each walker first crosses a line, seconds from the first frame, in order of time.

    Parameters
    ----------
    seen : Trajectories
    line : LineString, metres
        Of two points.
    """
    same = seen.walker[1:] == seen.walker[:-1]
    points = np.column_stack([seen.x_m, seen.y_m])
    steps = shapely.linestrings(np.stack([points[:-1], points[1:]], axis=1)[same])
    crossed = shapely.intersects(steps, line)
    walker, frame = seen.walker[1:][same][crossed], seen.frame[1:][same][crossed]
    order = np.lexsort([frame, walker])
    _, first = np.unique(walker[order], return_index=True)
    return np.sort((frame[order][first] - seen.frames[0]) / seen.per_s)


def specific_flow(times_s: Floats, width_m: float) -> float:
    r"""Return the flow over a line for each metre of width, 1/(m·s): :math:`(N-1)/(\Delta t\, w)`.

    Examples
    --------
    >>> specific_flow(np.array([0.0, 1.0, 2.0]), 0.5)
    2.0
    """
    if len(times_s) < 2 or not width_m > 0:
        raise BadInput(
            f"{len(times_s)} crossings over width_m={width_m}", "must be two at least, over > 0 m", "watch for longer"
        )
    return float((len(times_s) - 1) / (times_s[-1] - times_s[0]) / width_m)
