"""What every adapter must do: run these on your own, as the tests do on ours.

Each check takes the adapter and a :class:`Sample` of what it reads, and raises AssertionError with what it found.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from anlan.ingest.adapters import Adapter, adapter_of
from anlan.ingest.wire import Decoded

AT = datetime(2026, 12, 31, 10, tzinfo=UTC)
SECRET = "13812345678"  # noqa: S105 - stands for anything that points at a person


@dataclass(frozen=True, slots=True)
class Sample:
    """A message that the adapter reads, and how many observations are in it.

    ``may_be_silent`` where a whole message of this format may rightly hold no observation: a counter's first total, a
    heartbeat, the empty payload by which a retained message is deleted.
    """

    topic: str
    payload: bytes
    n_observations: int = 1
    may_be_silent: bool = False


def _must(claim: bool, what: object) -> None:  # noqa: FBT001 - a claim is a claim
    if not claim:
        raise AssertionError(what)


def _told(decoded: Decoded) -> str:
    return " ".join(refusal.message for refusal in decoded[1])


def _spoilt(sample: Sample) -> list[bytes]:
    """Return what a broken device, or another one, would send under the sample's topic."""
    rng = random.Random(1)  # noqa: S311 - the same noise each time
    whole = sample.payload
    cut = [whole[:k] for k in range(0, len(whole), max(1, len(whole) // 40))]
    flipped = []
    for _ in range(200):
        changed = bytearray(whole)
        changed[rng.randrange(len(changed))] = rng.randrange(256)
        flipped.append(bytes(changed))
    noise = [rng.randbytes(rng.randrange(200)) for _ in range(100)]
    return [*cut, *flipped, *noise, b"[" * 100_000, b"null", b"[]", b"{}", b"\xff", b"0" * 10_000]


def check_its_topics_hold_its_sample(adapter: Adapter, sample: Sample) -> None:
    """A message under the sample's topic comes to this adapter."""
    _must(adapter_of([adapter], sample.topic) is adapter, f"{sample.topic} is not under {adapter.topics}")


def check_the_sample_is_read_the_same_each_time(adapter: Adapter, sample: Sample) -> None:
    """It keeps no memory: the same message gives the same observations, so that a resend is seen to be one."""
    keys = []
    for _ in range(2):
        taken, refusals = adapter.decode(sample.topic, sample.payload, AT)
        _must(refusals == [], _told((taken, refusals)))
        _must(len(taken) == sample.n_observations, f"{len(taken)} observations")
        _must([index for index, _ in taken] == sorted({index for index, _ in taken}), "places are told once, in order")
        keys.append([(seen.device_id, seen.sequence, seen.begin_at, seen.end_at) for _, seen in taken])
    _must(keys[0] == keys[1], keys)


def check_what_is_spoilt_is_refused_and_nothing_raised(adapter: Adapter, sample: Sample) -> None:
    """Whatever comes, the answer is observations and refusals, and a refusal says what must be."""
    for payload in _spoilt(sample):
        try:
            taken, refusals = adapter.decode(sample.topic, payload, AT)
        except Exception as fault:
            raise AssertionError(f"{payload[:200]!r} raised {fault!r}") from fault
        silent = sample.may_be_silent and (not payload or payload[:1] == sample.payload[:1])
        _must(silent or len(taken) + len(refusals) > 0, f"{payload[:200]!r} went without a trace")
        _must(all("must" in refusal.message for refusal in refusals), _told((taken, refusals)))
        _must(all(len(refusal.message) < 500 for refusal in refusals), "a refusal is a sentence")


def check_nothing_foreign_is_told(adapter: Adapter, sample: Sample) -> None:
    """Content of a message never stands in a refusal, whichever field it came in."""
    try:
        whole = json.loads(sample.payload)
    except ValueError:
        whole = None
    spoilt = [sample.payload + SECRET.encode(), SECRET.encode(), sample.payload[:-1] + SECRET.encode()]
    if isinstance(whole, dict):
        spoilt += [json.dumps({**whole, name: told}).encode() for name in whole for told in (SECRET, {SECRET: SECRET})]
        spoilt.append(json.dumps({**whole, SECRET: SECRET}).encode())
    for payload in spoilt:
        decoded = adapter.decode(sample.topic, payload, AT)
        _must(SECRET not in _told(decoded), _told(decoded))


def check_another_topic_does_no_harm(adapter: Adapter, sample: Sample) -> None:
    """A topic that its filters let through, but that is none of its own, is refused and not raised upon."""
    for topic in (f"{sample.topic}/more", sample.topic.replace("(", "").replace(")", ""), "", "/"):
        adapter.decode(topic, sample.payload, AT)


ADAPTER_CHECKS: tuple[Callable[[Adapter, Sample], None], ...] = (
    check_its_topics_hold_its_sample,
    check_the_sample_is_read_the_same_each_time,
    check_what_is_spoilt_is_refused_and_nothing_raised,
    check_nothing_foreign_is_told,
    check_another_topic_does_no_harm,
)
