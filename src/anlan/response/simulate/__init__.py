"""Simulation: a year of incidents against a plan and a policy, in seconds; the same year for every plan and policy."""

from anlan.response.simulate.ensemble import Ensemble, Trial
from anlan.response.simulate.places import Places
from anlan.response.simulate.running import Run, cover_of, each, responses_of, simulate
from anlan.response.simulate.summary import (
    Comparison,
    Figure,
    LateAt,
    Summary,
    batches,
    compare,
    compared,
    figure,
    late_by,
    summary,
    summed,
    worst,
)
from anlan.response.simulate.telling import Told, hours_of, late, tell
from anlan.response.simulate.world import (
    BOTH,
    KEEPING,
    MOVING,
    NEAREST,
    Carrying,
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
    "Carrying",
    "Comparison",
    "Ensemble",
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
    "Told",
    "Trial",
    "batches",
    "compare",
    "compared",
    "cover_of",
    "each",
    "figure",
    "hours_of",
    "late",
    "late_by",
    "responses_of",
    "simulate",
    "summary",
    "summed",
    "tell",
    "worst",
]
