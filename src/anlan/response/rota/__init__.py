"""Rota: who serves when. Rules of rest and hours, cover in every hour, skills, leave and fair shares."""

from anlan.response.rota.answer import Breach, Change, Contradiction, Replanned, Rota, Rule
from anlan.response.rota.checking import check_rota
from anlan.response.rota.planning import plan_rota
from anlan.response.rota.problem import Duty, Member, RotaProblem, Rules, Shift, Turn, Weights
from anlan.response.rota.replanning import replan_rota

__all__ = [
    "Breach",
    "Change",
    "Contradiction",
    "Duty",
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
    "plan_rota",
    "replan_rota",
]
