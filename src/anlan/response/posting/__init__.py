"""Posting: where units wait so that a promise is kept, with the proof or the gap of every plan.

HiGHS is used as a library: install the extra ``plan``.
"""

from anlan.response.posting.day import Day, DayPlan, Period, PeriodPlan, Ring, RingKept, plan_day
from anlan.response.posting.goals import Backup, DoubleStandard, Goal, Lscp, Mclp, Mexclp, PCenter, PMedian
from anlan.response.posting.problem import Beyond, Plan, Problem, Stop
from anlan.response.posting.solving import Price, marginal_values, price_curve, solve

__all__ = [
    "Backup",
    "Beyond",
    "Day",
    "DayPlan",
    "DoubleStandard",
    "Goal",
    "Lscp",
    "Mclp",
    "Mexclp",
    "PCenter",
    "PMedian",
    "Period",
    "PeriodPlan",
    "Plan",
    "Price",
    "Problem",
    "Ring",
    "RingKept",
    "Stop",
    "marginal_values",
    "plan_day",
    "price_curve",
    "solve",
]
