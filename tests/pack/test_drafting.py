import pytest
import shapely

from anlan.kernel.errors import BadInput, Conflict, NotFound
from anlan.kernel.records import DeviceKind
from anlan.pack import DraftOptions, check_pack, draft_pack, read_pack

SHEET = "sensor_id,name,lat,lon\n1,Mall North,-37.8134,144.9651\n2,Mall South,-37.8138,144.9651\n"


def drafted(tmp_path, text, **options):
    (tmp_path / "sensors.csv").write_text(text, "utf-8")
    return draft_pack(tmp_path / "sensors.csv", tmp_path / "city", "City", options=DraftOptions(**options))


def test_counters_become_passages_that_tell_one_sum(tmp_path):
    pack = drafted(tmp_path, SHEET)
    assert check_pack(tmp_path / "city") == []
    device = read_pack(tmp_path / "city").device("2")
    assert device.kind is DeviceKind.PASSAGE
    assert (device.interval_s, device.directed, device.name) == (3600.0, False, {"en": "Mall South"})
    assert pack.projection.project(device.geometry).length == pytest.approx(10, abs=0.03)
    assert pack.time_zone == "Australia/Melbourne"


def test_the_district_reaches_beyond_every_counter(tmp_path):
    pack = drafted(tmp_path, SHEET, margin_m=200.0)
    outline = pack.projection.project(pack.boundary)
    for device in pack.devices:
        assert outline.boundary.distance(pack.projection.project(device.geometry)) > 185


def test_two_counters_at_one_point_stand_across_each_other(tmp_path):
    pack = drafted(tmp_path, "Address,Latitude,Longitude\nLane (EW),-36.843,174.766\nLane (NS),-36.843,174.766\n")
    assert [device.device_id for device in pack.devices] == ["Lane (EW)", "Lane (NS)"]
    one, other = (pack.projection.project(device.geometry) for device in pack.devices)
    assert one.crosses(other)


def test_an_id_that_cannot_be_a_topic_gets_hyphens(tmp_path):
    pack = drafted(tmp_path, "name,lat,lon\nQuay St / Pier #2,-36.843,174.766\n")
    assert pack.devices[0].device_id == "Quay St - Pier -2"
    assert pack.devices[0].name == {"en": "Quay St / Pier #2"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a,b\n1,2\n", "must have a column for lat"),
        ("lat,lon\n1,2\n", "must have a column for id or name"),
        ("id,lat,lon\n", "must hold a counter"),
        ("id,lat,lon\n1,,144.9\n", "row 2.*must be two numbers"),
        ("id,lat,lon\n,-37.8,144.9\n", "row 2: id must be given"),
        ("id,lat,lon\n1,0,0\n", "must be a place in degrees"),
        ("id,lat,lon\n1,144.9,-37.8\n", "swap them"),
        ("id,lat,lon\n1,-37.8,144.9\n1,-37.8,144.9\n", "row 3.*must be unique"),
        ("id,lat,lon\n1,-37.8,144.9\n2,-37.8,144.9\n3,-37.8,14.49\n", "must lie within 1° of the others"),
    ],
)
def test_dirt_is_told_with_its_row_and_nothing_is_written(tmp_path, text, told):
    with pytest.raises(BadInput, match=told):
        drafted(tmp_path, text)
    assert not (tmp_path / "city").exists()


def test_other_column_names_can_be_told(tmp_path):
    text = "Zaehler,Breite,Laenge\nA,52.52,13.40\n"
    assert drafted(tmp_path, text, columns={"id": "Zaehler", "lat": "Breite", "lon": "Laenge"}).devices
    with pytest.raises(BadInput, match=r"columns\.lat='Hoehe' must be one of"):
        draft_pack(tmp_path / "sensors.csv", tmp_path / "b", "B", options=DraftOptions(columns={"lat": "Hoehe"}))


def test_the_empty_form_is_sound_and_explains_itself(tmp_path):
    draft_pack(None, tmp_path / "new", {"zh": "老城"}, options=DraftOptions(languages=("zh",), centre=(121.48, 31.22)))
    assert check_pack(tmp_path / "new") == []
    text = (tmp_path / "new/district.toml").read_text("utf-8")
    assert "# Longitude, latitude in degrees" in text
    assert "## devices.geojson" in (tmp_path / "new/README.md").read_text("utf-8")
    with pytest.raises(BadInput, match="centre=None"):
        draft_pack(None, tmp_path / "other", "Other")


def test_a_folder_that_holds_a_pack_is_not_overwritten(tmp_path):
    drafted(tmp_path, SHEET)
    with pytest.raises(Conflict):
        drafted(tmp_path, SHEET)
    with pytest.raises(NotFound):
        draft_pack(tmp_path / "absent.csv", tmp_path / "b", "B")


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("melbourne_pedestrians/sensors.csv", (43, "Australia/Melbourne", "1")),
        ("auckland_pedestrians/locations.csv", (21, "Pacific/Auckland", "107 Quay Street")),
    ],
)
def test_real_counters_become_districts(real, tmp_path, file, expected):
    pack = draft_pack(real / file, tmp_path / "city", "City")
    assert check_pack(tmp_path / "city") == []
    assert (len(pack.devices), pack.time_zone, pack.devices[0].device_id) == expected
    assert all(shapely.contains(pack.boundary, device.geometry) for device in pack.devices)
