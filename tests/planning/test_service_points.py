"""Walks to service points: along the streets, at the pace given, weighed by who lives there."""

from dataclasses import replace

import numpy as np
import pytest
from tests.small import label, line, square, town_pack

from anlan.community.points import ServicePoint
from anlan.kernel.areas import Area, AreaTree, Level
from anlan.kernel.errors import BadInput
from anlan.kernel.records import Street
from anlan.pack import find_pack, read_pack
from anlan.planning.service_points import FILE, Walks, check_points, points_of

HEAD = "id,kind,lon,lat,name_zh,name_en,hours\n"


def pack_with(residents=(900.0, 100.0)):
    """A street of a kilometre from west to east, in two areas with residents."""
    areas = [
        Area(area_id="d", level="district", parent_id=None, name=label("区", "D"), polygon=square(-500, -500, 1000)),
        Area(area_id="w", level="half", parent_id="d", name=label("西", "W"), polygon=square(-500, -500, 500, 1000),
             residents=residents[0]),
        Area(area_id="e", level="half", parent_id="d", name=label("东", "E"), polygon=square(0, -500, 500, 1000),
             residents=residents[1]),
    ]  # fmt: skip
    tree = AreaTree([Level(key=one, label=label(one, one)) for one in ("district", "half")], areas)
    street = Street(
        street_id="s", name=label("路", "Road"), street_class="secondary", line=line((-499, 0), (499, 0)), width_m=12,
        speed_kmh=40,
    )  # fmt: skip
    return replace(town_pack(), areas=tree, streets=(street,))


def point(x_m, kind="police_room", name="a", y_m=0):
    at = square(x_m - 1, y_m - 1, 2).centroid
    return ServicePoint(point_id=name, kind=kind, name=label("点", "Point"), lon=at.x, lat=at.y)


def test_who_lives_along_the_first_360_metres_is_within_five_minutes():
    made = Walks(pack_with()).coverage([point(-499)])[0]
    assert (made.kind, made.n_points) == ("police_room", 1)
    west = next(one for one in made.areas if one.area_id == "w")
    assert west.shares[0].residents == pytest.approx(360 / 500, abs=0.1)
    assert made.shares[0].residents == pytest.approx(0.9 * west.shares[0].residents)
    assert made.shares[0].ground == pytest.approx(0.36, abs=0.04)
    assert [one.area_id for one in made.areas] == ["e", "w"]
    assert made.areas[0].shares[0].residents == 0


def test_a_faster_pace_and_another_point_never_lower_a_share():
    walks = Walks(pack_with())
    one = walks.coverage([point(-300)])[0]
    both = walks.coverage([point(-300), point(200, name="b")])[0]
    fast = Walks(pack_with(), 2.0).coverage([point(-300)])[0]
    for made in (both, fast):
        assert all(a.residents >= b.residents for a, b in zip(made.shares, one.shares, strict=True))


def test_a_point_beside_the_street_is_as_much_farther_as_it_lies_off():
    walks = Walks(pack_with())
    on, off = walks.nearest_s([point(0)]), walks.nearest_s([point(0, y_m=120)])
    assert np.allclose(off - on, 100, atol=0.2)
    assert np.isinf(walks.nearest_s([])).all()


def test_without_a_census_shares_of_residents_are_unknown_and_of_ground_are_not():
    made = Walks(pack_with((None, None))).coverage([point(0)])[0]
    assert made.shares[0].residents is None
    assert made.shares[0].ground > 0.5
    assert made.areas[0].residents is None


def test_levels_are_summed_and_what_cannot_be_asked_is_refused():
    walks = Walks(pack_with())
    whole = walks.coverage([point(-499)], level="district")[0]
    assert whole.areas[0].shares == whole.shares
    for told in ({"level": "none"}, {"walks_s": (0.5,)}, {"walks_s": ()}):
        with pytest.raises(BadInput):
            walks.coverage([point(0)], **told)
    with pytest.raises(BadInput):
        Walks(pack_with(), 9.0)


def test_a_districts_own_table_goes_before_that_of_its_pack_and_none_is_none(tmp_path):
    own, packs = tmp_path / "own", tmp_path / "pack"
    for folder, name in ((own, "o"), (packs, "p")):
        folder.mkdir()
        (folder / FILE).write_text(f"{HEAD}{name},aed,121.48,31.22,甲,A,\n", encoding="utf-8")
    pack = replace(pack_with(), folder=packs)
    assert [one.point_id for one in points_of(pack, own)] == ["o"]
    assert [one.point_id for one in points_of(pack, tmp_path)] == ["p"]
    assert points_of(replace(pack, folder=None)) == ()
    with pytest.raises(BadInput, match="must lie in the district"):
        check_points(pack, [point(5000)])


def test_the_shipped_districts_points_cover_by_the_census_of_its_committees():
    pack = read_pack(find_pack("huangpu"))
    made = Walks(pack).coverage(points_of(pack))
    assert {one.kind for one in made} >= {"police_room", "peace_house", "legal_contact"}
    for one in made:
        assert len(one.areas) == 171
        assert sum(area.residents for area in one.areas) == pytest.approx(660_000, rel=1e-6)
        assert 0 < one.shares[0].residents <= one.shares[1].residents <= 1
