"""The two forms of GeoReport v2: XML without attributes or namespaces, and the JSON that follows from it.

A document is told once, as lists and tables. A list stands in XML as a container of equal children, and in JSON as an
array (the Spark convention: also where it holds one); nothing is an empty element, or null.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from xml.sax.saxutils import escape
from zoneinfo import ZoneInfo

from starlette.responses import Response

from anlan.cases.definition import Field, FieldKind
from anlan.kernel.records import Label
from anlan.matters.public import Offer, PublicCase

CHILDREN = {
    "services": "service", "service_requests": "request", "attributes": "attribute", "values": "value",
    "errors": "error", "endpoints": "endpoint", "formats": "format",
}  # fmt: skip
"""What the children of each list are called."""
MEDIA = {"xml": "text/xml; charset=utf-8", "json": "application/json; charset=utf-8"}
SPECIFICATION = "http://wiki.open311.org/GeoReport_v2"
_UNWRITABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold."""
DATATYPES = {
    FieldKind.TEXT: "text", FieldKind.NUMBER: "number", FieldKind.INTEGER: "number", FieldKind.DATE: "datetime",
    FieldKind.MOMENT: "datetime", FieldKind.CHOICE: "singlevaluelist", FieldKind.BOOLEAN: "singlevaluelist",
}  # fmt: skip
"""A type of case knows no field of several values, so none is a multivaluelist."""
YES_NO = {"true": {"zh": "是", "en": "yes"}, "false": {"zh": "否", "en": "no"}}


def answer(root: str, content: Any, form: str, *, status: int = 200, lang: str = "") -> Response:
    """Return a document in a form, ``xml`` or ``json``."""
    text = as_xml(root, content) if form == "xml" else json.dumps(content, ensure_ascii=False)
    headers = {"cache-control": "no-store", **({"content-language": lang} if lang else {})}
    return Response(text, status_code=status, media_type=MEDIA[form], headers=headers)


def as_xml(root: str, content: Any) -> str:
    """Return a document as XML.

    Examples
    --------
    >>> print(as_xml("errors", [{"code": 404, "description": "a < b"}]))
    <?xml version="1.0" encoding="utf-8"?>
    <errors><error><code>404</code><description>a &lt; b</description></error></errors>
    """
    return f'<?xml version="1.0" encoding="utf-8"?>\n{_element(root, content)}'


def _element(name: str, content: Any) -> str:
    if isinstance(content, Mapping):
        inner = "".join(_element(key, value) for key, value in content.items())
    elif isinstance(content, list | tuple):
        inner = "".join(_element(CHILDREN[name], one) for one in content)
    elif isinstance(content, bool):
        inner = str(content).lower()
    else:
        inner = "" if content is None else escape(_UNWRITABLE.sub("", str(content)))
    return f"<{name}>{inner}</{name}>" if inner else f"<{name}/>"


def errors(code: int, told: str) -> list[dict[str, Any]]:
    """Return an error as the standard has it: a list, for there may be several."""
    return [{"code": code, "description": told}]


def said(label: Label, lang: str) -> str:
    """Return a label in a language, in any where it has none."""
    return label.get(lang) or next(iter(label.values()), "")


def moment(at: datetime | None, zone: ZoneInfo) -> str | None:
    """Return a moment as W3C writes it, with the district's offset."""
    return None if at is None else at.astimezone(zone).isoformat(timespec="seconds")


def service(offer: Offer, lang: str, kind_of_answer: str) -> dict[str, Any]:
    """Return a service in the list."""
    one = offer.service
    return {
        "service_code": offer.code,
        "service_name": said(offer.name, lang),
        "description": said(one.about, lang),
        "metadata": bool(one.asks),
        "type": kind_of_answer,
        "keywords": said(one.keywords, lang),
        "group": said(one.group, lang),
    }


def definition(offer: Offer, lang: str) -> dict[str, Any]:
    """Return what a service asks."""
    asked = [offer.kind.fields[name] for name in offer.service.asks]
    return {
        "service_code": offer.code,
        "attributes": [_attribute(offer, field, k, lang) for k, field in enumerate(asked, 1)],
    }


def _attribute(offer: Offer, field: Field, order: int, lang: str) -> dict[str, Any]:
    options = YES_NO if field.kind is FieldKind.BOOLEAN else field.options
    made: dict[str, Any] = {
        "variable": True,
        "code": field.field_id,
        "datatype": DATATYPES[field.kind],
        "required": field.field_id in offer.service.needs,
        "datatype_description": _how(field, lang),
        "order": order,
        "description": said(field.label, lang),
    }
    if options:
        made["values"] = [{"key": key, "name": said(label, lang)} for key, label in options.items()]
    return made


def _how(field: Field, lang: str) -> str | None:
    """Return how a value is written."""
    zh = lang == "zh"
    if field.kind is FieldKind.DATE:
        return "日期，如 2026-12-31" if zh else "a date, such as 2026-12-31"
    if field.kind is FieldKind.MOMENT:
        example = "2026-12-31T18:00:00+08:00"
        return f"日期时间，含时区，如 {example}" if zh else f"a moment with its offset, such as {example}"
    if field.kind in {FieldKind.NUMBER, FieldKind.INTEGER} and (field.least, field.most) != (None, None):
        low, high = ("…" if one is None else f"{one:g}" for one in (field.least, field.most))
        return f"{low} 至 {high}" if zh else f"from {low} to {high}"
    return None


def value_of(field: Field, texts: Sequence[str]) -> Any:
    """Return what an attribute was answered with, as its field holds it; what is no such value goes on to be refused.

    Several values for one field are handed on as they are: no field takes them.
    """
    if len(texts) != 1:
        return list(texts)
    text = texts[0].strip()
    try:
        if field.kind is FieldKind.INTEGER:
            return int(text)
        if field.kind is FieldKind.NUMBER:
            return float(text)
    except ValueError:
        return text
    if field.kind is FieldKind.BOOLEAN:
        return {"true": True, "false": False}.get(text.lower(), text)
    return text


def request(case: PublicCase, lang: str, zone: ZoneInfo, names: Mapping[str, Label]) -> dict[str, Any]:
    """Return a request as anybody may read it: nothing that was written about it, by anybody.

    ``names`` are those of the areas that it lies in and that own it, by id.
    """
    return {
        "service_request_id": case.request_id,
        "status": "open" if case.ended_at is None else "closed",
        "status_notes": notes(case, lang),
        "service_name": said(case.offer.name, lang),
        "service_code": case.offer.code,
        "description": None,
        "agency_responsible": said(names[case.owner_area_id], lang),
        "service_notice": None,
        "requested_datetime": moment(case.reported_at, zone),
        "updated_datetime": moment(case.changed_at, zone),
        "expected_datetime": moment(case.due_at, zone),
        "address": said(names[case.area_id], lang),
        "address_id": case.area_id,
        "zipcode": None,
        "lat": case.lat,
        "long": case.lon,
        "media_url": None,
    }


def notes(case: PublicCase, lang: str) -> str:
    """Return the fine state of a case, and what of its public fields is a choice: why it ended as it did."""
    told = [said(case.state.label, lang)]
    told += [text for _, text in facts(case, lang, (case.offer.side.by, *case.offer.service.asks))]
    return ("；" if lang == "zh" else "; ").join(told)


def facts(case: PublicCase, lang: str, without: Iterable[str]) -> list[tuple[str, str]]:
    """Return public fields in words: what each is called, and what it says."""
    left_out = set(without)
    fields = case.offer.kind.fields
    return [
        (said(fields[name].label, lang), in_words(fields[name], value, lang))
        for name, value in case.fields.items()
        if name not in left_out and fields[name].kind is not FieldKind.TABLE
    ]


def in_words(field: Field, value: Any, lang: str) -> str:
    """Return a value as somebody reads it."""
    if field.kind is FieldKind.CHOICE and value in field.options:
        return said(field.options[value], lang)
    if field.kind is FieldKind.BOOLEAN:
        return said(YES_NO[str(value).lower()], lang)
    return str(value)
