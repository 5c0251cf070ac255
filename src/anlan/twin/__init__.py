"""A simulated district whose truth is known. It reaches Anlan only as real devices would."""

from anlan.twin.defaults import scenarios
from anlan.twin.footfall import Surveyor
from anlan.twin.scenario import Pull, Scenario
from anlan.twin.stream import Minute, beats, record, simulate, walk
from anlan.twin.walkers import Twin
from anlan.twin.weather import Station

__all__ = [
    "Minute",
    "Pull",
    "Scenario",
    "Station",
    "Surveyor",
    "Twin",
    "beats",
    "record",
    "scenarios",
    "simulate",
    "walk",
]
