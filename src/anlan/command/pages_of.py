"""Pages that are set from templates: escaped, and a word that is missing is a fault, and not a gap."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, StrictUndefined


def pages_of(package: str, folder: str) -> Environment:
    """Return the templates of a folder in a package, in which everything that is put in is escaped."""
    return Environment(
        loader=PackageLoader(package, folder), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
