"""Who asks about cases: where they read, where they act, and which roles of which types they hold.

It is made once per request from rights; lists, search, export, counts and the live feed all go by it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from anlan.cases import By, CaseType
from anlan.cases.definition import Confidentiality
from anlan.kernel.access import Access, Actor, Grant, Scope
from anlan.kernel.errors import NotFound

READ, ACT = "cases.read", "cases.act"
ALWAYS = datetime.min.replace(tzinfo=UTC)
NARROW = frozenset({Confidentiality.RESTRICTED, Confidentiality.SEALED})
"""Types of these are read by their own roles only."""


def _nowhere(_right: str) -> Scope:
    return Scope(False, frozenset())


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What somebody may see and do with cases at this moment.

    ``roles`` are grants of the roles of each type, in the areas where they are held. ``reads`` and ``acts`` are the
    areas of the two plain rights, without which no role opens anything. ``units`` gives the offices of the district, by
    their ids and by each name that one alone has; None where nobody knows them.
    """

    actor_id: str
    reads: Scope
    acts: Scope
    roles: Mapping[str, tuple[Grant, ...]]
    units: Callable[[], Mapping[str, str]] | None = None
    scope_of: Callable[[str], Scope] = _nowhere
    """Where another right is held, for what numbers are counted from beside cases."""

    def by(self, kind: CaseType, areas: Collection[str], wanted: Collection[str] = ()) -> By:
        """Return who acts on a case of a type in these areas.

        The unit is the office through which one of the ``wanted`` roles is held here, the actor where there is none.
        """
        held = [one for one in self.roles.get(kind.type_id, ()) if one.area_id in areas]
        through = [one.office_id for one in held if one.role_id in wanted and one.office_id]
        return By(actor_id=self.actor_id, unit_id=min(through, default=self.actor_id), grants=tuple(held))

    def reader(self, kind: CaseType, areas: Collection[str], top: str) -> By | None:
        """Return who reads a case of a type in these areas; None where nobody of that standing may."""
        if not self.reads.covers(areas):
            return None
        by = self.by(kind, areas)
        if kind.confidentiality in NARROW:
            return by if any(one.role_id in kind.readers for one in by.grants) else None
        plain = Grant(role_id=READ, area_id=top, from_at=ALWAYS)
        return By(actor_id=by.actor_id, unit_id=by.unit_id, grants=(*by.grants, plain))

    def told(self, kind: CaseType, filled: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return what is told of a case, with each office that is named by its id.

        Raises
        ------
        NotFound
            If there is no such office: nobody could ever take the step that waits for it.
        """
        named = kind.unit_fields & set(filled)
        if self.units is None or not named:
            return filled
        known, found = self.units(), dict(filled)
        for name in named:
            value = filled[name]
            if isinstance(value, str) and value.strip() not in known:
                next_step = "give the name of one office, or its id"
                raise NotFound(f"{name}={value[:60]!r}", "must be an office", next_step)
            found[name] = known[value.strip()] if isinstance(value, str) else value
        return found

    def acts_here(self, areas: Collection[str]) -> bool:
        """Tell whether the right to act holds in any of these areas."""
        return self.acts.covers(areas)


def standing(
    access: Access, actor: Actor, at: datetime, units: Callable[[], Mapping[str, str]] | None = None
) -> Standing:
    """Return what an actor may see and do with cases.

    Parameters
    ----------
    access : Access
        The district's roles and areas.
    actor : Actor
        Whoever asks.
    at : datetime
        The moment by which offices are held, which is the real one also where the district's time is played.
    units : callable, optional
        Gives the offices by their names and ids.
    """
    found: dict[str, list[Grant]] = defaultdict(list)
    for right, grant in access.held(actor, at):
        subject, _, rest = right.partition(".")
        type_id, _, role_id = rest.partition(".")
        if subject == "cases" and role_id:
            # The engine asks whether a grant holds by the district's time; that it holds has just been asked.
            made = Grant(role_id=role_id, area_id=grant.area_id, from_at=ALWAYS, office_id=grant.office_id)
            if made not in found[type_id]:
                found[type_id].append(made)
    roles = {type_id: tuple(grants) for type_id, grants in found.items()}
    reads, acts = access.scope(actor, READ, at), access.scope(actor, ACT, at)
    return Standing(
        actor_id=actor.actor_id, reads=reads, acts=acts, roles=roles, units=units,
        scope_of=lambda right: access.scope(actor, right, at),
    )  # fmt: skip


def plain_reader(actor_id: str) -> Standing:
    """Return the standing of a server without staff: it reads everywhere what is not restricted, and acts nowhere."""
    everywhere = Scope(True, frozenset())
    return Standing(
        actor_id=actor_id, reads=everywhere, acts=Scope(False, frozenset()), roles={}, scope_of=lambda _: everywhere
    )
