import json

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from anlan.kernel.errors import BadInput
from anlan.kernel.geo import (
    Projection,
    bd09_to_wgs84,
    gcj02_to_wgs84,
    geometry_from,
    into_wgs84,
    polygon_from,
    to_geojson,
    wgs84_to_gcj02,
)

SQUARE = {"type": "Polygon", "coordinates": [[[121.48, 31.23], [121.49, 31.23], [121.49, 31.24], [121.48, 31.23]]]}


@given(st.floats(-10_000, 10_000), st.floats(-10_000, 10_000))
def test_metres_and_degrees_are_inverse_to_a_millimetre(x, y):
    plane = Projection(121.485, 31.22)
    back = plane.to_metres(*plane.to_degrees(x, y))
    assert np.allclose(back, (x, y), atol=1e-3)


def test_a_degree_of_latitude_has_its_length():
    # WGS84 meridian arc from 31.0 to 31.1 degrees: 11 086.5 m (series of the meridian radius).
    x, y = Projection(121.485, 31.0).to_metres(121.485, 31.1)
    assert y == pytest.approx(11_086.5, abs=1.0)
    assert x == pytest.approx(0, abs=1e-6)


@given(st.floats(100, 125), st.floats(20, 45))
def test_gcj02_is_undone_to_a_centimetre(lon, lat):
    there = wgs84_to_gcj02(lon, lat)
    back = gcj02_to_wgs84(*there)
    assert np.allclose(back, (lon, lat), atol=1e-7)


def test_gcj02_shifts_shanghai_by_half_a_kilometre():
    lon, lat = wgs84_to_gcj02(121.485, 31.22)
    x, y = Projection(121.485, 31.22).to_metres(lon, lat)
    assert 400 < float(np.hypot(x, y)) < 600


def test_bd09_lies_further_out_than_gcj02_and_comes_back():
    lon, lat = bd09_to_wgs84(121.49612, 31.22387)
    x, y = Projection(121.485, 31.22).to_metres(lon, lat)
    assert float(np.hypot(x, y)) < 60


def test_an_undeclared_datum_is_refused():
    with pytest.raises(BadInput, match="must be wgs84, gcj02 or bd09"):
        into_wgs84(shapely.Point(1, 2), "nad27")


def test_swapped_coordinates_are_told_as_such():
    swapped = {"type": "Polygon", "coordinates": [[[31.23, 121.48], [31.23, 121.49], [31.24, 121.49], [31.23, 121.48]]]}
    with pytest.raises(BadInput, match="swap them"):
        polygon_from(swapped)


def test_a_self_crossing_polygon_tells_where():
    bow = {"type": "Polygon", "coordinates": [[[0, 0], [2, 2], [2, 0], [0, 2], [0, 0]]]}
    with pytest.raises(BadInput, match=r"Self-intersection\[1 1\]"):
        polygon_from(bow)


@pytest.mark.parametrize(
    ("given_geojson", "rule"),
    [
        ("{", "must be JSON"),
        ("[]", "must be a GeoJSON object"),
        ({"type": "Polygon"}, "must be a GeoJSON geometry"),
        ({"type": "FeatureCollection", "features": []}, "must hold exactly one"),
        ({"type": "FeatureCollection", "features": {"a": 1}}, "must hold exactly one"),
        ({"type": "FeatureCollection", "features": 5}, "must hold exactly one"),
        ({"type": "FeatureCollection", "features": [5]}, "must be a GeoJSON geometry"),
        ({"type": "Feature", "geometry": 5}, "must be a GeoJSON geometry"),
        ({"type": "Point", "coordinates": [1, 2]}, "must be a Polygon or MultiPolygon"),
        ({"type": "Polygon", "coordinates": []}, "must not be empty"),
    ],
)
def test_what_is_no_polygon_is_refused(given_geojson, rule):
    with pytest.raises(BadInput, match=rule):
        polygon_from(given_geojson)


def test_features_and_text_are_taken():
    wrapped = {"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {}, "geometry": SQUARE}]}
    assert polygon_from(json.dumps(wrapped)).equals(geometry_from(SQUARE))


def test_geojson_is_rounded_to_ten_centimetres():
    out = to_geojson(shapely.Point(121.48000049, 31.2))
    assert out == {"type": "Point", "coordinates": (121.48, 31.2)}
