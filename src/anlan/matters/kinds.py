"""Case types in force, and those that running cases are pinned to: their text is kept with the cases."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from pathlib import Path

import sqlalchemy as sa

from anlan.cases import CaseType, Catalogue, read_type, shipped_types
from anlan.cases.library import shipped_text
from anlan.kernel.errors import BadInput, NotFound
from anlan.store import SqlStore, casebook

log = logging.getLogger(__name__)

FOLDER = "case-types"
"""Where a district's pack has case types of its own. One with the id of a shipped type takes its place."""


def texts_in_force(folder: Path | None) -> dict[str, str]:
    """Return the TOML of each type that new cases may be opened under, by id."""
    found = {one.type_id: shipped_text(one.type_id) for one in shipped_types()}
    own = None if folder is None else folder / FOLDER
    for path in sorted(own.glob("*.toml")) if own is not None and own.is_dir() else ():
        text = path.read_text(encoding="utf-8")
        found[read_type(text, str(path)).type_id] = text
    return found


class Kinds:
    """Every type and version that a district has or had. Opening keeps what is not kept yet."""

    def __init__(self, store: SqlStore, folder: Path | None, at: datetime) -> None:
        texts = texts_in_force(folder)
        with store.reading() as connection:
            kept = casebook.kept_types(connection)
        made = {key: _read(text, f"{key[0]} version {key[1]}") for key, text in kept.items()}
        fresh: dict[tuple[str, int], str] = {}
        for type_id, text in texts.items():
            kind = _read(text, f"{type_id} in force")
            key = (type_id, kind.version)
            if key in kept and kept[key] != text:
                # Cases run by what is kept; a changed procedure needs a version of its own to come into force.
                log.warning("the text of case type %s version %d has changed; the kept one holds", *key)
            elif key not in kept:
                made[key] = kind
                fresh[key] = text
        self._catalogue = Catalogue(tuple(made.values()))
        self.in_force = {type_id: self._catalogue.get(type_id) for type_id in texts}
        if fresh:
            with store.writing() as connection:
                _keep(connection, fresh, at)

    def current(self, type_id: str) -> CaseType:
        """Return the version under which new cases are opened; NotFound where there is no such type."""
        if type_id not in self.in_force:
            raise NotFound(f"case type {type_id!r}", "does not exist", f"choose one of {', '.join(self.in_force)}")
        return self.in_force[type_id]

    def version(self, type_id: str, version: int) -> CaseType:
        """Return a version of a type; NotFound where there is none."""
        return self._catalogue.get(type_id, version)

    def of(self, row: Mapping[str, object]) -> CaseType:
        """Return the very version that a case is pinned to."""
        return self._catalogue.get(str(row["type_id"]), int(str(row["version"])))

    def every(self) -> tuple[CaseType, ...]:
        """Return every version that there is."""
        return tuple(self._catalogue)

    def rights(self) -> frozenset[str]:
        """Return the right of each role of each type."""
        return frozenset(f"cases.{kind.type_id}.{role}" for kind in self._catalogue for role in kind.roles)

    def check(self, type_id: str, children_of: CaseType) -> None:
        """Refuse a type that may not be a part of another."""
        if type_id not in children_of.children:
            told = ", ".join(sorted(children_of.children)) or "none"
            rule = f"must be one that {children_of.type_id} may have"
            raise BadInput(f"part of type {type_id!r}", rule, f"open any of: {told}")


def _keep(connection: sa.Connection, fresh: Mapping[tuple[str, int], str], at: datetime) -> None:
    for (type_id, version), text in fresh.items():
        casebook.keep_type(connection, type_id, version, text, at)


@lru_cache(maxsize=256)
def _read(text: str, where: str) -> CaseType:
    return read_type(text, where)
