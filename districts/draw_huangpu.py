"""Draw the schematic Huangpu: ``python districts/draw_huangpu.py`` writes districts/huangpu.

Everything is drawn here by hand and by rule. Names, codes and figures of the district's administration are facts; no
shape is taken from a map. The same run gives the same files.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import shapely
from shapely.geometry import Point, Polygon

from anlan.kernel.pack import Pack
from anlan.pack import write_pack
from huangpu_drawing import facts, hand
from huangpu_drawing.areas import draw_areas, in_degrees
from huangpu_drawing.counters import draw_devices
from huangpu_drawing.fabric import CONCESSION, ESTATES, OLD_TOWN, SETTLEMENT, Grain, Sketch, fill, named_roads
from huangpu_drawing.gateways import draw_gateways, draw_response
from huangpu_drawing.ground import LAT, LON, PLANE, draw_ground, largest, metres, shore
from huangpu_drawing.network import elevated, join, streets_of
from huangpu_drawing.places import (
    PROMENADE, VENUES, bridge_path, greens, make, open_paths, open_places, pond, promenade_paths, venue_grounds, wall_of,
)  # fmt: skip

OUT = Path(__file__).with_name("huangpu")
SEED = 310101


def grain_at(point: Point) -> Grain:
    """Tell how fine the fabric is at a point."""
    x, y = point.x / 1000, point.y / 1000
    if _OVAL.buffer(15.0).contains(point):
        return OLD_TOWN
    if y > 0.98 + 0.13 * x and x < 2.0 and x > -1.5 and y > 1.05:
        return SETTLEMENT
    if y < -0.88 - 0.14 * max(x, 0.0):
        return ESTATES
    return SETTLEMENT if x > -0.15 else CONCESSION


_OVAL = Polygon(metres(hand.ring(0, 360)))


def draw() -> Pack:
    """Draw the district."""
    rng = np.random.default_rng(SEED)
    ground = draw_ground()
    sketch = Sketch(strokes=named_roads(ground))
    faces = venue_grounds(sketch, ground)
    bank_xy, shore_xy = shapely.get_coordinates(ground.bank), shore(ground.bank)
    sketch.kept.append(largest(Polygon(np.vstack([shore_xy, bank_xy[::-1]])).buffer(1.0)))
    places = [make(venue, wall_of(venue, faces[venue.place_id])) for venue in VENUES] + open_places(
        ground, sketch.strokes
    )
    gates = []
    blocks = fill(sketch, ground, grain_at, rng)
    lines = [stroke.line for stroke in sketch.strokes if not stroke.inner]
    for venue in VENUES:
        if venue.n_gates:
            paths, found = open_paths(venue, faces[venue.place_id], rng)
            sketch.strokes += paths
            gates += found
    sketch.strokes += [*promenade_paths(ground, sketch.strokes), bridge_path()]
    pieces = join(sketch.strokes)
    pieces += elevated(ground, pieces)
    areas = in_degrees(draw_areas(ground, lines))
    stations, posts, units = draw_response(areas, pieces)
    bridges = shapely.union_all(
        [p for p, s in pieces if p.intersects(ground.water) and not s.street_class.startswith("trunk")]
    )
    water = ground.water.difference(bridges.buffer(9.0, cap_style="flat"))
    wet = [PLANE.unproject(p) for p in shapely.get_parts(water) if p.area > 50.0]
    return Pack(
        pack_id="huangpu",
        version="2",
        name={"zh": "黄浦区", "en": "Huangpu District"},
        time_zone="Asia/Shanghai",
        languages=("zh", "en"),
        lon=LON,
        lat=LAT,
        areas=areas,
        places=tuple(places),
        streets=tuple(streets_of(pieces)),
        devices=tuple(draw_devices(places, gates, pieces, ground)),
        gateways=tuple(draw_gateways(pieces, ground)),
        water=(*wet, PLANE.unproject(pond(places))),
        green=tuple(PLANE.unproject(green) for green in greens(places, blocks, ground)),
        stations=tuple(stations),
        posts=tuple(posts),
        units=tuple(units),
        calendar=facts.calendar(),
        schematic=True,
        notice=facts.NOTICE,
        figures=facts.FIGURES,
    )


def main(folder: Path = OUT) -> None:
    """Draw, and write the pack."""
    write_pack(draw(), folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else OUT)
