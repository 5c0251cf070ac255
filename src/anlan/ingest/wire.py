"""The wire form of an observation: JSON with exactly these fields, so that no identity fits in."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

import msgspec
import numpy as np

from anlan.kernel.errors import BadInput
from anlan.kernel.ingress import Refusal, RefusalCode
from anlan.kernel.records import Observation

MOST = 100_000_000
"""More people than any device counts in one window."""

People = Annotated[int, msgspec.Meta(ge=0, le=MOST)]
Moment = Annotated[datetime, msgspec.Meta(tz=True)]

Decoded = tuple[list[tuple[int, Observation]], list[Refusal]]
"""Observations with their place in a body, and what of it is malformed."""

MAX_BATCH = 50_000


class Values(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """What was counted: ``in`` and ``out``, or ``passed``, or ``present``, or ``counts`` (null: suppressed)."""

    n_in: People | None = msgspec.field(default=None, name="in")
    n_out: People | None = msgspec.field(default=None, name="out")
    n_passed: People | None = msgspec.field(default=None, name="passed")
    n_present: People | None = msgspec.field(default=None, name="present")
    counts: Annotated[list[People | None], msgspec.Meta(max_length=250_000)] | None = None


class Sent(msgspec.Struct, forbid_unknown_fields=True):
    """One observation as it is sent."""

    device: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    begin_at: Moment
    end_at: Moment
    sequence: Annotated[int, msgspec.Meta(ge=0, le=2**62)]
    values: Values


class _Named(msgspec.Struct):
    device: str = ""


FAULTS = (msgspec.DecodeError, UnicodeDecodeError, OverflowError, RecursionError)
"""What reading foreign bytes can raise: no JSON, no UTF-8, a moment off the calendar, a thousand brackets."""

_AT = re.compile(r"(?P<rule>.*) - at `\$\.?(?P<path>[^`]*)`$")
_UNKNOWN = re.compile(r"unknown field `(?![A-Za-z_]\w{0,30}`).*`(?= - at `\$|$)", re.DOTALL | re.ASCII)
_WHOLE = "send whole people, 0 or more"
_MOMENT = "write it like 2026-12-31T18:00:00+08:00"
_NEXT = {
    "device": "send the device's id in the district pack",
    "begin_at": _MOMENT,
    "end_at": _MOMENT,
    "sequence": "count the device's messages from 0",
    "values.in": _WHOLE,
    "values.out": _WHOLE,
    "values.passed": _WHOLE,
    "values.present": _WHOLE,
    "values.counts": "send whole people, or null where suppressed",
}
_NUMBERS = {"sequence", "values.in", "values.out", "values.passed", "values.present"}

_shallow = msgspec.json.Decoder(dict[str, msgspec.Raw])
_many = msgspec.json.Decoder(Annotated[list[msgspec.Raw], msgspec.Meta(max_length=MAX_BATCH)])
_sent = msgspec.json.Decoder(Sent)
_named = msgspec.json.Decoder(_Named)


def decode(body: bytes) -> Decoded:
    """Return the observations of a body with their place in it, and what of it is malformed.

    A body is one observation, or ``{"observations": [...]}``. A fault in one observation does not sink the others.

    Raises
    ------
    BadInput
        If the body as a whole cannot be read.
    """
    taken: list[tuple[int, Observation]] = []
    refusals: list[Refusal] = []
    for index, raw in enumerate(_parts(body)):
        try:
            taken.append((index, _observation(_sent.decode(raw))))
        except (*FAULTS, BadInput) as fault:
            refusals.append(
                Refusal(code=RefusalCode.MALFORMED, message=_told(fault, raw), index=index, device_id=_device_of(raw))
            )
    return taken, refusals


def _parts(body: bytes) -> Sequence[msgspec.Raw]:
    try:
        outer = _shallow.decode(body)
        if "observations" not in outer:
            return [msgspec.Raw(body)]
        if len(outer) > 1:
            raise BadInput("a body with observations", "must have no other field", "remove the others")
        return _many.decode(outer["observations"])
    except FAULTS as fault:
        raise BadInput(
            "body", f"must be one observation or a list of them in JSON ({_short(fault)})", "see docs/connect.md"
        ) from None


def _told(fault: Exception, raw: msgspec.Raw) -> str:
    """Say which field breaks which rule, and the next step. The content of a field is told only for small numbers."""
    if isinstance(fault, BadInput):
        return str(fault)
    if isinstance(fault, OverflowError):
        return f"begin_at, end_at must be moments of this age; {_NEXT['end_at']}."
    name, rule = place_and_rule(fault, "observation")
    next_step = _NEXT.get(name.partition("[")[0], "see docs/connect.md")
    number = _number(raw, name) if name in _NUMBERS else None
    given = name if number is None else f"{name}={number}"
    return f"{given} must {rule}; {next_step}."


def place_and_rule(fault: Exception, whole: str) -> tuple[str, str]:
    """Return which field breaks which rule ("be `int` >= 0, not `str`"); ``whole`` where it is no single one."""
    found = _AT.match(_short(fault))
    return (found["path"], _as_rule(found["rule"])) if found else (whole, _as_rule(_short(fault)))


def _as_rule(text: str) -> str:
    """Turn "Expected `int` >= 0, got `str`" into "be `int` >= 0, not `str`"."""
    if text.startswith("Object contains unknown field"):
        return f"have no other field than those of the wire form ({text.removeprefix('Object contains ')})"
    if text.startswith("Object missing required field"):
        return f"have every field of the wire form ({text.removeprefix('Object ')})"
    return (
        text.replace("Expected", "be", 1).replace(", got", ", not") if "Expected" in text else f"be readable ({text})"
    )


def _short(fault: Exception) -> str:
    """Return what msgspec says, which names fields and types; an odd name of a field could be content, so it is cut."""
    return _UNKNOWN.sub("unknown field", str(fault) or type(fault).__name__)[:200]


def _number(raw: msgspec.Raw, name: str) -> int | float | None:
    """Return a numeric field of a refused observation where it is a small number."""
    try:
        found: Any = msgspec.json.decode(raw)
        for part in name.split("."):
            found = found[part]
    except (*FAULTS, KeyError, TypeError):
        return None
    return found if isinstance(found, int | float) and not isinstance(found, bool) and abs(found) < 10_000 else None


def _device_of(raw: msgspec.Raw) -> str | None:
    try:
        return _named.decode(raw).device or None
    except FAULTS:
        return None


def _observation(sent: Sent) -> Observation:
    values = sent.values
    if sum(v is not None for v in (values.n_in, values.n_passed, values.n_present, values.counts)) != 1:
        raise BadInput("values", "must be one of in and out, passed, present, counts", "send one form")
    counts = None
    if values.counts is not None:
        counts = np.array([np.nan if n is None else n for n in values.counts], float)
    return Observation(
        device_id=sent.device,
        begin_at=sent.begin_at,
        end_at=sent.end_at,
        sequence=sent.sequence,
        n_in=values.n_in,
        n_out=values.n_out,
        n_passed=values.n_passed,
        n_present=values.n_present,
        counts=counts,
    )


def encode(observation: Observation) -> bytes:
    """Return the wire form of one observation; the inverse of :func:`decode`."""
    counts = None
    if observation.counts is not None:
        counts = [None if np.isnan(n) else int(n) for n in observation.counts]
    return msgspec.json.encode(
        Sent(
            device=observation.device_id,
            begin_at=observation.begin_at,
            end_at=observation.end_at,
            sequence=observation.sequence,
            values=Values(
                n_in=observation.n_in,
                n_out=observation.n_out,
                n_passed=observation.n_passed,
                n_present=observation.n_present,
                counts=counts,
            ),
        )
    )
