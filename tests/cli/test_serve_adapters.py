"""The adapters file of a pack is read when the district is served."""

from datetime import UTC, datetime, timedelta

import pytest
from tests.cli.conftest import Started

FILE = '[[device]]\nformat = "vehicles"\ndevice = "garden-1"\nsource = "tunnel"\ncounters = {%s}\n'


@pytest.fixture
def adapters(tmp_path):
    path = tmp_path / "wired.toml"
    path.write_text(FILE % '"car/in" = { as = "in", people = 1.4 }, "car/out" = { as = "out", people = 1.4 }')
    return path


def test_a_served_district_understands_its_adapters_file(pack_folder, tmp_path, adapters):
    folder = tmp_path / "served"
    one = Started(
        "serve", "--district", pack_folder, "--data", folder, "--port", 0, "--mqtt-port", 0, "--adapters", adapters
    )
    try:
        now = datetime.now(UTC)
        body = {"begin": (now - timedelta(minutes=1)).isoformat(), "end": now.isoformat()}
        told = one.http.post("/ingest/vehicles/tunnel", json=body | {"vehicles": {"car": {"in": 10, "out": 5}}}).json()
        assert (told["accepted"], told["refused"]) == (1, [])
    finally:
        one.interrupt()


def test_a_faulty_adapters_file_is_told_before_anything_starts(anlan, pack_folder, tmp_path, adapters):
    adapters.write_text(FILE % '"car/in" = "up"')
    status, _, err = anlan("serve", "--district", pack_folder, "--data", tmp_path / "d", "--adapters", adapters)
    assert status == 2
    assert "must be in and out" in err
