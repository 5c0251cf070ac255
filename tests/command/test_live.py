"""The live feed: in order, without a gap after a cut, and never in the way of the others."""

import asyncio
import json
import threading
import time
from contextlib import contextmanager

import httpx
import pytest
from tests.command.conftest import Live, served
from tests.command.test_api import QUAY, refused
from tests.waiting import PATIENCE_S, wait_for

from anlan.command.live import Hub


@pytest.fixture
def fresh(tmp_path):
    made = Live(tmp_path)
    with served(made.app) as made.url:
        yield made
    made.district.close()


@contextmanager
def following(live, path="/live", **headers):
    """Follow the feed; yield an iterator of (id, kind, content)."""
    with httpx.stream("GET", f"{live.url}/api/v1{path}", headers=headers, timeout=PATIENCE_S) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield messages(answer.iter_lines())


def messages(lines):
    fields = {}
    for line in lines:
        if line:
            name, _, value = line.partition(": ")
            fields[name] = value
        elif "event" in fields:
            number = fields.get("id")
            yield (int(number) if number else None, fields["event"], json.loads(fields["data"]))
            fields = {}
        else:
            fields = {}


def take(feed, n, kind="minute"):
    found = []
    while len(found) < n:
        message = next(feed)
        if message[1] == kind:
            found.append(message)
    return found


def test_a_minute_reaches_the_screen_with_district_places_and_devices(fresh):
    with following(fresh) as feed:
        wait_for(lambda: fresh.app.state.hub.n_clients == 1)
        fresh.minute()
        _, _, told = take(feed, 1)[0]
    assert {place["id"] for place in told["places"]} == {"garden", "quay", "kiosk"}
    assert set(told["district"]) >= {"at", "occupancy", "low", "high", "unknown"}
    assert sum(told["devices"].values()) == 6
    assert told["at"].endswith("Z")


def test_a_change_reaches_the_screen(fresh):
    with following(fresh) as feed:
        wait_for(lambda: fresh.app.state.hub.n_clients == 1)
        httpx.post(f"{fresh.url}/api/v1/devices/walk-1/withdraw", json={"reason": "scaffold"})
        _, _, told = take(feed, 1, "change")[0]
    assert (told["kind"], told["action"], told["record"]) == ("withdrawn_device", "withdraw", "walk-1")


def test_a_new_screen_gets_the_newest_minute_at_once(fresh):
    fresh.minute(3)
    with following(fresh) as feed:
        _, kind, told = next(feed)
    assert (kind, told["at"]) == ("minute", "2026-12-31T10:02:00Z")


@pytest.mark.parametrize("way", ["header", "address"])
def test_a_screen_that_was_cut_off_misses_nothing_and_gets_nothing_twice(fresh, way):
    with following(fresh) as feed:
        wait_for(lambda: fresh.app.state.hub.n_clients == 1)
        fresh.minute(3)
        seen = take(feed, 2)
    fresh.minute(2)
    last = seen[-1][0]
    asked = {"headers": {"last-event-id": str(last)}} if way == "header" else {"path": f"/live?last_event_id={last}"}
    with following(fresh, asked.get("path", "/live"), **asked.get("headers", {})) as feed:
        again = take(feed, 2)
        fresh.minute()
        again += take(feed, 1)
    ids = [message[0] for message in again]
    assert last < ids[0]
    assert ids == sorted(set(ids)), "an alert may have its place between two minutes"
    minutes = [message[2]["at"] for message in seen + again]
    assert minutes == [f"2026-12-31T10:0{k}:00Z" for k in range(5)]


@pytest.mark.parametrize("last", ["1", "-1", "9" * 30])
def test_a_screen_from_another_run_is_told_to_read_everything_anew(fresh, last):
    fresh.minute(2)
    with following(fresh, **{"last-event-id": last}) as feed:
        assert next(feed)[1] == "resync"


@pytest.mark.parametrize("last", ["x", "1.5"])
def test_an_id_that_is_none_is_told(fresh, last):
    refused(httpx.get(f"{fresh.url}/api/v1/live", headers={"last-event-id": last}), 422, "bad_input")


def test_screens_that_leave_are_forgotten(fresh):
    hub = fresh.app.state.hub
    for _ in range(3):
        with following(fresh):
            wait_for(lambda: hub.n_clients == 1)
        wait_for(lambda: hub.n_clients == 0)


def test_a_feed_that_is_closed_lets_its_screens_go(tmp_path):
    made = Live(tmp_path)
    ended = threading.Event()

    def follow(url):
        with httpx.stream("GET", f"{url}/api/v1/live", timeout=PATIENCE_S) as answer:
            for _ in answer.iter_raw():
                pass
        ended.set()

    with served(made.app) as made.url:
        thread = threading.Thread(target=follow, args=(made.url,))
        thread.start()
        wait_for(lambda: made.app.state.hub.n_clients == 1)
        made.app.state.hub.close()
        wait_for(ended.is_set)
    thread.join()
    made.district.close()


def test_300_screens_each_get_every_minute(fresh):
    n, minutes = 300, 5

    async def follow(asking, got):
        async with asking.stream("GET", f"{fresh.url}/api/v1/live") as answer:
            n_seen = 0
            async for line in answer.aiter_lines():
                n_seen += line == "event: minute"
                if n_seen == minutes:
                    got.append(time.monotonic())
                    return

    async def all_of_them():
        got = []
        limits = httpx.Limits(max_connections=n)
        async with httpx.AsyncClient(limits=limits, timeout=PATIENCE_S) as asking:
            screens = [asyncio.create_task(follow(asking, got)) for _ in range(n)]
            await asyncio.to_thread(wait_for, lambda: fresh.app.state.hub.n_clients == n)
            await asyncio.to_thread(fresh.minute, minutes)
            await asyncio.gather(*screens)
        return got

    assert len(asyncio.run(all_of_them())) == n


# -- the hub alone -----------------------------------------------------------------------------------------------------


async def told_to(hub, *clients, after_s=0.05):
    """Return what each client gets until it leaves."""

    async def everything(client):
        return b"".join([chunk async for chunk in hub.stream(client)]).decode()

    reading = [asyncio.create_task(everything(client)) for client in clients]
    await asyncio.sleep(after_s)
    for client in clients:
        client.leave()
    return await asyncio.gather(*reading)


def test_a_screen_that_does_not_read_is_told_to_begin_anew_and_holds_nobody_up():
    async def play():
        hub = Hub(waiting=8)
        hub.attach(asyncio.get_running_loop())
        slow = hub.join(None)
        for k in range(30):
            hub.publish("minute", {"k": k})
        await asyncio.sleep(0)
        assert len(slow.waiting) <= 9
        return (await told_to(hub, slow))[0], hub.n_clients

    told, n_left = asyncio.run(play())
    after = told.split("event: resync")
    assert len(after) >= 2
    assert '"k":29' in after[-1]
    assert n_left == 0


def test_a_message_published_while_a_screen_joins_comes_once():
    async def play():
        hub = Hub()
        hub.attach(asyncio.get_running_loop())
        first = hub.join(None)  # so that messages are handed on
        hub.publish("minute", {"k": 1})
        second = hub.join(None)
        return await told_to(hub, first, second)

    for told in asyncio.run(play()):
        assert told.count('"k":1') == 1


def test_a_silent_feed_gives_signs_of_life():
    async def play():
        hub = Hub(heartbeat_s=0.05)
        hub.attach(asyncio.get_running_loop())
        return await told_to(hub, hub.join(None), after_s=0.4)

    assert asyncio.run(play())[0].count(": alive") >= 3


def test_ids_grow_over_restarts():
    first = Hub()
    for _ in range(5):
        first.publish("minute", {})
    time.sleep(0.02)
    second = Hub()
    second.publish("minute", {})
    assert second.join(None).seen_id > first.join(None).seen_id


def test_what_only_matters_now_has_no_id_and_is_not_repeated():
    async def play():
        hub = Hub()
        hub.attach(asyncio.get_running_loop())
        client = hub.join(None)
        hub.pass_on("clock", {"speed": 1})
        hub.pass_on("clock", {"speed": 2})
        await asyncio.sleep(0)
        return await told_to(hub, client, hub.join(None))

    told, late = asyncio.run(play())
    assert "id:" not in told
    assert (told.count("clock"), late.count("clock")) == (2, 1)
    assert '"speed":2' in late


def test_another_day_makes_every_screen_begin_anew():
    async def play():
        hub = Hub()
        hub.attach(asyncio.get_running_loop())
        hub.publish("minute", {"day": 1})
        last = hub.join(None).seen_id
        here = hub.join(last)
        hub.forget()
        await asyncio.sleep(0)
        return await told_to(hub, here, hub.join(last))

    for told in asyncio.run(play()):
        assert "event: resync" in told
        assert "day" not in told


def test_a_feed_of_watched_polygons_does_not_break_the_minutes(fresh):
    httpx.post(f"{fresh.url}/api/v1/watches", json={"name": "front", "polygon": QUAY}).raise_for_status()
    with following(fresh) as feed:
        fresh.minute()
        assert take(feed, 1)
