"""District packs: a city district as plain files, made, read, checked and written."""

from anlan.pack.faults import Fault
from anlan.pack.importing import ImportOptions, import_osm
from anlan.pack.reading import check_pack, find_pack, read_pack, shipped_packs
from anlan.pack.writing import write_pack

__all__ = [
    "Fault",
    "ImportOptions",
    "check_pack",
    "find_pack",
    "import_osm",
    "read_pack",
    "shipped_packs",
    "write_pack",
]
