"""Covers of millions of points: a bound by a game of two sides, and a search among what it favours."""

from anlan.response.posting.large.searching import most_of_many

__all__ = ["most_of_many"]
