"""Travel times: the street graph, ways of moving, and how long units take to where help is needed."""

from anlan.response.travel.fitting import ArrivalFit, Expected, Runs, fit_arrivals
from anlan.response.travel.graph import StreetGraph
from anlan.response.travel.network import Network, Piece, Reach, Router, StreetRouter
from anlan.response.travel.speeds import BICYCLE, FOOT, MODES, TRAFFIC, VEHICLE, Conditions, Mode, Turns, speeds_kmh

__all__ = [
    "BICYCLE",
    "FOOT",
    "MODES",
    "TRAFFIC",
    "VEHICLE",
    "ArrivalFit",
    "Conditions",
    "Expected",
    "Mode",
    "Network",
    "Piece",
    "Reach",
    "Router",
    "Runs",
    "StreetGraph",
    "StreetRouter",
    "Turns",
    "fit_arrivals",
    "speeds_kmh",
]
