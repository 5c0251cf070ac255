"""The district's devices as the estimator needs them: which cells each one sees, and how."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from scipy.ndimage import gaussian_filter
from scipy.special import ndtr
from shapely.geometry import LineString
from shapely.geometry.base import BaseGeometry

from anlan.crowd.cells import Cells
from anlan.crowd.gates import Gates, gates_of
from anlan.crowd.inside import Inside, Shares
from anlan.crowd.terrain import Sheet
from anlan.kernel.pack import Pack
from anlan.kernel.records import Device, DeviceKind

Floats = npt.NDArray[np.float64]


BESIDE_M = 100.0
"""How far from the street visitors are indoors, about."""
LIVED_IN = 5.0
"""A square in which so many persons are to be expected indoors has a number of its own for them."""


@dataclass(frozen=True, eq=False)
class Passages:
    """Counters over a line across a street: the cell under each, and the line's width."""

    devices: tuple[Device, ...]
    cell: npt.NDArray[np.int64]
    width_m: Floats


@dataclass(frozen=True, eq=False)
class Views:
    """Counters of a field of view: ``weights @ persons`` is the people in each."""

    devices: tuple[Device, ...]
    weights: sp.csr_matrix


@dataclass(frozen=True, eq=False)
class Cordons:
    """Closed places, and the gates of each."""

    place_ids: tuple[str, ...]
    devices: tuple[tuple[Device, ...], ...]
    gates: Gates
    weights: sp.csr_matrix


@dataclass(frozen=True, eq=False, kw_only=True)
class Grid:
    """A location grid: ``weights @ persons`` is what falls into each square, the position error included.

    ``indoors`` (n_squares,) persons to be expected indoors by square; ``lived_in`` the squares where there are any.
    """

    device: Device
    weights: sp.csr_matrix
    indoors: Floats
    lived_in: npt.NDArray[np.int64]
    share: float
    suppressed_below: int

    @property
    def middles(self) -> tuple[Floats, Floats]:
        """East and north of the middle of every square, each of shape (n_squares,)."""
        spec = self.device.grid
        assert spec is not None  # noqa: S101 - the pack's reader gives every grid device its squares
        number = np.arange(spec.n_columns * spec.n_rows)
        x_m = spec.west_m + spec.size_m * (number % spec.n_columns + 0.5)
        y_m = spec.south_m + spec.size_m * (number // spec.n_columns + 0.5)
        return np.asarray(x_m, np.float64), np.asarray(y_m, np.float64)


@dataclass(frozen=True, eq=False)
class Grounds:
    """Places that have cells mostly to themselves: which (n_places, n), and their middles in metres (n_places, 2).

    ``gated`` (n_places,) are those behind gates that count.
    """

    place_ids: tuple[str, ...]
    cells: sp.csr_matrix
    middles: Floats
    gated: npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Sources:
    """Everything that reports, by kind."""

    passages: Passages
    views: Views
    cordons: Cordons
    grids: tuple[Grid, ...]
    grounds: Grounds

    @property
    def tell_presence(self) -> bool:
        """Whether anything tells how many people are present; passing people alone do not."""
        return bool(self.views.devices or self.cordons.place_ids or self.grids)

    @property
    def names(self) -> tuple[str, ...]:
        """Of which places and devices the filter has numbers, with their kinds and in the order of these."""
        gates = [gate for of_place in self.cordons.devices for gate in of_place]
        grids = [grid.device for grid in self.grids]
        return (
            *(f"place:{place_id}" for place_id in self.grounds.place_ids),
            *(f"closed:{place_id}" for place_id in self.cordons.place_ids),
            *(f"{one.kind}:{one.device_id}" for one in (*grids, *self.passages.devices, *self.views.devices, *gates)),
        )


def sources_of(pack: Pack, cells: Cells) -> Sources:
    """Return the devices of a pack over its cells; a device whose cells are not walkable is left out."""
    kinds = {kind: [d for d in pack.devices if d.kind is kind] for kind in DeviceKind}
    return Sources(
        passages=_passages(pack, cells, kinds[DeviceKind.PASSAGE]),
        views=_views(pack, cells, kinds[DeviceKind.AREA]),
        cordons=_cordons(pack, cells, kinds[DeviceKind.GATE]),
        grids=tuple(_grid(cells, device) for device in kinds[DeviceKind.GRID]),
        grounds=_grounds(pack, cells),
    )


def _grounds(pack: Pack, cells: Cells) -> Grounds:
    parts = [cells.of_place(k, pack.projection.project(place.polygon)) for k, place in enumerate(pack.places)]
    found = Inside.of(parts).weights(len(cells))
    mostly = sp.csr_matrix(found > 0.5, dtype=float)
    n_cells = mostly.getnnz(axis=1)
    some = n_cells > 0
    middles = mostly[some] @ np.column_stack([cells.x_m, cells.y_m]) / n_cells[some, None]
    gates = {device.place_id for device in pack.devices if device.kind is DeviceKind.GATE}
    gated = np.array([place.closed and place.place_id in gates for place in pack.places], bool)
    place_ids = tuple(place.place_id for place, one in zip(pack.places, some, strict=True) if one)
    return Grounds(place_ids, mostly[some], np.asarray(middles), gated[some])


def visited(cells: Cells) -> Floats:
    r"""Return how much built-up ground is beside each cell for the ground that can be walked on, shape (n,).

    .. math:: b_c = \frac{\bar h_c}{\bar w_c \, \bar b}

    with houses :math:`h` and walkable ground :math:`w` smoothed over a hundred metres, and :math:`\bar b` so that it is
    one on average over the people who are usually out. Shops and offices have visitors where there are houses, and on a
    river's bank there are few.
    """
    beside, ground = (
        gaussian_filter(cells.raster(values, 0.0), BESIDE_M / cells.size_m)[::-1][cells.row, cells.column]
        for values in (cells.houses_m2, cells.walkable_m2)
    )
    ratio = beside / np.maximum(ground, 1e-9)
    usual = float(cells.expected @ ratio) / float(cells.expected.sum())
    return np.asarray(ratio / usual) if usual > 0 else np.ones(len(cells))


def _passages(pack: Pack, cells: Cells, devices: Sequence[Device]) -> Passages:
    kept, cell, width = [], [], []
    for device in devices:
        line = pack.projection.project(device.geometry)
        if not isinstance(line, LineString):
            continue
        middle = line.interpolate(0.5, normalized=True)
        number = cells.at(middle.x, middle.y)
        if number is not None:
            kept.append(device)
            cell.append(number)
            width.append(max(line.length, 1.0))
    return Passages(tuple(kept), np.array(cell, np.int64), np.array(width))


def _views(pack: Pack, cells: Cells, devices: Sequence[Device]) -> Views:
    found = [(device, _in_view(pack, cells, pack.projection.project(device.geometry))) for device in devices]
    found = [(device, seen) for device, seen in found if len(seen[0])]
    return Views(tuple(d for d, _ in found), Inside.of([seen for _, seen in found]).weights(len(cells)))


def _in_view(pack: Pack, cells: Cells, view: BaseGeometry) -> Shares:
    """Return the cells in a view, and the part of each one's people in it.

    On the ground of an open place, people stand within its outline: a view over the whole width of a street sees all of
    them, though it covers a half of the square.
    """
    index, share = cells.shares(view)
    sheet = Sheet(cells.west_m, cells.south_m, cells.size_m, cells.n_rows, cells.n_columns)
    row, column, place = cells.row[index], cells.column[index], cells.place[index]
    for number in np.unique(place[place >= 0]):
        outline, mine = pack.projection.project(pack.places[number].polygon), place == number
        held, seen = (sheet.share(shape)[row[mine], column[mine]] for shape in (outline, outline.intersection(view)))
        share[mine] = np.minimum(np.divide(seen, held, out=share[mine], where=held > 0), 1.0)
    return index, share


def _cordons(pack: Pack, cells: Cells, gates: Sequence[Device]) -> Cordons:
    place_ids, devices, found = [], [], []
    for place in pack.places:
        mine = tuple(gate for gate in gates if gate.place_id == place.place_id)
        seen = cells.shares(pack.projection.project(place.polygon))
        if place.closed and mine and len(seen[0]):
            place_ids.append(place.place_id)
            devices.append(mine)
            found.append(seen)
    widths = [[(gate.device_id, pack.projection.project(gate.geometry).length) for gate in mine] for mine in devices]
    return Cordons(tuple(place_ids), tuple(devices), gates_of(widths), Inside.of(found).weights(len(cells)))


def _grid(cells: Cells, device: Device) -> Grid:
    """Blur each cell over the squares: the product of the normal distribution's parts in x and y."""
    spec = device.grid
    assert spec is not None  # noqa: S101 - the pack's reader gives every grid device its squares
    blur = max(spec.blur_m, 1e-3)

    def parts(centre: Floats, first: float, n: int) -> Floats:
        bound = first + spec.size_m * np.arange(n + 1)
        return np.diff(ndtr((bound - centre[:, None]) / blur), axis=1)

    # Cells share columns and rows: the parts are computed once for each, not once for each cell.
    xs, x_of = np.unique(cells.x_m, return_inverse=True)
    ys, y_of = np.unique(cells.y_m, return_inverse=True)
    east, north = parts(xs, spec.west_m, spec.n_columns), parts(ys, spec.south_m, spec.n_rows)
    rows, columns, values = [], [], []
    for j in range(spec.n_rows):
        near_y = north[y_of, j]
        for i in range(spec.n_columns):
            share = east[x_of, i] * near_y
            seen = np.flatnonzero(share > 0.01)
            rows.append(np.full(len(seen), j * spec.n_columns + i))
            columns.append(seen)
            values.append(share[seen])
    shape = (spec.n_columns * spec.n_rows, len(cells))
    weights = sp.csr_matrix((np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))), shape=shape)
    indoors = np.asarray(weights @ cells.indoors).ravel()
    lived_in = np.flatnonzero(indoors >= LIVED_IN)
    return Grid(
        device=device,
        weights=weights,
        indoors=indoors,
        lived_in=lived_in,
        share=spec.market_share,
        suppressed_below=spec.suppressed_below,
    )
