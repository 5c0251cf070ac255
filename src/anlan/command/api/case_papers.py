"""Papers of cases: which a case gives, each as PDF or Word, and whether a code on paper is genuine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from anlan.command.api import case_forms
from anlan.command.api.cases import Kept, Who
from anlan.kernel.records import Label
from anlan.matters import documents

router = APIRouter(tags=["papers"])


def _names(request: Request) -> Mapping[str, Label]:
    staff = request.app.state.staff
    return {} if staff is None else {one.office_id: one.name for one in staff.offices()}


Names = Annotated[Mapping[str, Label], Depends(_names)]


@router.get("/cases/{case_id}/papers", response_model=case_forms.Papers, summary="The papers that a case gives")
def papers(kept: Kept, who: Who, case_id: str) -> dict[str, Any]:
    """Return those of its type, with the reason where one is not given yet, and the letter where one is due."""
    found = documents.offered(kept, case_id, who)
    return {"papers": [{"id": one.document, "label": dict(one.label), "missed": one.missed} for one in found]}


@router.get("/cases/{case_id}/papers/{document}", response_class=Response, summary="A paper of a case")
def paper(
    kept: Kept, who: Who, names: Names, case_id: str, document: str, asked: Annotated[case_forms.PaperAsked, Query()]
) -> Response:
    """Return it, made from what the asker may read. That it was issued is a line of the log."""
    wanted = documents.Wanted(
        document=document, form=asked.form, language=asked.lang, reason=asked.reason, names=names
    )  # fmt: skip
    return as_attachment(documents.issue(kept, case_id, wanted, who), f"{document}-{case_id}", asked.form)


def as_attachment(content: bytes, name: str, form: str) -> Response:
    """Return a file that is to be saved and kept by nobody on the way."""
    headers = {"content-disposition": f"attachment; filename*=UTF-8''{quote(name)}.{form}", "cache-control": "no-store"}
    return Response(content, media_type=documents.MEDIA[form], headers=headers)


@router.get("/papers/key", response_model=case_forms.PublicKey, summary="The key by which codes on paper are checked")
def key(kept: Kept) -> dict[str, Any]:
    """Return the public key of this district: with it, anybody checks a code without a network."""
    return {"key": documents.public_key(kept)}


@router.get("/papers/verify", response_model=case_forms.Verified, summary="Is the code on a paper genuine?")
def verify(kept: Kept, code: Annotated[str, Query(max_length=1300)]) -> dict[str, Any]:
    """Return what a code says, if this district signed it, and whether its case stands as it did. Anybody may ask."""
    made = documents.check(kept, code)
    return {"verified": True, "told": dict(made.told), "stands": made.stands}
