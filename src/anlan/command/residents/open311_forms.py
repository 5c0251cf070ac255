"""What the routes of Open311 answer and take, as /docs shows them."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from anlan.command.api.forms import Form

Told = str | None


class RequestsFilter(BaseModel):
    """Which requests are wanted. What is empty is not asked for, and what is not known is passed over."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    service_request_id: str = Field(default="", description="Ids by commas; they override all else.")
    service_code: str = Field(default="", description="Codes by commas.")
    start_date: str = Field(default="", examples=["2026-12-01T00:00:00+08:00"])
    end_date: str = Field(default="", description="At most 90 days behind start_date.")
    status: str = Field(default="", description="open, closed, or both by a comma.")
    page: str = Field(default="", description="Which page of page_size requests; the first is 1.")
    page_size: str = Field(default="", description="1 to 1000.")


class Problem(Form):
    """One error."""

    code: int
    description: str


class Endpoint(Form):
    """Where a version of the standard is spoken."""

    specification: str
    url: str
    changeset: str
    type: Literal["production", "test"]
    formats: list[str]


class Discovery(Form):
    """Where Open311 is spoken, and whom to ask."""

    changeset: str
    contact: str
    key_service: str
    endpoints: list[Endpoint]


class ServiceForm(Form):
    """Something that can be reported."""

    service_code: str = Field(examples=["resident_request.light"])
    service_name: str
    description: str
    metadata: bool
    type: Literal["realtime", "batch"]
    keywords: str
    group: str


class Value(Form):
    """One of the values of a list."""

    key: str
    name: str


class Attribute(Form):
    """Something that a service asks."""

    variable: bool
    code: str
    datatype: Literal["string", "number", "datetime", "text", "singlevaluelist", "multivaluelist"]
    required: bool
    datatype_description: Told
    order: int
    description: str
    values: list[Value] = Field(default_factory=list)


class Definition(Form):
    """What a service asks."""

    service_code: str
    attributes: list[Attribute]


class RequestForm(Form):
    """A request as anybody may read it."""

    service_request_id: str
    status: Literal["open", "closed"]
    status_notes: str
    service_name: str
    service_code: str
    description: None = Field(description="Never told: words may name somebody.")
    agency_responsible: str
    service_notice: None
    requested_datetime: str
    updated_datetime: str
    expected_datetime: Told
    address: str = Field(description="The area that the public reads, as its type says.")
    address_id: str
    zipcode: None
    lat: float | None
    long: float | None
    media_url: None


class Token(Form):
    """The request that a token stands for."""

    service_request_id: str
    token: str


class ReportedForm(Form):
    """What became of a report: its id, or where the district is set so its token."""

    service_request_id: str = ""
    token: str = ""
    service_notice: str
    account_id: None


def _json(form: type[BaseModel], many: bool) -> dict[str, Any]:  # noqa: FBT001 - a list, or one
    schema = form.model_json_schema(ref_template="#/components/schemas/{model}")
    inline = _inlined(schema, schema.get("$defs", {}))
    inline.pop("$defs", None)
    return {"type": "array", "items": inline} if many else inline


def _inlined(part: Any, known: dict[str, Any]) -> Any:
    """Return a schema without references: these routes make their own answers, so the framework collects no models."""
    if isinstance(part, dict):
        if "$ref" in part:
            return _inlined(known[part["$ref"].rsplit("/", 1)[1]], known)
        return {key: _inlined(value, known) for key, value in part.items() if key != "$defs"}
    return [_inlined(one, known) for one in part] if isinstance(part, list) else part


def _described(form: type[BaseModel], *, many: bool = True) -> dict[int | str, dict[str, Any]]:
    refused: dict[str, Any] = {"text/xml": {}, "application/json": {"schema": _json(Problem, many=True)}}
    told: dict[str, Any] = {"text/xml": {}, "application/json": {"schema": _json(form, many)}}
    status = {
        400: "Cannot be fulfilled as asked", 403: "No key, or a wrong one", 404: "Does not exist", 413: "Too large",
        429: "Too often",
    }  # fmt: skip
    made: dict[int | str, dict[str, Any]] = {200: {"description": "As the standard has it", "content": told}}
    return made | {code: {"description": text, "content": refused} for code, text in status.items()}


DESCRIBED = {
    "discovery": _described(Discovery, many=False),
    "services": _described(ServiceForm),
    "definition": _described(Definition, many=False),
    "requests": _described(RequestForm),
    "tokens": _described(Token),
    "reported": _described(ReportedForm),
}
_TEXTS = ("service_code", "lat", "long", "address_string", "address_id", "description", "jurisdiction_id", "api_key")
_TOLD: dict[str, Any] = {name: {"type": "string"} for name in _TEXTS}
_PHOTO = {"media": {"type": "string", "format": "binary"}}


def _body(properties: dict[str, Any]) -> dict[str, Any]:
    return {"schema": {"type": "object", "properties": properties, "required": ["service_code"]}}


REPORT_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/x-www-form-urlencoded": _body(_TOLD),
            "multipart/form-data": _body(_TOLD | _PHOTO),
        },
    }
}
