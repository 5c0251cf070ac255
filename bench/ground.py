"""The real Huangpu, imported once for all parts that are measured on it."""

from __future__ import annotations

import os
import tempfile
from functools import cache
from pathlib import Path

from anlan.kernel.pack import Pack
from anlan.pack import import_osm

DATA = Path(os.environ.get("ANLAN_DATA", Path(__file__).parents[2] / "shared" / "data"))


@cache
def real_huangpu() -> Pack | None:
    """Return the imported district, or None where its files are not there."""
    roads, admin = DATA / "huangpu_roads", DATA / "huangpu_admin"
    if not roads.is_dir():
        return None
    places = [roads / "nanjing_road_mall_derived.geojson", roads / "metro_stations.geojson"]
    with tempfile.TemporaryDirectory() as folder:
        return import_osm(
            roads / "huangpu_roads_2025-08-09.osm.gz",
            admin,
            Path(folder) / "huangpu",
            committees=admin / "committees.csv",
            places=places,
        )
