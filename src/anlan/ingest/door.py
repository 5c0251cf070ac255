"""The door: every observation is judged, committed and counted here, whatever way it came."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

from anlan.ingest.adapters import TOPICS, Adapter, OwnForm, adapter_of
from anlan.ingest.wire import Decoded, decode
from anlan.kernel.clock import Clock
from anlan.kernel.errors import AnlanError, BadInput, Unavailable
from anlan.kernel.ingress import Receipt, Refusal, RefusalCode, Verdict
from anlan.kernel.records import Device, DeviceKind, Observation

log = logging.getLogger(__name__)


class Inbox(Protocol):
    """Where the door commits: see the store's History."""

    def accept(
        self,
        observations: Sequence[Observation],
        *,
        received_at: datetime,
        late: Sequence[bool] = (),
        refusals: Sequence[Refusal] = (),
    ) -> list[Verdict]:
        """Commit a batch in one transaction."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What the door takes.

    ``ahead`` is how far a device's clock may run before the district's; ``max_age`` how old a window may be;
    ``body_bytes`` the largest body; ``waiting`` how many bodies, and ``waiting_bytes`` how many bytes of them, may wait
    for the disk before new ones are turned away; ``group`` how many observations share one commit.
    """

    ahead: timedelta = timedelta(seconds=60)
    max_age: timedelta = timedelta(hours=24)
    body_bytes: int = 8_000_000
    waiting: int = 5_000
    waiting_bytes: int = 64_000_000
    group: int = 1_000


@dataclass(slots=True)
class _Waiting:
    """A body on its way to the disk, and the promise to tell its sender."""

    taken: list[tuple[int, Observation]]
    refusals: list[Refusal]
    n_bytes: int = 0
    told: Future[Receipt] = field(default_factory=Future)

    def __post_init__(self) -> None:
        # From here on nobody can cancel it: a sender who leaves must not take the others' commit along.
        self.told.set_running_or_notify_cancel()


Beside = Callable[[str, bytes], object]
"""Takes a topic and a message; refuses with one of our errors."""


class Door:
    """The one way in. Bodies that come together are committed together, by one writer thread.

    The future that :meth:`submit` returns is done only after the commit, so whoever acknowledges on it can never
    acknowledge what a kill then loses.
    """

    def __init__(self, devices: Iterable[Device], inbox: Inbox, clock: Clock, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self.adapters: Sequence[Adapter] = (OwnForm(),)
        """Formats that are understood where a way in names none of its own."""
        self.beside: dict[str, Beside] = {}
        """Who takes messages that are no counts, by the beginning of their topic: where units are, for instance."""
        self._devices = {device.device_id: device for device in devices}
        self._inbox = inbox
        self._clock = clock
        self._waiting: queue.Queue[_Waiting | None] = queue.Queue(self.limits.waiting)
        self._n_bytes = 0
        self._closed = False
        self._lock = threading.Lock()  # of the two above: nothing is queued behind the end
        self._writer = threading.Thread(target=self._write, name="door", daemon=True)
        self._writer.start()

    def submit(self, body: bytes) -> Future[Receipt]:
        """Take a body in the wire form; the future tells what became of it, after the commit.

        Raises
        ------
        BadInput
            If the body is too large or cannot be read at all; it is counted as malformed.
        Unavailable
            If too much waits for the disk already; send it again later.
        """
        try:
            self._measure(body)
            decoded = decode(body)
        except BadInput as fault:
            self._enqueue(_Waiting(*_malformed(str(fault))))
            raise
        return self._enqueue(_Waiting(*decoded, len(body)))

    def receive(self, topic: str, payload: bytes, adapters: Sequence[Adapter] | None = None) -> Future[Receipt]:
        """Take a message by the adapter of its topic. Whatever cannot be read is in the receipt, and counted.

        Raises
        ------
        Unavailable
            If too much waits for the disk already; send it again later.
        """
        for begins, take in self.beside.items():
            if topic.startswith(begins):
                return self._handed_on(take, topic, payload)
        adapter = adapter_of(self.adapters if adapters is None else adapters, topic)
        try:
            self._measure(payload)
            if adapter is None:
                decoded = _malformed(f"topic must be {TOPICS}<device>; publish there.")
            else:
                decoded = adapter.decode(topic, payload, self._clock.now())
        except BadInput as fault:
            decoded = _malformed(str(fault))
        except Exception:  # an adapter's own fault must not bring the message back for ever
            log.exception("%s failed on a message", type(adapter).__name__)
            decoded = _malformed("message must be one that its adapter can read; the log has the adapter's fault.")
        return self._enqueue(_Waiting(*decoded, len(payload)))

    def _handed_on(self, take: Beside, topic: str, payload: bytes) -> Future[Receipt]:
        """Hand a message to whoever takes its topic; what is refused is told in the receipt, and comes never again.

        Raises
        ------
        Unavailable
            If it cannot be kept now.
        """
        told: Future[Receipt] = Future()
        try:
            self._measure(payload)
            take(topic, payload)
            told.set_result(Receipt(n_accepted=1))
        except Unavailable:  # a full disk, for one: not confirmed, so that it is sent again
            raise
        except AnlanError as fault:
            told.set_result(Receipt(refusals=(Refusal(code=RefusalCode.MALFORMED, message=str(fault)),)))
        except Exception:  # as with an adapter: raised, it would end the connection, and come back for ever
            log.exception("a message under %s was not taken", topic.partition("/")[0])
            message = "message must be one that can be read here; the log has the fault."
            told.set_result(Receipt(refusals=(Refusal(code=RefusalCode.MALFORMED, message=message),)))
        return told

    def _measure(self, body: bytes) -> None:
        if len(body) > self.limits.body_bytes:
            raise BadInput(
                f"body of {len(body)} bytes", f"must be at most {self.limits.body_bytes}", "split it into batches"
            )

    def put(self, observations: Sequence[Observation]) -> Future[Receipt]:
        """Take observations that are records already (files, adapters).

        Raises
        ------
        Unavailable
            If too much waits for the disk already.
        """
        return self._enqueue(_Waiting(list(enumerate(observations)), []))

    def close(self) -> None:
        """Commit what waits, then stop."""
        with self._lock:
            ends = not self._closed
            self._closed = True
        if ends:
            self._waiting.put(None)
        self._writer.join()

    def _enqueue(self, waiting: _Waiting) -> Future[Receipt]:
        with self._lock:
            if self._closed:
                raise Unavailable("the door", "must be open", "send it again when the server is back")
            if self._n_bytes and self._n_bytes + waiting.n_bytes > self.limits.waiting_bytes:
                raise Unavailable(
                    f"{self._n_bytes} bytes waiting", "must first reach the disk", "send it again in a second"
                )
            try:
                self._waiting.put_nowait(waiting)
            except queue.Full:
                raise Unavailable(
                    f"{self.limits.waiting} bodies waiting", "must first reach the disk", "send it again in a second"
                ) from None
            self._n_bytes += waiting.n_bytes
        return waiting.told

    def _write(self) -> None:
        more = True
        while more:
            group, more = self._gather()
            if not group:
                continue
            self._settle(group)
            with self._lock:
                self._n_bytes -= sum(waiting.n_bytes for waiting in group)

    def _settle(self, group: list[_Waiting]) -> None:
        """Commit a group, or tell its senders that it was not; whatever the cause is, the door lives on."""
        try:
            self._commit(group)
        except Unavailable as fault:
            log.error("not committed: %s", fault)  # noqa: TRY400 - the three parts say it all
            for waiting in group:
                waiting.told.set_exception(fault)
        except Exception as fault:
            if len(group) > 1:  # one body that the disk cannot take must not hold up the others
                for waiting in group:
                    self._settle([waiting])
                return
            log.exception("not committed")
            group[0].told.set_exception(_as_unavailable(fault))

    def _gather(self) -> tuple[list[_Waiting], bool]:
        """Wait for one body, then take whatever else came while the last commit ran."""
        first = self._waiting.get()
        if first is None:
            return [], False
        group, n = [first], len(first.taken)
        while n < self.limits.group:
            try:
                further = self._waiting.get_nowait()
            except queue.Empty:
                break
            if further is None:
                return group, False
            group.append(further)
            n += len(further.taken)
        return group, True

    def _commit(self, group: list[_Waiting]) -> None:
        now = self._clock.now()
        good: list[Observation] = []
        for waiting in group:
            kept = []
            for index, seen in waiting.taken:
                refusal = self._refusal(seen, index, now)
                if refusal is None:
                    kept.append((index, seen))
                else:
                    waiting.refusals.append(refusal)
            waiting.taken = kept
            waiting.refusals = [self._known(refusal) for refusal in waiting.refusals]
            good.extend(seen for _, seen in kept)
        verdicts = self._inbox.accept(
            good,
            received_at=now,
            late=[self._is_late(seen, now) for seen in good],
            refusals=[refusal for waiting in group for refusal in waiting.refusals],
        )
        rest = iter(verdicts)
        for waiting in group:
            mine = [next(rest) for _ in waiting.taken]
            waiting.told.set_result(_receipt(mine, waiting.refusals))

    def _known(self, refusal: Refusal) -> Refusal:
        """Count a refusal under its device only where that device is ours: an unknown name may be anything."""
        return refusal if refusal.device_id in self._devices else replace(refusal, device_id=None)

    def _is_late(self, seen: Observation, now: datetime) -> bool:
        patience = max(2 * self._devices[seen.device_id].interval_s, 120.0)
        if self._devices[seen.device_id].kind is DeviceKind.GRID:
            patience += 600.0  # an aggregate of phone locations is made minutes after its window, by its nature
        return (now - seen.end_at).total_seconds() > patience

    def _refusal(self, seen: Observation, index: int, now: datetime) -> Refusal | None:
        device = self._devices.get(seen.device_id)
        if device is None:
            return Refusal(
                code=RefusalCode.UNKNOWN_DEVICE,
                message="device must be one of the district pack; add it to devices.geojson, or correct its name.",
                index=index,
            )
        found = _form_fault(device, seen) or self._time_fault(seen, now)
        if found is None:
            return None
        return Refusal(code=found[0], message=found[1], index=index, device_id=device.device_id)

    def _time_fault(self, seen: Observation, now: datetime) -> tuple[RefusalCode, str] | None:
        ahead, age = seen.end_at - now, now - seen.end_at
        if ahead > self.limits.ahead:
            limit = int(self.limits.ahead.total_seconds())
            return RefusalCode.FUTURE, (
                f"end_at={seen.end_at.isoformat()} must not be more than {limit} s ahead of the district's clock "
                f"({now.isoformat()}); set the device's clock (NTP)."
            )
        if age > self.limits.max_age:
            hours = self.limits.max_age.total_seconds() / 3600
            return RefusalCode.TOO_OLD, (
                f"end_at={seen.end_at.isoformat()} must be less than {hours:g} h old ({now.isoformat()}); "
                "set the device's clock, or read old recordings with 'anlan observations read'."
            )
        return None


def _malformed(message: str) -> Decoded:
    return [], [Refusal(code=RefusalCode.MALFORMED, message=message)]


def _as_unavailable(fault: Exception) -> AnlanError:
    """Tell a sender of a failed commit to send again; the cause is in the log."""
    told = Unavailable("the commit", f"must succeed ({type(fault).__name__})", "send it again; the log has the cause")
    told.__cause__ = fault
    return told


def _form_fault(device: Device, seen: Observation) -> tuple[RefusalCode, str] | None:
    """Tell whether window and values are those of the device."""
    kind = device.kind
    fits = {
        DeviceKind.GATE: seen.n_in is not None,
        DeviceKind.PASSAGE: seen.n_in is not None if device.directed else seen.n_passed is not None,
        DeviceKind.ROAD: seen.n_in is not None,
        DeviceKind.AREA: seen.n_present is not None,
        DeviceKind.GRID: seen.counts is not None,
    }[kind]
    asked = {
        DeviceKind.GATE: "in and out",
        DeviceKind.PASSAGE: "in and out" if device.directed else "passed",
        DeviceKind.ROAD: "in and out",
        DeviceKind.AREA: "present",
        DeviceKind.GRID: "counts",
    }[kind]
    longest_s = max(2 * device.interval_s, 3600.0)
    if (seen.end_at - seen.begin_at).total_seconds() > longest_s:
        return RefusalCode.MALFORMED, (
            f"begin_at={seen.begin_at.isoformat()} must be at most {longest_s:g} s before end_at "
            f"({seen.end_at.isoformat()}); send one window for each interval of the device."
        )
    if not fits:
        return RefusalCode.WRONG_KIND, f"values of a {kind} device must be {asked}; correct the message or the pack."
    if seen.counts is not None and device.grid is not None:
        wanted = device.grid.n_columns * device.grid.n_rows
        if len(seen.counts) != wanted:
            return RefusalCode.WRONG_KIND, (
                f"counts of {len(seen.counts)} squares must be {wanted} "
                f"({device.grid.n_columns} columns x {device.grid.n_rows} rows); send the pack's grid."
            )
    return None


def _receipt(verdicts: Sequence[Verdict], refusals: Sequence[Refusal]) -> Receipt:
    return Receipt(
        n_accepted=sum(v is not Verdict.DUPLICATE for v in verdicts),
        n_late=sum(v is Verdict.LATE for v in verdicts),
        n_out_of_order=sum(v is Verdict.OUT_OF_ORDER for v in verdicts),
        n_duplicate=sum(v is Verdict.DUPLICATE for v in verdicts),
        refusals=tuple(sorted(refusals, key=lambda refusal: refusal.index)),
    )
