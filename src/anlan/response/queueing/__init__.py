"""Queueing truth: Erlang's formulas, the hypercube, and a plan that agrees with its own busy fraction."""

from anlan.response.queueing.erlang import busy_levels, erlang_b, erlang_c, erlang_wait_s
from anlan.response.queueing.hypercube import (
    MOST_EXACT,
    Settled,
    Workloads,
    nearest_order,
    settle,
    workloads,
)

__all__ = [
    "MOST_EXACT",
    "Settled",
    "Workloads",
    "busy_levels",
    "erlang_b",
    "erlang_c",
    "erlang_wait_s",
    "nearest_order",
    "settle",
    "workloads",
]
