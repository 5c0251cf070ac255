"""Draw the schematic Huangpu: ``python districts/draw_huangpu.py [FOLDER]`` writes districts/huangpu.

Everything is drawn here by hand and by rule. Names, codes and figures of the district's administration are facts; no
shape is taken from a map. The same run gives the same files.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import shapely
from huangpu_drawing import facts
from huangpu_drawing.areas import draw_areas, in_degrees
from huangpu_drawing.counters import draw_border, draw_devices
from huangpu_drawing.fabric import Sketch, fill, named_roads
from huangpu_drawing.gateways import draw_gateways, draw_response
from huangpu_drawing.ground import LAT, LON, PLANE, Ground, draw_ground, largest, shore
from huangpu_drawing.ladders import LADDERS
from huangpu_drawing.network import Piece, elevated, join, streets_of
from huangpu_drawing.places import (
    VENUES,
    Gate,
    bridge_path,
    greens,
    make,
    open_paths,
    open_places,
    pond,
    promenade_paths,
    venue_grounds,
    wall_of,
)  # fmt: skip
from shapely.geometry import LineString, Polygon

from anlan.kernel.geo import Area2D
from anlan.kernel.ladders import with_density
from anlan.kernel.pack import Pack
from anlan.kernel.records import Place
from anlan.pack import read_pack, write_pack

OUT = Path(__file__).with_name("huangpu")
SEED = 310101
VERSION = "2"
BRIDGE_HALF_M = 9.0


@dataclass(frozen=True, eq=False)
class Town:
    """Places, streets and blocks, still in metres."""

    places: list[Place]
    gates: list[Gate]
    blocks: list[Polygon]
    borders: list[LineString]
    pieces: list[Piece]


def draw_town(ground: Ground, rng: np.random.Generator) -> Town:
    """Draw the named roads, the venues in their faces, the fabric in the others, and the ways on foot."""
    sketch = Sketch(strokes=named_roads(ground))
    faces = venue_grounds(sketch, ground)
    riverside = np.vstack([shore(ground.bank), shapely.get_coordinates(ground.bank)[::-1]])
    sketch.kept.append(largest(Polygon(riverside).buffer(1.0)))
    places = [make(venue, wall_of(venue, faces[venue.place_id])) for venue in VENUES]
    places += open_places(ground, sketch.strokes)
    blocks = fill(sketch, ground, rng)
    borders = [stroke.line for stroke in sketch.strokes if not stroke.inner]
    gates: list[Gate] = []
    for venue in VENUES:
        if venue.n_gates:
            paths, found = open_paths(venue, faces[venue.place_id], rng)
            sketch.strokes += paths
            gates += found
    sketch.strokes += [*promenade_paths(ground, sketch.strokes), bridge_path()]
    pieces = join(sketch.strokes, [gate.middle for gate in gates])
    return Town(places, gates, blocks, borders, pieces + elevated(ground, pieces))


def draw_water(ground: Ground, town: Town) -> list[Area2D]:
    """Return river, creek and pond in degrees, open under the bridges that one walks on."""
    over = [line for line, stroke in town.pieces if stroke.walk and line.intersects(ground.water)]
    water = ground.water.difference(shapely.union_all(over).buffer(BRIDGE_HALF_M, cap_style="flat"))
    parts = [part for part in shapely.get_parts(water) if part.area > 50.0]
    return [PLANE.unproject(part) for part in (*parts, pond(town.places))]


def draw() -> Pack:
    """Draw the district."""
    ground = draw_ground()
    town = draw_town(ground, np.random.default_rng(SEED))
    areas = in_degrees(draw_areas(ground, town.borders))
    stations, posts, units = draw_response(areas, town.pieces)
    gateways = draw_gateways(town.pieces, ground)
    devices = draw_devices(town.places, town.gates, town.pieces, ground)
    return Pack(
        pack_id="huangpu",
        version=VERSION,
        name={"zh": "黄浦区", "en": "Huangpu District"},
        time_zone="Asia/Shanghai",
        languages=("zh", "en"),
        lon=LON,
        lat=LAT,
        areas=areas,
        places=tuple(with_density(LADDERS, place) for place in town.places),
        streets=tuple(streets_of(town.pieces)),
        devices=(*devices, *draw_border(gateways, town.pieces)),
        gateways=tuple(gateways),
        water=tuple(draw_water(ground, town)),
        green=tuple(PLANE.unproject(green) for green in greens(town.places, town.blocks, ground)),
        stations=tuple(stations),
        posts=tuple(posts),
        units=tuple(units),
        calendar=facts.calendar(),
        ladders=LADDERS,
        usual=read_pack(OUT).usual,  # counted by survey_huangpu.py, not drawn
        schematic=True,
        notice=facts.NOTICE,
        figures=facts.FIGURES,
    )


if __name__ == "__main__":
    write_pack(draw(), Path(sys.argv[1]) if len(sys.argv) > 1 else OUT)
