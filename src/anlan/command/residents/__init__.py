"""What residents meet: a page to report and to follow up, and Open311 for their programs. Nobody signs in here."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

from fastapi import FastAPI, Request
from starlette.responses import Response

from anlan.command.residents import open311, page
from anlan.command.residents.door import Residents
from anlan.command.residents.limits import Gauge
from anlan.command.residents.settings import read_settings
from anlan.district import District
from anlan.kernel.errors import AnlanError

__all__ = ["PREFIXES", "Residents", "add_residents", "refusal_for"]

PREFIXES = (page.PREFIX, open311.PREFIX)
"""What is served under the names of ``hosts``, too."""


def add_residents(app: FastAPI, district: District, *, test: bool) -> Residents:
    """Add what residents ask to an application, as the district's settings say."""
    made = Residents(district, read_settings(district.pack.folder), Gauge(), test)
    app.state.residents, app.state.sheets = made, page.Sheets()
    app.include_router(open311.router)
    app.include_router(page.router)
    return made


def refusal_for(scope: MutableMapping[str, Any], fault: AnlanError, status: int | None = None) -> Response | None:
    """Return an error as residents read it at a path; None where the path is not theirs."""
    path = scope["path"]
    if path.startswith(f"{open311.PREFIX}/"):
        return open311.refusal(path, fault, status)
    if path == page.PREFIX or path.startswith(f"{page.PREFIX}/"):
        return page.refusal(Request(scope), fault, status)
    return None
