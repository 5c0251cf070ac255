"""Dispatch: who should go to an incident, with the reason; what steps units and incidents may take."""

from anlan.response.dispatch.arrivals import Arrival, arrival
from anlan.response.dispatch.ground import Demand, Ground, demand_of, soonest_s
from anlan.response.dispatch.playbooks import Need, Playbook, Playbooks, UnitKind, read_playbooks
from anlan.response.dispatch.positions import check_position
from anlan.response.dispatch.recommend import BARS, Candidate, Dispatcher, MoveUp, Recommendation, queue
from anlan.response.dispatch.steps import (
    INCIDENT_STEPS,
    REPORTED,
    UNIT_STEPS,
    check_moment,
    check_step,
    state_of,
)

__all__ = [
    "BARS",
    "INCIDENT_STEPS",
    "REPORTED",
    "UNIT_STEPS",
    "Arrival",
    "Candidate",
    "Demand",
    "Dispatcher",
    "Ground",
    "MoveUp",
    "Need",
    "Playbook",
    "Playbooks",
    "Recommendation",
    "UnitKind",
    "arrival",
    "check_moment",
    "check_position",
    "check_step",
    "demand_of",
    "queue",
    "read_playbooks",
    "soonest_s",
    "state_of",
]
