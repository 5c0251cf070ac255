"""Many cases at once: a sheet becomes cases, running cases go over to another version of their type."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from anlan.command import case_views
from anlan.command.api import case_forms
from anlan.command.api.cases import Kept, Who
from anlan.matters import Sheet, import_sheet, migrate_cases

router = APIRouter(tags=["cases"])


@router.post("/cases/import", response_model=case_forms.Imported, summary="Cases from a sheet")
async def import_cases(
    request: Request, kept: Kept, who: Who, asked: Annotated[case_forms.Import, Query()]
) -> dict[str, Any]:
    """Open a case for each row of a .csv or .xlsx (the body as it is), or none where there is a fault; all are told."""
    sheet = Sheet(type_id=asked.type, content=await request.body(), file=asked.file, parent_id=asked.parent)
    made = await asyncio.to_thread(import_sheet, kept, sheet, who, dry_run=asked.dry_run)
    return case_views.imported(made)


@router.post("/cases/migrate", response_model=case_forms.Moved, summary="Move running cases to another version")
def migrate(kept: Kept, who: Who, asked: case_forms.Migrate) -> dict[str, Any]:
    """Move every running case of a type, or tell what does not fit and move none."""
    return case_views.moved(migrate_cases(kept, asked.type, asked.to, who, dry_run=asked.dry_run))
