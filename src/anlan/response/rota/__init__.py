"""Rota: who serves when. Rules of rest and hours, cover in every hour, skills, leave and fair shares."""

from anlan.response.rota.answer import Breach, Change, Contradiction, Replanned, Rota, Rule
from anlan.response.rota.checking import check_rota
from anlan.response.rota.loads import Load, loads_of
from anlan.response.rota.planning import plan_rota
from anlan.response.rota.problem import Duty, Member, RotaProblem, Rules, Shift, Turn, Weights
from anlan.response.rota.reading import read_rota_problem, read_served, write_served
from anlan.response.rota.replanning import replan_rota

__all__ = [
    "Breach",
    "Change",
    "Contradiction",
    "Duty",
    "Load",
    "Member",
    "Replanned",
    "Rota",
    "RotaProblem",
    "Rule",
    "Rules",
    "Shift",
    "Turn",
    "Weights",
    "check_rota",
    "loads_of",
    "plan_rota",
    "read_rota_problem",
    "read_served",
    "replan_rota",
    "write_served",
]
