"""A survey of footfall and a census by area, as a pack tells them."""

from dataclasses import replace

import numpy as np
import pytest
import shapely

from anlan.crowd import Cells
from anlan.crowd.usual import LEAST
from anlan.kernel.areas import AreaTree
from anlan.kernel.pack import Usual
from anlan.pack import check_pack, read_pack, write_pack

HEADER = "lon,lat,size_m,persons_03,persons_12\n"


def told(folder, *rows):
    folder.text("usual.csv", HEADER + "\n".join(rows) + "\n")
    return [(fault.row, fault.value, fault.rule) for fault in check_pack(folder.path) if fault.file == "usual.csv"]


def surveyed(pack, persons, hours=(3, 12)):
    """The pack with one square of 50 m about its centre, in which so many people were seen."""
    centre = {"lon": np.array([pack.lon]), "lat": np.array([pack.lat]), "size_m": np.array([50.0])}
    return replace(pack, usual=Usual(**centre, hours=hours, persons=np.array([persons], float)))


def test_a_survey_is_read_with_the_hours_at_which_anybody_looked(folder):
    assert told(folder, "121.4805,31.2205,25,0,4.5", "121.4810,31.2205,25,,7") == []
    usual = read_pack(folder.path).usual
    assert usual.hours == (3, 12)
    assert usual.persons.tolist()[0] == [0.0, 4.5]
    assert np.isnan(usual.persons[1, 0])


def test_a_survey_is_written_and_read_back(folder, tmp_path):
    pack = surveyed(read_pack(folder.path), [1.5, 20.0])
    write_pack(pack, tmp_path / "again")
    assert read_pack(tmp_path / "again").usual.persons.tolist() == [[1.5, 20.0]]


@pytest.mark.parametrize(
    ("row", "rule"),
    [
        ("121.48,31.22,25,-1,2", "must be >= 0 persons"),
        ("121.48,31.22,2,1,2", "must be >= 5 m"),
        ("121.48,31.22,25,,", "must hold a number for one hour at least"),
    ],
)
def test_a_faulty_square_is_told_with_its_row(folder, row, rule):
    assert [(2, rule)] == [(number, what) for number, _, what in told(folder, row)]


def test_squares_on_each_other_are_told(folder):
    (fault,) = told(folder, "121.4805,31.2205,50,1,2", "121.4806,31.2205,50,1,2")
    assert fault[2] == "must not lie on that of row 2"


def test_what_was_seen_is_what_is_expected_and_where_nobody_looked_the_rest_of_the_district_tells(folder):
    pack = read_pack(folder.path)
    plain, cells = Cells.of(pack), Cells.of(surveyed(pack, [4.0, 400.0]))
    x, y = pack.projection.to_metres(pack.lon, pack.lat)
    inside = (abs(cells.x_m - x) <= 25) & (abs(cells.y_m - y) <= 25)
    assert inside.any()
    assert cells.usual_at(12)[inside].sum() == pytest.approx(400, rel=0.05)
    assert cells.usual_at(3)[inside].sum() == pytest.approx(4, rel=0.5)
    ratio = cells.usual_at(12)[~inside] / plain.expected[~inside]
    assert ratio[plain.expected[~inside] > LEAST].std() == pytest.approx(0, abs=1e-6)


def test_hours_between_two_looks_lie_between_them_and_midnight_is_no_edge(folder):
    cells = Cells.of(surveyed(read_pack(folder.path), [10.0, 100.0]))
    total = [float(cells.usual_at(hour).sum()) for hour in (3, 7.5, 12, 19.5, 3.0)]
    assert total[1] == pytest.approx((total[0] + total[2]) / 2)
    assert total[3] == pytest.approx((total[2] + total[4]) / 2)


def test_residents_live_where_the_census_has_them(folder):
    pack = read_pack(folder.path)
    areas = [replace(a, residents={"district": 900.0, "street": 700.0}[a.level]) for a in pack.areas]
    cells = Cells.of(replace(pack, areas=AreaTree(pack.areas.levels, areas)))
    (street,) = pack.areas.of_level("street")
    inside = shapely.contains_xy(pack.projection.project(street.polygon), cells.x_m, cells.y_m)
    assert cells.counted_at_home
    assert cells.indoors[inside].sum() == pytest.approx(700.0, rel=0.02)
    assert cells.indoors[~inside].sum() == pytest.approx(200.0, rel=0.1)
