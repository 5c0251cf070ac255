"""Rehearses what standard input asks, as a program beside: see :mod:`anlan.errand`."""

from __future__ import annotations

import sys

import msgspec

from anlan.errand import Json, Tell, answer
from anlan.rehearsal.rehearsing import Asked, days, rehearse


def _answered(asked: Json, tell: Tell) -> Json:
    if "days_of" in asked:
        return days(str(asked["days_of"]))
    return rehearse(msgspec.convert(asked, Asked), tell)


if __name__ == "__main__":
    sys.exit(answer(_answered))
