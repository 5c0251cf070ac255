"""What goes over the district's border: people on foot and vehicles, each way, and which counters are silent."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from anlan.crowd.lines import OVER, Lines, Window
from anlan.kernel.answers import BorderFlow
from anlan.kernel.records import DeviceKind


def over_border(lines: Lines, windows: Mapping[str, Sequence[Window]]) -> tuple[BorderFlow, BorderFlow]:
    r"""Return the people, and the vehicles, over all lines that stand on the border.

    .. math:: q_{in} = \sum_k n_{in,k} / T_k, \quad \sigma^2 = \sum_k (n_{in,k} + n_{out,k}) / T_k^2

    with the counts :math:`n` of line :math:`k` in its windows of together :math:`T_k`, the last five minutes, and the
    deviation :math:`\sigma` of what is gained by chance alone: what a counter misses both ways alike falls out of it.
    Where a line is silent the whole is unknown, and only what the others counted is told.

    Parameters
    ----------
    lines : Lines
        With the roads among them.
    windows : mapping
        By device, what each counted lately; a line that is not among them is silent.
    """
    on_border = [device for device in lines.devices.values() if device.border]
    on_foot = [device.device_id for device in on_border if device.kind is not DeviceKind.ROAD]
    by_road = [device.device_id for device in on_border if device.kind is DeviceKind.ROAD]
    return _summed(lines, windows, on_foot), _summed(lines, windows, by_road)


def _summed(lines: Lines, windows: Mapping[str, Sequence[Window]], names: Sequence[str]) -> BorderFlow:
    told = {name: lines.flow(name, windows[name]) for name in names if windows.get(name)}
    silent = tuple(name for name in names if name not in told)
    if not told:
        return BorderFlow(lines=tuple(names), silent=silent)
    n_in, n_out = (60 * sum(getattr(flow, way) for flow in told.values()) for way in ("in_per_s", "out_per_s"))
    lengths = {name: sum(end - begin for begin, end, *_ in windows[name]) for name in told}
    spread = 60 * math.sqrt(sum(flow.n / lengths[name] ** 2 for name, flow in told.items()))
    return BorderFlow(
        lines=tuple(names),
        silent=silent,
        over_s=OVER.total_seconds(),
        counted_in_per_min=n_in,
        counted_out_per_min=n_out,
        in_per_min=None if silent else n_in,
        out_per_min=None if silent else n_out,
        net_sd_per_min=None if silent else spread,
    )
