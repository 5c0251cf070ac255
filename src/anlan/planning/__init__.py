"""Plans for a district: its pack becomes streets, demand and sites, and a question about them an answer."""

from anlan.planning.ground import PERIODS, Demand, Ground, Hours, demand_from, demand_of
from anlan.planning.posts import Asked, CurveStep, PostsPlan, RingAsked, Seven, plan_posts, rings_from

__all__ = [
    "PERIODS",
    "Asked",
    "CurveStep",
    "Demand",
    "Ground",
    "Hours",
    "PostsPlan",
    "RingAsked",
    "Seven",
    "demand_from",
    "demand_of",
    "plan_posts",
    "rings_from",
]
