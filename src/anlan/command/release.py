"""Which Anlan this is."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed


def version() -> str:
    """Return the installed version, or "unreleased" where the source runs without being installed."""
    try:
        return installed("anlan")
    except PackageNotFoundError:
        return "unreleased"
