"""Simulation: a year of incidents against a plan and a policy, in seconds; the same year for every plan and policy."""

from anlan.response.simulate.places import Places
from anlan.response.simulate.running import Run, cover_of, each, responses_of, simulate
from anlan.response.simulate.summary import (
    Comparison,
    Figure,
    LateAt,
    Summary,
    batches,
    compare,
    figure,
    hours_of,
    late,
    late_by,
    summary,
)
from anlan.response.simulate.world import (
    BOTH,
    KEEPING,
    MOVING,
    NEAREST,
    Fleet,
    Incidents,
    Kind,
    Policy,
    Roads,
)

__all__ = [
    "BOTH",
    "KEEPING",
    "MOVING",
    "NEAREST",
    "Comparison",
    "Figure",
    "Fleet",
    "Incidents",
    "Kind",
    "LateAt",
    "Places",
    "Policy",
    "Roads",
    "Run",
    "Summary",
    "batches",
    "compare",
    "cover_of",
    "each",
    "figure",
    "hours_of",
    "late",
    "late_by",
    "responses_of",
    "simulate",
    "summary",
]
