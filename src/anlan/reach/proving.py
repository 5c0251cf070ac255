"""What was really reached, from what is kept."""

from __future__ import annotations

from datetime import datetime

from anlan.kernel.response import UnitStatus
from anlan.reach.keeping import Kept
from anlan.response.dispatch import Playbooks
from anlan.response.dispatch.proof import Asked, Proof, proof


def proven(kept: Kept, books: Playbooks, since_at: datetime | None, until_at: datetime) -> Proof:
    """Return the proof of incidents received since a moment that are closed, or that somebody has reached."""
    own = [
        one
        for one in kept.incidents.values()
        if (one.closed_at or one.on_scene_at)
        and one.outcome != "withdrawn"
        and (since_at is None or one.received_at >= since_at)
    ]
    withdrawn = {one.incident_id for one in kept.incidents.values() if one.outcome == "withdrawn"}
    assignments = [one for one in kept.assignments.values() if one.incident_id not in withdrawn]
    units = [one for one in kept.units.values() if one.status is not UnitStatus.OUT_OF_SERVICE]
    begin_at = since_at or min((one.received_at for one in own), default=until_at)
    targets = {kind: float(book.target_s) for kind, book in books.kinds.items()}
    asked = Asked(since_at=begin_at, until_at=until_at, n_units=len(units), target_s=targets)
    return proof(asked, own, assignments)
