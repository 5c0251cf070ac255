"""What somebody wrote as TOML: read once, refused in one way, and a label is one in both languages."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any, TypeGuard

from anlan.kernel.errors import BadInput

ID = re.compile(r"[a-z][a-z0-9_]{0,39}")
"""How an id is written: small letters, digits and _."""


def read_toml(text: str, where: str) -> dict[str, Any]:
    """Return what a text says.

    Raises
    ------
    BadInput
        If it is no TOML.

    Examples
    --------
    >>> read_toml("id = 'light'", "a.toml")
    {'id': 'light'}
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as fault:
        raise BadInput(where, f"must be TOML ({fault})", "correct that line") from None


def refuse(where: str, faults: Sequence[str]) -> None:
    """Refuse what has faults, and tell all of them.

    Raises
    ------
    BadInput
        If there are any.
    """
    if faults:
        raise BadInput(where, f"has {len(faults)} faults: {'; '.join(faults)}", "correct every one of these")


def is_id(told: object) -> TypeGuard[str]:
    """Tell whether something is an id."""
    return isinstance(told, str) and ID.fullmatch(told) is not None


def is_label(told: object) -> TypeGuard[Mapping[str, str]]:
    """Tell whether something says a text in zh and in en, and no more.

    Examples
    --------
    >>> is_label({"zh": "路灯", "en": "lamp"}), is_label({"en": "lamp"})
    (True, False)
    """
    return isinstance(told, dict) and set(told) == {"zh", "en"} and all(isinstance(one, str) for one in told.values())
