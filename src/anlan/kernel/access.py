"""Who may do what, where, and until when: rights, roles, grants. Whatever is not granted is refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from anlan.kernel.areas import AreaTree
from anlan.kernel.errors import BadInput, NotAllowed
from anlan.kernel.records import Label


class Reach(StrEnum):
    """How far a right goes."""

    OWN = "own"
    """The area of the grant, with everything below it."""
    DISTRICT = "district"
    """The whole district, wherever the grant lies: what neighbours need to know of each other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """What a kind of work needs. ``rights`` maps each right (``alerts.act``) to its reach; the rest is refused.

    Reading and acting are two rights of one subject: neither brings the other.
    """

    role_id: str
    name: Label
    rights: Mapping[str, Reach]


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A role in an area, for a time; ``until_at`` is None where nobody has set an end.

    ``office_id`` is the office through which it is held, empty where there is none.
    """

    role_id: str
    area_id: str
    from_at: datetime
    until_at: datetime | None = None
    office_id: str = ""

    def holds(self, at: datetime) -> bool:
        """Tell whether it holds at a moment: from its first on, and not at its last."""
        return self.from_at <= at and (self.until_at is None or at < self.until_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Whoever asks: an account or a key, by the id that the log keeps, and what is granted to it.

    ``rights`` are those of a key, in the areas of its grants; None where roles tell them, as with every account.
    """

    actor_id: str
    grants: tuple[Grant, ...]
    rights: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Scope:
    """The areas in which an actor holds a right. The one filter of lists, the live feed, search and export."""

    everywhere: bool
    area_ids: frozenset[str]
    """Every area covered, those below the granted ones included; empty where ``everywhere``."""

    def __bool__(self) -> bool:
        return self.everywhere or bool(self.area_ids)

    def covers(self, area_ids: Iterable[str]) -> bool:
        """Tell whether something that lies in any of these areas is seen.

        Examples
        --------
        >>> Scope(False, frozenset({"east"})).covers(["west"])
        False
        """
        return self.everywhere or not self.area_ids.isdisjoint(area_ids)


class Access:
    """The rule of who may do what, over one district's areas and roles."""

    def __init__(self, roles: Iterable[Role], areas: AreaTree) -> None:
        self.roles = {role.role_id: role for role in roles}
        self._areas = areas
        self._below: dict[str, frozenset[str]] = {}

    def grant(self, role_id: str, area_id: str, from_at: datetime, until_at: datetime | None = None) -> Grant:
        """Return a grant that can hold.

        Raises
        ------
        BadInput
            If there is no such role or area, or it ends before it begins.
        """
        if role_id not in self.roles:
            raise BadInput(f"role={role_id!r}", f"must be one of {', '.join(sorted(self.roles))}", "choose one")
        if area_id not in self._areas:
            raise BadInput(f"area={area_id!r}", "must be in the district", "list the areas to see their ids")
        if until_at is not None and until_at <= from_at:
            raise BadInput(f"until_at={until_at.isoformat()}", "must be after from_at", "give a later end, or none")
        return Grant(role_id=role_id, area_id=area_id, from_at=from_at, until_at=until_at)

    def rights(self, actor: Actor, at: datetime) -> dict[str, Scope]:
        """Return every right that an actor holds at a moment, with where."""
        every = actor.rights if actor.rights is not None else {right for one in actor.grants for right in self._of(one)}
        return {right: scope for right in sorted(every) if (scope := self.scope(actor, right, at))}

    def scope(self, actor: Actor, right: str, at: datetime) -> Scope:
        """Return where an actor holds a right at a moment; nowhere is false."""
        covered: set[str] = set()
        for grant in actor.grants:
            if not grant.holds(at):
                continue
            reach = self._of(grant).get(right) if actor.rights is None else _of_key(right, actor.rights)
            if reach is Reach.DISTRICT or (reach is Reach.OWN and grant.area_id == self._areas.root.area_id):
                return Scope(True, frozenset())
            if reach is Reach.OWN:
                covered |= self._subtree(grant.area_id)
        return Scope(False, frozenset(covered))

    def held(self, actor: Actor, at: datetime) -> list[tuple[str, Grant]]:
        """Return every right that an actor holds at a moment, each with the grant that gives it."""
        return [
            (right, grant)
            for grant in actor.grants
            if grant.holds(at)
            for right in (self._of(grant) if actor.rights is None else sorted(actor.rights))
        ]

    def require(self, actor: Actor, right: str, at: datetime, area_ids: Iterable[str] | None = None) -> Scope:
        """Return the scope of a right; refuse where it is not held, or not in any of these areas.

        Raises
        ------
        NotAllowed
            If nothing grants it. It says the right, and not what lies behind it.
        """
        scope = self.scope(actor, right, at)
        if not scope:
            raise NotAllowed(f"right {right}", "must be granted to you", "ask whoever keeps the accounts")
        if area_ids is not None and not scope.covers(area_ids):
            raise NotAllowed(f"right {right} here", "must be granted for this area", "ask whoever keeps the accounts")
        return scope

    def _of(self, grant: Grant) -> Mapping[str, Reach]:
        role = self.roles.get(grant.role_id)
        return {} if role is None else role.rights

    def _subtree(self, area_id: str) -> frozenset[str]:
        if area_id not in self._areas:
            return frozenset()
        if area_id not in self._below:
            found, waiting = set(), [area_id]
            while waiting:
                one = waiting.pop()
                found.add(one)
                waiting += [child.area_id for child in self._areas.children(one)]
            self._below[area_id] = frozenset(found)
        return self._below[area_id]


def _of_key(right: str, rights: frozenset[str]) -> Reach | None:
    return Reach.OWN if right in rights else None
