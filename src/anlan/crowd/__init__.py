"""Count the people in any place, with an honest interval. Pure computing over plain records."""

from anlan.crowd.cells import Cells
from anlan.crowd.count import Counter, count
from anlan.crowd.estimate import Estimator, Params
from anlan.crowd.field import Field
from anlan.crowd.health import device_now
from anlan.crowd.measures import level_of_service, walking_speed
from anlan.crowd.state import State

__all__ = [
    "Cells",
    "Counter",
    "Estimator",
    "Field",
    "Params",
    "State",
    "count",
    "device_now",
    "level_of_service",
    "walking_speed",
]
