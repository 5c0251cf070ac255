"""Every vendor's message of the reference is read right, and no adapter keeps a thing of a person."""

import base64
import json
import math
from datetime import UTC, datetime, timedelta

import pytest
from tests.ingest.conftest import NOW, Sender, acknowledged, seen
from tests.waiting import until

from anlan.ingest import EmbeddedBroker, adapters_of, encode, read_adapters
from anlan.ingest.adapters import adapter_of
from anlan.ingest.checks import ADAPTER_CHECKS, AT, SECRET, Sample
from anlan.kernel.errors import BadInput, NotFound
from anlan.kernel.ingress import RefusalCode

SHANGHAI = "Asia/Shanghai"


def onvif(count, at, rule="GateN"):
    return json.dumps(
        {
            "UtcTime": at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "Source": {"VideoSource": "1", "AnalyticsConfiguration": "2", "Rule": rule},
            "Data": {"Count": str(count)},
        }
    ).encode()


def onvif_topic(rule="GateN"):
    return f"site/cam7/onvif-ej/RuleEngine/CountAggregation/Counter/&1/2/{rule}"


def xovis(forward, backward, at, **more):
    happened = [
        {"category": "COUNT", "type": "COUNT_INCREMENT", "attributes": {"counter_id": k, "counter_value": n, **more}}
        for k, n in ((11, forward), (12, backward))
    ]
    return json.dumps(
        {
            "live_data": {
                "package_info": {"version": "5.0", "id": 7, "agent_id": 1},
                "sensor_info": {"serial_number": "xv-1", "type": "SINGLE_SENSOR"},
                "frames": [{"framenumber": 1, "time": int(at.timestamp() * 1000), "events": happened, **more}],
            }
        }
    ).encode()


def hikvision(enter, leave, at, method="realTime", namespace="http://www.isapi.org/ver20/XMLSchema"):
    told = at.astimezone().isoformat(timespec="seconds")
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><EventNotificationAlert version="2.0" xmlns="{namespace}">'
        f"<ipAddress>192.0.2.7</ipAddress><macAddress>00:00:5e:00:53:01</macAddress><channelID>1</channelID>"
        f"<dateTime>{told}</dateTime><eventType>PeopleCounting</eventType><eventState>active</eventState>"
        f"<channelName>Camera 01</channelName><peopleCounting><statisticalMethods>{method}</statisticalMethods>"
        f"<RealTime><time>{told}</time></RealTime><enter>{enter}</enter><exit>{leave}</exit>"
        f"<duplicatePeople>4</duplicatePeople><countingSceneMode>entrance</countingSceneMode></peopleCounting>"
        f"<isDataRetransmission>false</isDataRetransmission></EventNotificationAlert>"
    ).encode()


def axis(n_in, n_out, at):
    local = (at + timedelta(hours=8)).strftime("%Y%m%d%H%M%S")
    return json.dumps({"serial": "AX1", "name": "Exit south", "timestamp": local, "in": n_in, "out": n_out}).encode()


def milesight(hexed, at):
    return json.dumps({"data": base64.b64encode(bytes.fromhex(hexed)).decode(), "time": at.isoformat()}).encode()


def lines(n_in, n_out):
    return f"03D2{n_in.to_bytes(4, 'little').hex()}04D2{n_out.to_bytes(4, 'little').hex()}"


def vehicles(n_in, n_out, at):
    cars = {"car": {"in": n_in, "out": n_out}, "bus": {"in": 2, "out": 0}}
    begin = (at - timedelta(minutes=1)).isoformat()
    return json.dumps({"begin": begin, "end": at.isoformat(), "vehicles": cars}).encode()


def objects(total, at):
    return json.dumps(
        {
            "topic": "tnsaxis:CameraApplicationPlatform/ObjectAnalytics/Device1Scenario1",
            "timestamp": int(at.timestamp() * 1000),
            "message": {"source": {}, "key": {}, "data": {"totalHuman": str(total), "objectId": SECRET}},
        }
    ).encode()


def grid(*counts):
    squares = [{"column": k % 2, "row": k // 2, "count": count} for k, count in enumerate(counts)]
    begin = (NOW - timedelta(minutes=5)).isoformat()
    return json.dumps({"begin": begin, "end": NOW.isoformat(), "squares": squares}).encode()


BOTH = {"in": "in", "out": "out"}
FILE = {
    "device": [
        {
            "format": "onvif",
            "device": "gate",
            "source": "site/cam7",
            "counters": {"1/2/GateN": "in", "1/2/GateS": "out"},
        },
        {"format": "onvif", "device": "area", "source": "site/cam7", "counters": {"1/2/Square": "present"}},
        {"format": "xovis", "device": "gate", "source": "xv-1", "counters": {"11": "in", "12": "out"}},
        {"format": "xovis", "device": "passage", "source": "old", "counters": {"fw": "in", "bw": "out"}},
        {"format": "hikvision", "device": "gate", "source": "hk", "counters": {"1/enter": "in", "1/exit": "out"}},
        {"format": "hikvision", "device": "area", "source": "hk", "counters": {"1/present": "present"}},
        {"format": "axis", "device": "gate", "source": "AX1", "counters": BOTH, "time_zone": SHANGHAI},
        {"format": "axis", "device": "passage", "source": "nozone", "counters": BOTH},
        {"format": "axis", "device": "sum", "source": "aoa", "counters": {"Device1Scenario1/human": "passed"}},
        {"format": "axis", "device": "area", "source": "aoa", "counters": {"occupancy/total": "present"}},
        {
            "format": "milesight",
            "device": "gate",
            "source": "eui1",
            "counters": {"line_1_total_in": "in", "line_1_total_out": "out"},
        },
        {
            "format": "milesight",
            "device": "passage",
            "source": "eui1",
            "counters": {"line_4_period_in": "in", "line_4_period_out": "out"},
        },
        {"format": "milesight", "device": "area", "source": "eui1", "counters": {"region_2_count": "present"}},
        {
            "format": "vehicles",
            "device": "gate",
            "source": "tunnel",
            "counters": {
                "car/in": {"as": "in", "people": 1.4},
                "car/out": {"as": "out", "people": 1.4},
                "bus/in": {"as": "in", "people": 25},
                "bus/out": {"as": "out", "people": 25},
            },
        },
    ],
    "grid": [{"device": "grid", "source": "holder", "n_columns": 2, "n_rows": 2, "time_zone": SHANGHAI}],
    "datastreams": {"7": {"device": "sum", "value": "passed", "interval_s": 60}},
}


class Site:
    """Adapters of a fresh file, and what they make of messages."""

    def __init__(self, file=FILE):
        self.adapters = adapters_of(file)

    def send(self, topic, payload, received_at=NOW):
        return adapter_of(self.adapters, topic).decode(topic, payload, received_at)

    def counts(self, topic, payload, received_at=NOW):
        taken, refusals = self.send(topic, payload, received_at)
        assert refusals == []
        return [
            (one.device_id, *[n for n in (one.n_in, one.n_out, one.n_passed, one.n_present) if n is not None])
            for _, one in taken
        ]


@pytest.fixture
def site():
    return Site()


BEFORE = AT - timedelta(minutes=1)
CASES = {
    "xovis": ("xovis", [xovis(245, 9, BEFORE)], xovis(250, 12, AT)),
    "hikvision": ("hikvision/hk", [hikvision(15, 14, BEFORE)], hikvision(20, 17, AT)),
    "axis": ("axis", [axis(12, 318, BEFORE)], axis(17, 321, AT)),
    "axis objects": ("axis/aoa", [objects(12, BEFORE)], objects(17, AT)),
    "milesight": ("milesight/eui1", [milesight(lines(72, 200), BEFORE)], milesight(lines(77, 203), AT)),
    "vehicles": ("vehicles/tunnel", [], vehicles(10, 5, AT)),
    "grid": ("grid/holder", [], grid(12, None, 40, 0)),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("check", ADAPTER_CHECKS, ids=lambda check: check.__name__)
def test_every_vendors_adapter_does_its_duty(site, check, case):
    topic, earlier, payload = CASES[case]
    for one in earlier:
        assert site.counts(topic, one, AT) == []
    check(adapter_of(site.adapters, topic), Sample(topic, payload, may_be_silent=case != "grid"))


@pytest.mark.parametrize("check", ADAPTER_CHECKS, ids=lambda check: check.__name__)
def test_the_onvif_adapter_does_its_duty(site, check):
    site.send(onvif_topic(), onvif(42, BEFORE), AT)
    site.send(onvif_topic("GateS"), onvif(7, BEFORE, "GateS"), AT)
    site.send(onvif_topic(), onvif(47, AT), AT)
    adapter = adapter_of(site.adapters, onvif_topic())
    check(adapter, Sample(onvif_topic("GateS"), onvif(10, AT, "GateS"), may_be_silent=True))


def test_the_two_directions_of_onvif_are_one_window(site):
    minute = timedelta(minutes=1)
    for rule, first in (("GateN", 42), ("GateS", 7)):
        assert site.counts(onvif_topic(rule), onvif(first, NOW - minute, rule)) == []
    assert site.counts(onvif_topic(), onvif(47, NOW, "GateN")) == []
    assert site.counts(onvif_topic("GateS"), onvif(10, NOW, "GateS")) == [("gate", 5, 3)]


def test_a_retained_onvif_message_comes_again_without_counting_again(site):
    for rule in ("GateN", "GateS"):
        site.send(onvif_topic(rule), onvif(42, BEFORE, rule))
    site.send(onvif_topic(), onvif(47, AT))
    first = site.send(onvif_topic("GateS"), onvif(45, AT, "GateS"))
    assert len(first[0]) == 1
    assert site.send(onvif_topic("GateS"), onvif(45, AT, "GateS"), NOW + timedelta(minutes=9)) == first
    assert site.send(onvif_topic(), b"") == ([], [])


def test_a_direction_that_has_nothing_to_tell_does_not_hold_the_other(site):
    for rule in ("GateN", "GateS"):
        site.send(onvif_topic(rule), onvif(42, NOW - timedelta(minutes=2), rule))
    assert site.counts(onvif_topic(), onvif(50, NOW)) == [("gate", 8, 0)]


def test_an_occupancy_rule_tells_people_in_view(site):
    topic = "site/cam7/onvif-ej/RuleEngine/CountAggregation/OccupancyCounter/&1/2/Square"
    assert site.counts(topic, onvif(31, NOW, "Square")) == [("area", 31)]


@pytest.mark.parametrize("case", [name for name in CASES if name not in {"vehicles", "grid", "axis objects"}])
def test_running_totals_become_the_people_of_the_minute(site, case):
    topic, [first], second = CASES[case]
    assert site.counts(topic, first) == []
    [(_, one)], _ = site.send(topic, second)
    assert (one.begin_at, one.end_at, one.n_in, one.n_out) == (BEFORE, AT, 5, 3)


def test_axis_object_analytics_is_read_both_ways(site):
    topic, [first], second = CASES["axis objects"]
    site.send(topic, first)
    assert site.counts(topic, second) == [("sum", 5)]
    answer = {"apiVersion": "1.2", "method": "getOccupancy", "data": {"timestamp": NOW.isoformat(), "total": 8}}
    assert site.counts("axis/aoa", json.dumps(answer).encode()) == [("area", 8)]


def test_the_older_namespace_and_the_pictures_of_hikvision_are_passed(site):
    old = hikvision(15, 14, BEFORE, namespace="urn:psialliance-org")
    form = b"--b\r\nContent-Type: image/jpeg\r\n\r\n\xff\xd8\xff\r\n--b\r\n\r\n" + hikvision(20, 17, AT) + b"\r\n--b--"
    assert site.counts("hikvision/hk", old) == []
    assert site.counts("hikvision/hk", form) == [("gate", 5, 3)]


def test_sums_of_longer_times_from_hikvision_are_not_counted_twice(site):
    site.send("hikvision/hk", hikvision(15, 14, BEFORE))
    assert site.counts("hikvision/hk", hikvision(900, 800, NOW, method="timeRange")) == []
    assert site.counts("hikvision/hk", hikvision(20, 17, AT)) == [("gate", 5, 3)]


def test_people_in_a_region_of_hikvision(site):
    alarm = {"eventType": "framesPeopleCounting", "channelID": 1, "dateTime": NOW.isoformat()}
    alarm["FramesPeopleCounting"] = {"framesPeopleCountingNum": 23}
    assert site.counts("hikvision/hk", json.dumps(alarm).encode()) == [("area", 23)]


def test_views_that_come_one_by_one_are_told_together_or_not_at_all():
    device = {
        "format": "onvif",
        "source": "cam",
        "device": "area",
        "counters": {"1/2/A": "present", "1/2/B": "present"},
    }
    adapter = adapters_of({"device": [device]})[-1]

    def people(n, second, rule):
        taken, refusals = adapter.decode("onvif/cam", onvif(n, NOW + timedelta(seconds=second), rule), NOW)
        return [one.n_present for _, one in taken], [refusal.message for refusal in refusals]

    assert people(30, -60, "A") == ([], [])
    assert people(50, -59, "B") == people(50, -59, "B") == ([80], [])
    assert people(20, 0, "B") == ([], [])  # of A nothing has come since
    assert people(40, 1, "A") == ([60], [])
    assert people(70, 30, "A") == ([], [])
    [late] = people(9, 20, "B")[1]
    assert "must not be older than the last" in late


def test_a_window_of_a_device_is_not_told_by_a_part_of_its_counters():
    counters = {f"line_{k}_period_{way}": way for k in (1, 2) for way in ("in", "out")}
    adapter = adapters_of({"device": [{"format": "milesight", "source": "s", "device": "gate", "counters": counters}]})[
        -1
    ]
    numbers = {f"line_{k}_period_{way}": n for k, way, n in ((1, "in", 5), (1, "out", 3), (2, "in", 7), (2, "out", 1))}
    whole = {"time": NOW.isoformat(), "period_s": 60.0, **numbers}
    [(_, one)], _ = adapter.decode("milesight/s", json.dumps(whole).encode(), NOW)
    assert (one.n_in, one.n_out) == (12, 4)
    part = {name: value for name, value in whole.items() if not name.startswith("line_2")}
    taken, [refusal] = adapter.decode("milesight/s", json.dumps(part).encode(), NOW)
    assert taken == []
    assert "every counter that adds up to it" in refusal.message


@pytest.mark.parametrize("kind", ["faceCapture", "ANPR", "FaceSnap", "mixedTargetDetection"])
def test_alarms_about_single_people_and_vehicles_are_refused_by_their_kind(site, kind):
    for payload in (
        hikvision(1, 1, NOW).replace(b"PeopleCounting", kind.encode()),
        json.dumps({"eventType": kind, "channelID": 1, "plate": SECRET}).encode(),
    ):
        taken, [refusal] = site.send("hikvision/hk", payload)
        assert (taken, refusal.code) == ([], RefusalCode.MALFORMED)
        assert "other alarms" in refusal.message


def test_what_xovis_tells_of_single_people_is_not_read(site):
    tracked = {"tracked_objects": [{"track_id": 9, "position": [1, 2]}], "track_id": SECRET}
    site.send("xovis", xovis(245, 9, BEFORE))
    [(_, one)], refusals = site.send("xovis", xovis(250, 12, AT, **tracked))
    assert SECRET not in repr((one, refusals))
    assert (one.n_in, one.n_out) == (5, 3)


def test_the_rest_and_xml_forms_of_xovis(site):
    at = NOW.isoformat()
    window = {"begin": BEFORE.isoformat(), "end": at, "counts": [{"id": 11, "value": 5}, {"id": 12, "value": 3}]}
    assert site.counts("xovis/xv-1", json.dumps({"measurements": [window]}).encode()) == [("gate", 5, 3)]
    live = {"time": at, "counts": [{"id": 11, "logic_id": 1, "name": "fw", "value": 245}, {"id": 12, "value": 9}]}
    assert site.counts("xovis/xv-1", json.dumps(live).encode()) == []
    xml = b'<c:count-data xmlns:c="http://www.xovis.com/count-data"><c:line><c:fw-count>%d</c:fw-count><c:bw-count>4</c:bw-count></c:line></c:count-data>'
    assert site.counts("xovis/old", xml % 100, BEFORE) == []
    assert site.counts("xovis/old", xml % 107, AT) == [("passage", 7, 0)]


def test_the_uplinks_of_milesight(site):
    assert site.counts("milesight/eui1", milesight("0FE302100709", NOW)) == [("area", 16)]
    period = json.loads(milesight("05CC0000000008CC000000000BCC000000000ECC05000700", NOW)) | {"period_s": 600}
    assert site.counts("milesight/eui1", json.dumps(period).encode()) == [("passage", 5, 7)]
    decoded = {"time": NOW.isoformat(), "region_2_count": 3, "region_2_avg_dwell": 99}
    assert site.counts("application/1/device/eui1/event/up", json.dumps(decoded).encode()) == [("area", 3)]
    short = milesight("03D24800", NOW)
    assert "whole channels" in site.send("milesight/eui1", short)[1][0].message


def test_vehicles_are_the_people_in_them_and_no_plate_fits(site):
    assert site.counts("vehicles/tunnel", vehicles(10, 5, NOW)) == [("gate", 64, 7)]
    spoilt = json.loads(vehicles(10, 5, NOW)) | {"plate": SECRET}
    taken, [refusal] = site.send("vehicles/tunnel", json.dumps(spoilt).encode())
    assert taken == []
    assert SECRET not in refusal.message


def test_a_time_without_zone_asks_for_the_devices_zone(site):
    taken, [refusal] = site.send("axis/nozone", axis(1, 1, NOW))
    assert taken == []
    assert refusal.device_id == "passage"
    assert refusal.message.startswith("a time without zone of passage must have the zone of the device's clock")


def test_an_hour_shown_twice_is_the_one_nearer_to_the_messages_coming():
    device = {"format": "axis", "device": "gate", "source": "nl", "counters": BOTH, "time_zone": "Europe/Amsterdam"}
    site = Site({"device": [device]})
    message = b'{"timestamp": "20261025023000", "in": %d, "out": 1}'
    first, second = (datetime(2026, 10, 25, hour, 30, tzinfo=UTC) for hour in (0, 1))
    site.send("axis/nl", message % 1, first)
    [(_, one)], _ = site.send("axis/nl", message % 9, second)
    assert (one.begin_at, one.end_at, one.n_in) == (first, second, 8)


def test_a_total_of_the_future_spoils_none_that_follows(site):
    site.send("axis", axis(12, 318, BEFORE))
    _, [refusal] = site.send("axis", axis(13, 318, NOW + timedelta(days=300)))
    assert refusal.code is RefusalCode.FUTURE
    assert site.counts("axis", axis(17, 321, AT)) == [("gate", 5, 3)]


def test_suppressed_is_not_zero_and_what_the_holder_forgot_to_suppress_is(site):
    [(_, one)], _ = site.send("grid/holder", grid(12, None, 4, 0))
    assert [None if n != n else n for n in one.counts] == [12, None, None, 0]  # noqa: PLR0124 - NaN
    csv = b"begin,end,column,row,count\n" + b"\n".join(
        b"2026-12-31 17:55,2026-12-31 18:00,%d,%d,%s" % (k % 2, k // 2, text)
        for k, text in enumerate([b"12", b"<10", b"", b"0"])
    )
    [(_, same)], _ = site.send("grid/holder", csv)
    assert (same.begin_at, same.end_at) == (NOW - timedelta(minutes=5), NOW)
    assert [None if n != n else n for n in same.counts] == [12, None, None, 0]  # noqa: PLR0124 - NaN


def test_a_square_may_tell_an_interval_and_one_that_is_not_listed_is_unknown(site):
    csv = b"begin,end,column,row,low,high\n2026-12-31T17:55:00+08:00,2026-12-31T18:00:00+08:00,1,0,2500,3000"
    [(_, one)], _ = site.send("grid/holder", csv)
    assert one.counts[1] == 2750
    assert sum(one.counts != one.counts) == 3


@pytest.mark.parametrize(
    ("csv", "told"),
    [
        (b"begin,end,column,row,count,imei\n1,2,0,0,5,x", "and no other"),
        (b"begin,end,column,row\n", "and no other"),
        (b"begin,end,column,row,count\n", "must have a row"),
        (b"begin,end,column,row,count\n2026-12-31T17:55,2026-12-31T18:00,5,0,12", "within 2 columns x 2 rows"),
        (b"begin,end,column,row,count\n2026-12-31T17:55,2026-12-31T18:00,0,0,-12", "0 or more"),
        (b"begin,end,column,row,low,high\n2026-12-31T17:55,2026-12-31T18:00,0,0,9,5", "low <= high"),
        (b"begin,end,column,row,count\n2026-12-31T17:55,2026-12-31T18:00,0,0", "as many fields"),
        (b"begin,end,column,row,count" + 2 * b"\n2026-12-31T17:55,2026-12-31T18:00,0,0,40", "listed once in a window"),
        (b"begin,end,column,row,count,count\n2026-12-31T17:55,2026-12-31T18:00,0,0,40,70", "and no other"),
    ],
)
def test_a_grid_of_another_shape_is_refused(site, csv, told):
    taken, [refusal] = site.send("grid/holder", csv)
    assert (taken, refusal.device_id) == ([], "grid")
    assert told in refusal.message


def test_a_message_has_only_so_many_windows_as_there_is_room_for():
    grid = {"source": "holder", "device": "grid", "n_columns": 400, "n_rows": 500}
    adapter = adapters_of({"grid": [grid]})[-1]
    rows = [f"2026-12-31T17:{k:02d}:00Z,2026-12-31T18:00:00Z,0,0,12" for k in range(41)]
    taken, [refusal] = adapter.decode("grid/holder", "\n".join(["begin,end,column,row,count", *rows]).encode(), NOW)
    assert taken == []
    assert "41 windows of grid must be at most 40 in a message; split it." in refusal.message


@pytest.mark.parametrize(
    "payload",
    [
        b'<!DOCTYPE x [<!ENTITY a "b">]><EventNotificationAlert>&a;</EventNotificationAlert>',
        b"<EventNotificationAlert>" + b"<a>" * 5000,
        b'<?xml version="1.0" encoding="klingon"?><a/>',
    ],
)
def test_xml_that_would_blow_up_is_refused(site, payload):
    for topic in ("hikvision/hk", "xovis/old"):
        taken, refusals = site.send(topic, payload)
        assert taken == []
        assert refusals


def test_an_unknown_source_or_counter_is_refused_with_the_place_to_add_it(site):
    _, [refusal] = site.send("xovis/none", xovis(1, 1, NOW))
    assert refusal.code is RefusalCode.UNKNOWN_DEVICE
    _, [refusal] = site.send("xovis/old", xovis(1, 1, NOW))
    assert "adapters file" in refusal.message


@pytest.mark.parametrize(
    ("device", "told"),
    [
        ({"counters": {"a": "in"}}, "must be in and out"),
        ({"counters": {"a": "sideways"}}, "must be in and out"),
        ({"time_zone": "Mars/Olympus"}, "IANA"),
        ({"interval_s": 0}, "must be > 0"),
        ({"interval_s": math.nan}, "must be > 0"),
        ({"most_per_s": math.inf}, "must be > 0"),
        ({"format": "morse"}, "must be one of axis"),
        ({"colour": "red"}, "must hold"),
        ({"counters": {"a": {"as": "passed", "people": -1}}}, "must be > 0"),
    ],
)
def test_a_faulty_adapters_file_is_refused(device, told):
    whole = {"format": "axis", "device": "gate", "source": "s", "counters": {"a": "passed"}}
    with pytest.raises(BadInput, match=told):
        adapters_of({"device": [whole | device]})


def test_a_counter_of_two_devices_is_refused():
    one = {"format": "axis", "source": "s", "counters": {"a": "passed"}}
    with pytest.raises(BadInput, match="map it once"):
        adapters_of({"device": [one | {"device": "sum"}, one | {"device": "hourly"}]})


def test_the_adapters_file_is_read_from_toml(tmp_path):
    path = tmp_path / "adapters.toml"
    path.write_text(
        '[[device]]\nformat = "axis"\ndevice = "gate"\nsource = "s"\ncounters = { in = "in", out = "out" }\n'
    )
    assert len(read_adapters(path)) == 2
    path.write_text("[")
    with pytest.raises(BadInput, match="must be TOML"):
        read_adapters(path)
    with pytest.raises(NotFound):
        read_adapters(tmp_path / "none.toml")


def test_vendors_messages_come_in_through_the_broker(loop, door, history):
    broker = EmbeddedBroker("127.0.0.1", 0, door, adapters=Site().adapters)
    loop.run(broker.start())
    with Sender(broker.port) as sender:
        for payload in (hikvision(15, 14, BEFORE), hikvision(20, 17, AT)):
            assert acknowledged(sender.send(payload, topic="hikvision/hk"))
        assert acknowledged(sender.send(encode(seen("sum", n_passed=2))))
        assert until(lambda: len(history.arrived(0)[0]) == 2)
    loop.run(broker.close())
    assert {(one.device_id, one.n_in) for one in history.arrived(0)[0]} == {("gate", 5), ("sum", None)}
