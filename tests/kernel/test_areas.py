import pytest
import shapely

from anlan.kernel.areas import Area, AreaTree, Level
from anlan.kernel.errors import BadInput, NotFound

LEVELS = (Level(key="district", label={"en": "District"}), Level(key="street", label={"en": "Street"}))


def area(area_id, level="street", parent_id="d", polygon=None):
    return Area(area_id=area_id, level=level, parent_id=parent_id, name={"en": area_id}, polygon=polygon)


ROOT = area("d", "district", None, shapely.box(0, 0, 2, 1))
WEST = area("w", polygon=shapely.box(0, 0, 1, 1))
EAST = area("e", polygon=shapely.box(1, 0, 2, 1))


def test_a_point_is_in_its_area_and_outside_none():
    tree = AreaTree(LEVELS, [ROOT, WEST, EAST])
    assert tree.at(0.5, 0.5, "street").area_id == "w"
    assert tree.at(1.5, 0.5, "street").area_id == "e"
    assert tree.at(5, 5, "street") is None


def test_a_point_on_the_shared_edge_belongs_to_the_first():
    assert AreaTree(LEVELS, [ROOT, WEST, EAST]).at(1.0, 0.5, "street").area_id == "w"


def test_the_path_leads_from_the_root():
    tree = AreaTree(LEVELS, [ROOT, WEST])
    assert [a.area_id for a in tree.path("w")] == ["d", "w"]
    assert [a.area_id for a in tree.children("d")] == ["w"]


@pytest.mark.parametrize(
    ("areas", "rule"),
    [
        ([ROOT, WEST, WEST], "must be unique"),
        ([ROOT, area("x", parent_id="nowhere")], "must exist"),
        ([ROOT, area("x", parent_id=None)], "exactly one root"),
        ([ROOT, area("x", level="borough")], "must be one of"),
        ([ROOT, WEST, area("x", parent_id="w")], "must be of a higher level"),
    ],
)
def test_a_broken_tree_is_refused(areas, rule):
    with pytest.raises(BadInput, match=rule):
        AreaTree(LEVELS, areas)


def test_an_unknown_area_is_not_found():
    with pytest.raises(NotFound, match="list the areas"):
        AreaTree(LEVELS, [ROOT]).area("nope")
