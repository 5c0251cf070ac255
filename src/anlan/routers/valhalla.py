"""Valhalla behind the port of travel times: tiles are built from an OpenStreetMap extract, and asked in this process.

It holds what the built-in router does not: restrictions of turns between ways, barriers, and what lies outside of the
district. It knows no crowd, no siren and no traffic by hour: its times are those of a free road.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry import LineString, MultiPolygon, Polygon

from anlan.kernel.errors import BadInput, NotFound, Unavailable
from anlan.kernel.geo import Area2D, Floats

COSTING = {"vehicle": "auto", "bicycle": "bicycle", "foot": "pedestrian"}
PACE = {"bicycle": "cycling_speed", "foot": "walking_speed"}
_BLOCK = 100
"""Origins and targets of one question: longer ones only hold more memory."""
_MOST_PAIRS = 4 * _BLOCK * _BLOCK
_PRECISION = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One way: seconds, metres, and the line in degrees."""

    travel_s: float
    length_m: float
    line: LineString


@dataclass(frozen=True, eq=False, kw_only=True)
class ValhallaRouter:
    """Travel times of Valhalla, as the port ``anlan.response.travel.Router`` asks for them.

    Parameters
    ----------
    tiles : Path
        The folder that ``build_tiles`` filled.
    kind : str
        ``vehicle``, ``bicycle`` or ``foot``.
    pace_kmh : float, optional
        How fast a bicycle rides or a person walks on the level; Valhalla's own (about 20 and 5.1 km/h) where left out.

    Raises
    ------
    BadInput
        If the kind is unknown, or a vehicle is given a pace: it drives as each road allows.
    NotFound
        If the folder holds no tiles.
    Unavailable
        If the extra ``valhalla`` is not installed.
    """

    tiles: Path
    kind: str = "vehicle"
    pace_kmh: float | None = None
    _actor: Any = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if self.kind not in COSTING:
            raise BadInput(f"kind={self.kind!r}", f"must be one of {', '.join(COSTING)}", "choose one")
        if self.pace_kmh is not None and (self.kind not in PACE or not 1 <= self.pace_kmh <= 25):
            raise BadInput(
                f"pace_kmh={self.pace_kmh:g} of {self.kind}", "must be 1..25 km/h on foot or by bicycle", "leave it out"
            )
        if next(self.tiles.rglob("*.gph"), None) is None:
            raise NotFound(f"folder {str(self.tiles)!r}", "holds no tiles", "fill it with build_tiles")
        object.__setattr__(self, "_actor", _valhalla().Actor(_config(self.tiles)))

    def times_s(self, origins: Floats, targets: Floats, limit_s: float) -> npt.NDArray[np.float32]:
        """Return the times (K, M) in seconds between points (K, 2) and (M, 2) in degrees, longitude first.

        Infinite beyond the limit and where no way leads, as the built-in router answers.
        """
        made = np.full((len(origins), len(targets)), np.inf, np.float32)
        for a in range(0, len(origins), _BLOCK):
            for b in range(0, len(targets), _BLOCK):
                found = self._asked(
                    "matrix",
                    sources=_spots(origins[a : a + _BLOCK]),
                    targets=_spots(targets[b : b + _BLOCK]),
                )["sources_to_targets"]
                seconds = [[np.inf if one["time"] is None else one["time"] for one in row] for row in found]
                made[a : a + _BLOCK, b : b + _BLOCK] = seconds
        return np.where(made <= limit_s, made, np.float32(np.inf))

    def isochrone(self, origin: tuple[float, float], limit_s: float) -> Area2D:
        """Return the ground in degrees that is reached from a point within some seconds."""
        if not limit_s > 0:
            raise BadInput(f"limit_s={limit_s:g}", "must be > 0 s", "give the time promised")
        found = self._asked(
            "isochrone",
            locations=_spots(np.array([origin])),
            contours=[{"time": limit_s / 60}],
            polygons=True,
            denoise=0.0,
            generalize=0.0,
        )
        parts = [shapely.from_geojson(json.dumps(one["geometry"])) for one in found["features"]]
        whole = shapely.union_all([shapely.make_valid(one) for one in parts])
        flat = [one for one in shapely.get_parts(whole) if isinstance(one, Polygon)]
        return flat[0] if len(flat) == 1 else MultiPolygon(flat)

    def route(self, origin: tuple[float, float], target: tuple[float, float]) -> Route:
        """Return the way from a point to another.

        Raises
        ------
        NotFound
            If no way leads there.
        """
        leg = self._asked("route", locations=_spots(np.array([origin, target])))["trip"]["legs"][0]
        return Route(
            travel_s=float(leg["summary"]["time"]),
            length_m=1000 * float(leg["summary"]["length"]),
            line=LineString(_line_of(leg["shape"])),
        )

    def _asked(self, verb: str, **what: Any) -> dict[str, Any]:
        costing, options = COSTING[self.kind], {}
        if self.pace_kmh is not None:
            options = {"costing_options": {costing: {PACE[self.kind]: self.pace_kmh}}}
        try:
            told = getattr(self._actor, verb)({"costing": costing, "units": "kilometers", **options, **what})
        except RuntimeError as fault:
            raise NotFound(f"a {verb} by {self.kind}", f"does not exist ({fault})", "ask for other points") from None
        found: dict[str, Any] = json.loads(told) if isinstance(told, str) else told
        return found


def build_tiles(extract: Path, folder: Path) -> Path:
    """Build tiles from an OpenStreetMap extract (``.osm``, ``.osm.gz``, ``.osm.pbf``) and return their folder.

    Raises
    ------
    NotFound
        If the extract does not exist.
    Unavailable
        If the extra ``valhalla`` is not installed, or its builder fails.
    """
    builder = Path(_valhalla().PYVALHALLA_DIR) / "bin" / "valhalla_build_tiles"
    if not extract.is_file():
        raise NotFound(f"file {str(extract)!r}", "does not exist", "give an OpenStreetMap extract")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as beside:
        packed, config = Path(beside) / "extract.osm.pbf", Path(beside) / "valhalla.json"
        config.write_text(json.dumps(_config(folder)), encoding="utf-8")
        if not extract.name.endswith(".pbf"):
            _pack(extract, packed)
        given = extract.resolve() if extract.name.endswith(".pbf") else packed
        made = subprocess.run(  # noqa: S603 - the builder of the extra, by full path; it leaves lists where it runs
            [str(builder), "-c", str(config), str(given)], cwd=beside, capture_output=True, text=True, check=False
        )
    if made.returncode or next(folder.rglob("*.gph"), None) is None:
        told = (made.stderr or made.stdout).strip().splitlines()[-1:]
        raise Unavailable(f"tiles of {extract.name}", f"were not built ({' '.join(told)})", "check the extract")
    return folder


def _pack(extract: Path, packed: Path) -> None:
    import osmium  # noqa: PLC0415 - slow to load, and needed here alone

    with osmium.SimpleWriter(str(packed), overwrite=True) as writer:
        for one in osmium.FileProcessor(str(extract)):
            writer.add(one)


def _valhalla() -> Any:
    try:
        import valhalla  # noqa: PLC0415 - an extra, which a district may lack
    except ImportError:
        raise Unavailable("library valhalla", "is not installed", "pip install 'anlan[valhalla]'") from None
    return valhalla


def _config(tiles: Path) -> dict[str, Any]:
    made: dict[str, Any] = _valhalla().get_config(tile_dir=str(tiles.resolve()), tile_extract="", verbose=False)
    made["mjolnir"]["concurrency"] = 1
    for costing in COSTING.values():
        made["service_limits"][costing]["max_matrix_location_pairs"] = _MOST_PAIRS
    return made


def _spots(points: Floats) -> list[dict[str, float]]:
    return [{"lon": float(lon), "lat": float(lat)} for lon, lat in points]


def _line_of(shape: str) -> list[tuple[float, float]]:
    """Return the points of a line as Valhalla writes it: differences in five bits a character, latitude first."""
    numbers, value, shift = [], 0, 0
    for character in shape:
        bits = ord(character) - 63
        value |= (bits & 31) << shift
        shift += 5
        if bits < 32:
            numbers.append(~(value >> 1) if value & 1 else value >> 1)
            value = shift = 0
    steps = np.cumsum(np.array(numbers, np.int64).reshape(-1, 2), axis=0) * _PRECISION
    return [(float(lon), float(lat)) for lat, lon in steps]
