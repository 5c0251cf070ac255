"""Open a pack, check it, find it by name."""

from __future__ import annotations

from pathlib import Path

from anlan.kernel.errors import BadInput, NotFound, Unavailable
from anlan.kernel.pack import Pack
from anlan.pack.faults import Fault, refusal
from anlan.pack.forms import DISTRICT_FILE
from anlan.pack.survey import Survey, survey

_PACKAGE = Path(__file__).resolve().parents[1]
_SHIPPED = (_PACKAGE / "districts", _PACKAGE.parents[1] / "districts")
"""Where packs come with the project: inside a wheel, beside ``src`` in a checkout."""


def read_pack(folder: str | Path) -> Pack:
    """Return the district pack of a folder, its geometry in WGS84 degrees whatever datum it declares.

    Parameters
    ----------
    folder : str or Path
        A folder in format 1, as ``docs/district-pack.md`` describes.

    Raises
    ------
    BadInput
        If anything blocks it; the first faults are told with file, row and remedy, `check_pack` tells all.
    NotFound
        If there is no such folder.
    Unavailable
        If a file cannot be read.
    """
    folder = _folder(folder)
    found = _survey(folder)
    if found.pack is None:
        raise refusal(folder, found.faults)
    return found.pack


def check_pack(folder: str | Path) -> list[Fault]:
    """Return everything that is wrong with a pack folder, all at once; an empty list for a sound one.

    Raises
    ------
    NotFound
        If there is no such folder.
    BadInput
        If the folder holds no ``district.toml``.
    """
    return list(_survey(_folder(folder)).faults)


def find_pack(name_or_path: str | Path) -> Path:
    """Return the folder of a pack, given its path or the name of one that comes with the project.

    Raises
    ------
    NotFound
        If there is neither such a folder nor such a shipped pack.
    BadInput
        If the folder holds no ``district.toml``.
    """
    path = Path(name_or_path)
    if path.is_dir():
        return _folder(path)
    for place in _SHIPPED:
        if path.name == str(name_or_path) and (place / path.name / DISTRICT_FILE).is_file():
            return place / path.name
    raise NotFound(
        f"district={str(name_or_path)!r}",
        "is neither a folder nor a pack that comes with Anlan",
        f"give a folder with a {DISTRICT_FILE}, or one of: {', '.join(shipped_packs()) or 'none'}",
    )


def shipped_packs() -> list[str]:
    """Return the names of the packs that come with the project."""
    return sorted({found.parent.name for place in _SHIPPED for found in place.glob(f"*/{DISTRICT_FILE}")})


def _survey(folder: Path) -> Survey:
    try:
        return survey(folder)
    except OSError as fault:
        raise Unavailable(
            f"file {str(fault.filename)!r}", f"cannot be read ({fault.strerror})", "give the right to read it"
        ) from None


def _folder(given: str | Path) -> Path:
    folder = Path(given)
    if not folder.is_dir():
        raise NotFound(f"district pack {str(given)!r}", "is not a folder", "give the folder of a pack")
    if not (folder / DISTRICT_FILE).is_file():
        raise BadInput(
            f"folder {str(given)!r}",
            f"must hold a {DISTRICT_FILE}",
            "give the folder of a pack, or make one with `anlan district new`",
        )
    return folder
