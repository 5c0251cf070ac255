"""Count the people in any place, with an honest interval. Pure computing over plain records."""

from anlan.crowd.alerts import AlertParams, AlertState, Judge
from anlan.crowd.border import over_border
from anlan.crowd.cells import Cells
from anlan.crowd.count import Counter, count
from anlan.crowd.course import Course, Curve, Turnout
from anlan.crowd.estimate import Estimator
from anlan.crowd.field import Field
from anlan.crowd.flow import Flows
from anlan.crowd.health import device_now
from anlan.crowd.layout import Params
from anlan.crowd.lines import LINED, Lines, Window
from anlan.crowd.measures import level_of_service, walking_speed
from anlan.crowd.parcels import LEAST_M2, Parcels
from anlan.crowd.sensing import Sensing
from anlan.crowd.state import State
from anlan.crowd.trend import Outlook
from anlan.crowd.why import Evidence, Spots, why

__all__ = [
    "LEAST_M2",
    "LINED",
    "AlertParams",
    "AlertState",
    "Cells",
    "Counter",
    "Course",
    "Curve",
    "Estimator",
    "Evidence",
    "Field",
    "Flows",
    "Judge",
    "Lines",
    "Outlook",
    "Params",
    "Parcels",
    "Sensing",
    "Spots",
    "State",
    "Turnout",
    "Window",
    "count",
    "device_now",
    "level_of_service",
    "over_border",
    "walking_speed",
    "why",
]
