"""Plans for a district: its pack becomes streets, demand and sites, and a question about them an answer."""

import importlib
from typing import TYPE_CHECKING, Any

from anlan.planning.ground import PERIODS, Demand, Ground, Hours, demand_from, demand_of
from anlan.planning.rings import RingAsked, rings_from

if TYPE_CHECKING:
    from anlan.planning.posts import Asked, CurveStep, PostsPlan, Seven, plan_posts
    from anlan.planning.settling import Load, SettledDay

__all__ = [
    "PERIODS",
    "Asked",
    "CurveStep",
    "Demand",
    "Ground",
    "Hours",
    "Load",
    "PostsPlan",
    "RingAsked",
    "SettledDay",
    "Seven",
    "demand_from",
    "demand_of",
    "plan_posts",
    "rings_from",
]

_SOLVED = {"Load": "settling", "SettledDay": "settling"}


def __getattr__(name: str) -> Any:
    """Load what solves when it is asked for: a district opens without the extra that holds HiGHS."""
    if name not in __all__:
        raise AttributeError(name)
    return getattr(importlib.import_module(f"anlan.planning.{_SOLVED.get(name, 'posts')}"), name)
