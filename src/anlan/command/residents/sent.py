"""A report as a program sends it: a form, with a photo where it is in several parts."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qsl

from fastapi import Request
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException

from anlan.kernel.errors import AnlanError, BadInput

FIELDS = 200
"""Arguments of a report, at most."""
PHOTO = "media"


@dataclass(frozen=True, slots=True)
class Sent:
    """The arguments of a report, in order, and its photo."""

    pairs: tuple[tuple[str, str], ...]
    photo: bytes | None = None

    def one(self, name: str) -> str:
        """Return an argument, empty where it was not given: the standard makes no difference."""
        return next((value.strip() for key, value in self.pairs if key == name), "")

    def attributes(self) -> dict[str, list[str]]:
        """Return what was answered, by attribute: ``attribute[CODE]``, and ``attribute[CODE][]`` for several."""
        found: dict[str, list[str]] = {}
        for key, value in self.pairs:
            if key.startswith("attribute[") and value.strip():
                code = key.removeprefix("attribute[").removesuffix("[]").removesuffix("]")
                found.setdefault(code, []).append(value)
        return found


async def read_sent(request: Request) -> Sent:
    """Return what a form tells.

    Raises
    ------
    BadInput
        If it is no form, or not readable.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        return await _multipart(request)
    if kind not in {"application/x-www-form-urlencoded", ""}:
        rule = "must be application/x-www-form-urlencoded, or multipart/form-data with a photo"
        raise BadInput(f"content-type {kind[:60]!r}", rule, "send a form")
    body = await request.body()
    try:
        pairs = parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=FIELDS, errors="strict")
    except ValueError as fault:
        raise BadInput("the form", f"must be readable UTF-8 ({fault})", "send it anew") from None
    return Sent(tuple(pairs))


async def _multipart(request: Request) -> Sent:
    """Read a form with a photo, which the standard does not have: its field is called ``media``."""
    try:
        async with request.form(max_files=1, max_fields=FIELDS) as form:
            return await _parts(form)
    except HTTPException as fault:
        if isinstance(fault.__cause__, AnlanError):
            raise fault.__cause__ from None
        rule = f"must be readable ({fault.detail})"
        raise BadInput("the form", rule, "send it anew, with one photo at most") from None


async def _parts(form: FormData) -> Sent:
    photo: bytes | None = None
    pairs = []
    for name, value in form.multi_items():
        if not isinstance(value, UploadFile):
            pairs.append((name, value))
        elif name != PHOTO:
            raise BadInput(f"file {name[:40]!r}", f"must be called {PHOTO}", f"send the photo as {PHOTO}")
        else:
            photo = await value.read() or None
    return Sent(tuple(pairs), photo)
