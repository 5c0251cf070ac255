"""How a device is doing, from what it sent and when."""

from __future__ import annotations

from datetime import datetime

from anlan.crowd.rows import per_minute
from anlan.kernel.answers import DeviceNow, DeviceState, Fault, Suspicion
from anlan.kernel.ingress import Tally
from anlan.kernel.records import Device, DeviceKind

GRID_DELAY_S = 900.0
"""A location grid is made minutes after its window, by its nature."""


def device_now(
    device: Device,
    tally: Tally | None,
    now: datetime,
    *,
    withdrawn: bool = False,
    suspicion: Suspicion | None = None,
) -> DeviceNow:
    """Return how a device is doing, why, and what it last counted.

    Silent is who has not reported for longer than two of its intervals and a minute (a location grid has a quarter of
    an hour more); late is whose newest count came after its minute; suspect is of whom more than a tenth is refused,
    and whose counts cannot be believed (see :class:`anlan.crowd.watch.Watcher`).
    """
    state, reason = _state(device, tally, now)
    doubtful = suspicion is not None and suspicion.fault is not Fault.RESTARTED
    if suspicion is not None and doubtful and state in {DeviceState.OK, DeviceState.LATE}:
        state, reason = DeviceState.SUSPECT, str(suspicion.fault)
    if withdrawn:
        state, reason = DeviceState.WITHDRAWN, "withdrawn"
    last = tally.last if tally else None
    lined = device.kind in {DeviceKind.GATE, DeviceKind.PASSAGE, DeviceKind.ROAD}
    flow = per_minute(last) if last is not None and lined and state is not DeviceState.SILENT else None
    return DeviceNow(device=device, state=state, reason=reason, per_minute=flow, tally=tally, suspicion=suspicion)


def _state(device: Device, tally: Tally | None, now: datetime) -> tuple[DeviceState, str | None]:
    if tally is None or (tally.last_end_at is None and not tally.n_refused):
        return DeviceState.NEVER, "never_heard"
    if tally.last_end_at is None:
        return DeviceState.SUSPECT, "all_refused"
    patience = 2 * device.interval_s + 60 + (GRID_DELAY_S if device.kind is DeviceKind.GRID else 0)
    if (now - tally.last_end_at).total_seconds() > patience:
        return DeviceState.SILENT, "silent"
    if tally.n_refused > 0.1 * (tally.n_accepted + tally.n_refused):
        return DeviceState.SUSPECT, "many_refused"
    delay = 0.0 if tally.last_received_at is None else (tally.last_received_at - tally.last_end_at).total_seconds()
    if delay > max(2 * device.interval_s, 120.0) and device.kind is not DeviceKind.GRID:
        return DeviceState.LATE, "late"
    return DeviceState.OK, None
