"""The case types that come with Anlan, each a TOML file."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from anlan.cases.definition import Catalogue
from anlan.cases.lint import read_type
from anlan.kernel.errors import NotFound


@cache
def _texts() -> dict[str, str]:
    found = [one for one in files(__name__).iterdir() if one.name.endswith(".toml")]
    return {one.name.removesuffix(".toml"): one.read_text(encoding="utf-8") for one in sorted(found, key=str)}


@cache
def shipped_types() -> Catalogue:
    """Return the shipped types; they are part of the program, not of a district."""
    return Catalogue(tuple(read_type(text, f"{name}.toml") for name, text in _texts().items()))


def shipped_text(type_id: str) -> str:
    """Return the TOML of a shipped type.

    Raises
    ------
    NotFound
        If none has that id.
    """
    if type_id not in _texts():
        raise NotFound(
            f"case type {type_id!r}", "does not exist", f"choose one of {', '.join(_texts())}, or give a file"
        )
    return _texts()[type_id]
