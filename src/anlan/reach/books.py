"""The playbooks of a district: its own, or the shipped ones."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from anlan.response.dispatch import Playbooks, read_playbooks

FILE = "playbooks.toml"


def playbooks_of(folder: Path | None = None) -> Playbooks:
    """Return the playbooks in a pack's folder; the shipped ones where it has none.

    Raises
    ------
    BadInput
        If the file is no TOML or anything in it is wrong.

    Examples
    --------
    >>> playbooks_of().of("medical").target_s
    180.0
    """
    own = None if folder is None else folder / FILE
    if own is not None and own.is_file():
        return read_playbooks(own.read_text(encoding="utf-8"), str(own))
    return read_playbooks(files("anlan.reach").joinpath(FILE).read_text(encoding="utf-8"))
