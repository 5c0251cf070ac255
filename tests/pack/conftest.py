import json
import os
from pathlib import Path

import pytest

from anlan.pack import import_osm

DISTRICT = """
format = 1
id = "old-town"
version = "1"
name = { zh = "老城", en = "Old Town" }
time_zone = "Asia/Shanghai"
languages = ["zh", "en"]
centre = [121.48, 31.22]
confirmed_years = [2026]

[[levels]]
key = "district"
label = { zh = "区", en = "District" }

[[levels]]
key = "street"
label = { zh = "街道", en = "Street" }
"""


def ring(lon, lat, size=0.004):
    corners = [(lon, lat), (lon + size, lat), (lon + size, lat + size), (lon, lat + size), (lon, lat)]
    return {"type": "Polygon", "coordinates": [[[round(x, 6), round(y, 6)] for x, y in corners]]}


def line(*points):
    return {"type": "LineString", "coordinates": [list(point) for point in points]}


def point(lon, lat):
    return {"type": "Point", "coordinates": [lon, lat]}


class Folder:
    """A pack folder whose files a test rewrites."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def features(self, file, *rows):
        features = [{"type": "Feature", "properties": row, "geometry": geometry} for geometry, row in rows]
        return self.text(file, json.dumps({"type": "FeatureCollection", "features": features}))

    def text(self, file, text):
        target = self.path / file
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, "utf-8")
        return self

    def header(self, old, new):
        text = (self.path / "district.toml").read_text("utf-8")
        assert old in text
        return self.text("district.toml", text.replace(old, new))


@pytest.fixture
def folder(tmp_path):
    """A small sound pack: one garden behind a gate, a street, a unit at its station, a calendar."""
    made = Folder(tmp_path / "old-town").text("district.toml", DISTRICT)
    made.features("areas/district.geojson", (ring(121.46, 31.20, 0.04), {"code": "31"}))
    made.features("areas/street.geojson", (ring(121.47, 31.21), {"code": "31-1", "parent": "31", "name_zh": "一街"}))
    garden = {"id": "garden", "kind": "venue", "name_zh": "园", "capacity": 500, "closed": True}
    made.features("places.geojson", (ring(121.48, 31.22), garden))
    gate = {"id": "gate-1", "kind": "gate", "place": "garden"}
    made.features("devices.geojson", (line((121.48, 31.221), (121.48, 31.2211)), gate))
    street = {"id": "w1", "class": "residential", "width_m": 4, "speed_kmh": 30}
    made.features("streets.geojson", (line((121.47, 31.21), (121.475, 31.215)), street))
    made.features("stations.geojson", (point(121.475, 31.212), {"id": "st-1"}))
    made.features("posts.geojson", (point(121.476, 31.212), {"id": "post-1"}))
    made.text("units.csv", "id,name_zh,kind,crew,station,post\ncar-1,一号车,vehicle,4,st-1,post-1\n")
    made.text("ladders.csv", "of,measure,notice,yellow,orange,red,source\n*,density,2,3,4,5,Fruin 1971\n")
    return made.text("calendar.csv", "on,kind,name_zh\n2026-10-01,rest,国庆节\n2026-10-10,work,\n")


@pytest.fixture(scope="session")
def real():
    """The folder of real files beside the project, where it is there."""
    folder = Path(os.environ.get("ANLAN_DATA", Path(__file__).parents[2] / ".." / "shared" / "data"))
    if not (folder / "huangpu_roads").is_dir():
        pytest.skip(f"the real files are not at {folder}: set ANLAN_DATA")
    return folder


@pytest.fixture(scope="session")
def huangpu(real, tmp_path_factory):
    """The real Huangpu, as a district's own staff would import it."""
    roads, admin = real / "huangpu_roads", real / "huangpu_admin"
    return import_osm(
        roads / "huangpu_roads_2025-08-09.osm.gz",
        admin,
        tmp_path_factory.mktemp("real") / "huangpu",
        committees=admin / "committees.csv",
        places=[roads / "nanjing_road_mall_derived.geojson", roads / "metro_stations.geojson"],
    )
