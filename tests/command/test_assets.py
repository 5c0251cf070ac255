"""The page's files: packed where a browser can unpack, kept for good where their name tells their content."""

import asyncio
import gzip

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from anlan.command.assets import Assets

SCRIPT = b"let a = 1;\n" * 500


@pytest.fixture
def asking(tmp_path):
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "index-1a2b.js").write_bytes(SCRIPT)
    (tmp_path / "assets" / "index-1a2b.js.gz").write_bytes(gzip.compress(SCRIPT, mtime=0))
    (tmp_path / "icon.svg").write_text("<svg/>")
    app = Starlette(routes=[Mount("/", Assets(directory=tmp_path))])

    def ask(path, **headers):
        async def one():
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://page") as client:
                return await client.get(path, headers=headers)

        return asyncio.run(one())

    return ask


def test_what_lies_packed_is_sent_so_to_whom_can_unpack(asking):
    packed = asking("/assets/index-1a2b.js", **{"accept-encoding": "gzip, br"})
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) == len(gzip.compress(SCRIPT, mtime=0))
    assert packed.headers["content-type"].startswith("text/javascript")
    assert packed.content == SCRIPT  # the client unpacks
    plain = asking("/assets/index-1a2b.js", **{"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.content == SCRIPT
    assert packed.headers["vary"] == plain.headers["vary"] == "accept-encoding"
    assert packed.headers["etag"] != plain.headers["etag"]


def test_a_part_is_one_of_the_plain_file(asking):
    part = asking("/assets/index-1a2b.js", **{"accept-encoding": "gzip", "range": "bytes=0-9"})
    assert part.status_code == 206
    assert part.content == SCRIPT[:10]


def test_a_name_with_a_hash_is_kept_for_good_and_any_other_is_asked_for_again(asking):
    assert "immutable" in asking("/assets/index-1a2b.js").headers["cache-control"]
    icon = asking("/icon.svg")
    assert icon.headers["cache-control"] == "no-cache"
    again = asking("/icon.svg", **{"if-none-match": icon.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert asking("/assets/none.js").status_code == 404
