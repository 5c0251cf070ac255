import tempfile

from hypothesis import HealthCheck, given, settings
from tests.pack.strategies import packs, same

from anlan.pack import check_pack, read_pack, write_pack


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(packs())
def test_a_written_pack_reads_back_the_same(pack):
    with tempfile.TemporaryDirectory() as folder:
        write_pack(pack, folder)
        assert not [fault for fault in check_pack(folder) if fault.blocking]
        assert same(pack, read_pack(folder))
