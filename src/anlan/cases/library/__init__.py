"""The case types that come with Anlan, each a TOML file."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from anlan.cases.definition import Catalogue
from anlan.cases.lint import read_type


@cache
def shipped_types() -> Catalogue:
    """Return the shipped types; they are part of the program, not of a district."""
    found = sorted((one for one in files(__name__).iterdir() if one.name.endswith(".toml")), key=lambda one: one.name)
    return Catalogue(tuple(read_type(one.read_text(encoding="utf-8"), one.name) for one in found))
