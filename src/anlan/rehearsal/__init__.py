"""Rehearsals: a plan that runs over a simulated crowd, through the very door, estimate and triggers of the district."""

from anlan.rehearsal.crowd import Crowd, drawn
from anlan.rehearsal.rehearsing import Asked, rehearse

__all__ = ["Asked", "Crowd", "drawn", "rehearse"]
