"""Expected cover: what is in reach of somebody free, what a unit takes with it, where one is missed."""

from anlan.response.cover.expected import ExpectedCover, offered_busy, unit_for

__all__ = ["ExpectedCover", "offered_busy", "unit_for"]
