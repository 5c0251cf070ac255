import logging

import pytest
from tests.disks import small_disk

from anlan.edge import Outbox
from anlan.kernel.errors import Unavailable

LARGE = b"x" * 20_000


@pytest.fixture(params=["disk", "limit"])
def small(request, tmp_path):
    with small_disk(tmp_path, request.param, 2) as made:
        yield made


def told(outbox):
    return [body[:3] for _, body in outbox.waiting(1_000)]


def named(numbers):
    return [b"%03d" % k for k in numbers]


def test_a_full_disk_loses_no_count_and_holds_up_none(small, caplog):
    folder, make_room = small
    outbox = Outbox(folder / "box.db")
    for k in range(200):  # four megabytes
        outbox.put(b"%03d" % k + LARGE)
    assert told(outbox) == named(range(200))
    assert len(outbox) == 200
    [warned] = {record.levelname for record in caplog.records}
    assert warned == "WARNING"
    assert "make room" in caplog.text
    outbox.confirmed([n for n, _ in outbox.waiting(60)])
    outbox.confirmed([n for n, _ in outbox.waiting(140)[-10:]])
    assert told(outbox) == named(range(60, 190))
    assert len(outbox) == 130
    make_room()
    outbox.put(b"200")
    outbox.close()
    again = Outbox(folder / "box.db")
    assert told(again) == [*named(range(60, 190)), b"200"]
    again.put(b"201")
    assert told(again)[-2:] == named([200, 201])
    again.close()


def test_what_the_disk_never_took_is_told_at_the_end(small, caplog):
    folder, _ = small
    outbox = Outbox(folder / "box.db")
    for k in range(200):
        outbox.put(b"%03d" % k + LARGE)
    n = sum(one.levelno == logging.ERROR for one in caplog.records)
    outbox.close()
    [error] = [one for one in caplog.records if one.levelno == logging.ERROR][n:]
    with_room = Outbox(folder / "box.db")
    kept = len(with_room)
    with_room.close()
    assert 0 < kept < 200
    assert f"{200 - kept} counts were not sent" in error.getMessage()


def test_the_oldest_go_first_and_numbers_never_come_again(tmp_path, monkeypatch):
    monkeypatch.setattr("anlan.edge.outbox.MOST", 3)
    outbox = Outbox(tmp_path / "box.db")
    for k in range(5):
        outbox.put(b"%03d" % k)
    assert outbox.waiting(10) == [(3, b"002"), (4, b"003"), (5, b"004")]
    outbox.confirmed([3, 4, 5])
    outbox.close()
    again = Outbox(tmp_path / "box.db")
    again.put(b"005")
    assert again.waiting(10) == [(6, b"005")]
    again.close()


def test_a_folder_that_is_not_there_is_told_at_once(tmp_path):
    with pytest.raises(Unavailable, match="must be writable"):
        Outbox(tmp_path / "nowhere" / "box.db")
