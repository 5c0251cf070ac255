"""The roles of a district: those shipped, or its own."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path
from typing import Any

from anlan.kernel.access import Reach, Role
from anlan.kernel.errors import BadInput
from anlan.kernel.written import read_toml

SUBJECTS = (
    "crowd",
    "alerts",
    "cases",
    "volunteers",
    "contacts",
    "incidents",
    "units",
    "devices",
    "observations",
    "simulation",
    "log",
    "accounts",
)
"""What there are rights to; a later part of the platform adds its own."""
RIGHT = re.compile(rf"({'|'.join(SUBJECTS)})\.(read|act)")
CASE_ROLE = re.compile(r"cases\.[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*")
"""A role in cases of one type, ``cases.hazard.works``: it is held in the area of the grant, and nowhere beyond."""


def read_roles(folder: Path | None = None) -> tuple[Role, ...]:
    """Return the roles in ``roles.toml`` of a district's folder; the shipped ones where it has none.

    Raises
    ------
    BadInput
        If the file is no TOML, or a role, right or reach in it is none. All faults are told at once.
    """
    own = None if folder is None else folder / "roles.toml"
    if own is not None and own.is_file():
        return _read(own.read_text(encoding="utf-8"), str(own))
    return _read(files("anlan.staff").joinpath("roles.toml").read_text(encoding="utf-8"), "roles.toml")


def _read(text: str, where: str) -> tuple[Role, ...]:
    told = read_toml(text, where)
    faults: list[str] = []
    roles = tuple(role for role_id, body in told.items() if (role := _role(role_id, body, faults)) is not None)
    if faults:
        raise BadInput(where, "; ".join(faults), "correct every one of these")
    return roles


def _role(role_id: str, body: Any, faults: list[str]) -> Role | None:
    if not isinstance(body, dict) or set(body) != {"name", "rights"}:
        faults.append(f"[{role_id}] must have name and rights, and nothing else")
        return None
    name, rights = body["name"], body["rights"]
    if not isinstance(name, dict) or not all(isinstance(name.get(lang), str) for lang in ("zh", "en")):
        faults.append(f"[{role_id}] name must be given in zh and en")
    if not isinstance(rights, dict):
        faults.append(f"[{role_id}] rights must be a table")
        return None
    reaches = set(Reach)
    for right, reach in rights.items():
        if CASE_ROLE.fullmatch(right) and not RIGHT.fullmatch(right):
            if reach != Reach.OWN:
                faults.append(f"[{role_id}] {right} = {reach!r} must be own")
            continue
        if not RIGHT.fullmatch(right):
            told = f"{', '.join(SUBJECTS)}, with .read or .act, or cases.TYPE.ROLE"
            faults.append(f"[{role_id}] {right!r} must be one of {told}")
        if reach not in reaches:
            faults.append(f"[{role_id}] {right} = {reach!r} must be one of {', '.join(Reach)}")
    if faults:
        return None
    return Role(role_id=role_id, name=name, rights={right: Reach(reach) for right, reach in rights.items()})
