"""The one error family: a kind is chosen by what the caller can do about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar


class AnlanError(Exception):
    """Base of everything Anlan raises on purpose.

    Parameters
    ----------
    value : str
        What was given, with its name: ``"radius_m=-5.0"``.
    rule : str
        The rule it breaks, with the unit: ``"must be > 0"``.
    next_step : str
        What to do now: ``"give the search radius in metres"``.
    because : mapping, optional
        Where the rule is a condition that somebody wrote with its reason: that reason, by language.

    Examples
    --------
    >>> str(BadInput("radius_m=-5.0", "must be > 0", "give the search radius in metres"))
    'radius_m=-5.0 must be > 0; give the search radius in metres.'
    """

    code: ClassVar[str] = "error"
    http_status: ClassVar[int] = 500
    exit_code: ClassVar[int] = 1

    def __init__(self, value: str, rule: str, next_step: str, *, because: Mapping[str, str] | None = None) -> None:
        self.value = value
        self.rule = rule
        self.next_step = next_step
        self.because = because
        super().__init__(f"{value} {rule}; {next_step}.")


class BadInput(AnlanError):
    """The input breaks a stated rule: correct it and try again."""

    code = "bad_input"
    http_status = 422
    exit_code = 2


class NotFound(AnlanError):
    """Nothing of that name exists: list what there is."""

    code = "not_found"
    http_status = 404
    exit_code = 3


class NotAllowed(AnlanError):
    """The caller may not do this: ask somebody who may."""

    code = "not_allowed"
    http_status = 403
    exit_code = 4


class Conflict(AnlanError):
    """Somebody else changed it first, or it is taken: read again and decide."""

    code = "conflict"
    http_status = 409
    exit_code = 5


class NoData(AnlanError):
    """The question is fair, and nothing is known: the reason says what is missing."""

    code = "no_data"
    http_status = 200
    exit_code = 6


class Unavailable(AnlanError):
    """Something Anlan needs is away (disk, database, port): mend it, nothing was lost."""

    code = "unavailable"
    http_status = 503
    exit_code = 7


KINDS: tuple[type[AnlanError], ...] = (BadInput, NotFound, NotAllowed, Conflict, NoData, Unavailable)
