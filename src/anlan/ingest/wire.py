"""The wire form of an observation: JSON with exactly these fields, so that no identity fits in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import msgspec
import numpy as np

from anlan.kernel.errors import BadInput
from anlan.kernel.ingress import Refusal, RefusalCode
from anlan.kernel.records import Observation

People = Annotated[int, msgspec.Meta(ge=0, le=100_000_000)]
Moment = Annotated[datetime, msgspec.Meta(tz=True)]

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


_shallow = msgspec.json.Decoder(dict[str, msgspec.Raw])
_many = msgspec.json.Decoder(Annotated[list[msgspec.Raw], msgspec.Meta(max_length=MAX_BATCH)])
_sent = msgspec.json.Decoder(Sent)
_named = msgspec.json.Decoder(_Named)


def decode(body: bytes) -> tuple[list[tuple[int, Observation]], list[Refusal]]:
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
        except (msgspec.DecodeError, BadInput, UnicodeDecodeError) as fault:
            refusals.append(
                Refusal(code=RefusalCode.MALFORMED, message=_told(fault), index=index, device_id=_device_of(raw))
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
    except (msgspec.DecodeError, UnicodeDecodeError) as fault:
        raise BadInput(
            "body", f"must be one observation or a list of them in JSON ({fault})", "see docs/connect.md"
        ) from None


def _told(fault: Exception) -> str:
    """Say the fault. msgspec names fields and types, never the content, which could be anything."""
    if isinstance(fault, BadInput):
        return str(fault)
    return f"observation must have the wire form ({fault}); see docs/connect.md."


def _device_of(raw: msgspec.Raw) -> str | None:
    try:
        return _named.decode(raw).device or None
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _observation(sent: Sent) -> Observation:
    values = sent.values
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
