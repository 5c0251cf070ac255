"""District packs: a city district as plain files, made, read, checked and written."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from anlan.pack.faults import Fault
from anlan.pack.reading import check_pack, find_pack, read_pack, shipped_packs
from anlan.pack.writing import write_pack

if TYPE_CHECKING:
    from anlan.pack.drafting import DraftOptions, draft_pack
    from anlan.pack.importing import ImportOptions, import_osm
    from anlan.pack.proposing import propose_devices, propose_places

__all__ = [
    "DraftOptions",
    "Fault",
    "ImportOptions",
    "check_pack",
    "draft_pack",
    "find_pack",
    "import_osm",
    "propose_devices",
    "propose_places",
    "read_pack",
    "shipped_packs",
    "write_pack",
]

_MAKERS = {
    "DraftOptions": "drafting",
    "ImportOptions": "importing",
    "draft_pack": "drafting",
    "import_osm": "importing",
    "propose_devices": "proposing",
    "propose_places": "proposing",
}


def __getattr__(name: str) -> Any:
    """Load what makes packs when it is asked for: opening one needs neither SciPy nor an OSM reader (0.8 s)."""
    if name not in _MAKERS:
        raise AttributeError(name)
    return getattr(importlib.import_module(f"anlan.pack.{_MAKERS[name]}"), name)
