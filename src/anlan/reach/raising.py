"""What an incident is raised by, and the key by which whoever asks twice raises one."""

from __future__ import annotations

import hashlib
from dataclasses import astuple, dataclass
from datetime import datetime, timedelta

from anlan.kernel.errors import BadInput
from anlan.kernel.records import Json
from anlan.store import Keeping

RAISED = "incident_key"
KEY_HOURS = 24
"""A key is known for so long; then it is forgotten, and would raise another incident."""
LONGEST_KEY = 200


@dataclass(frozen=True, slots=True)
class Wanted:
    """An incident to be raised: its kind, where it is in degrees, and what is told of it."""

    kind: str
    lon: float
    lat: float
    priority: int | None = None
    note: str = ""

    @property
    def digest(self) -> str:
        """Return what tells one request from another."""
        return hashlib.sha256(repr(astuple(self)).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Key:
    """What a program sends along so that the same request, sent again, raises nothing new. It is its sender's own.

    Raises
    ------
    BadInput
        If it is empty, too long, or has characters that are not printed.

    Examples
    --------
    >>> Key("desk", '"8e03978e"').text
    '8e03978e'
    """

    actor: str
    given: str

    def __post_init__(self) -> None:
        """Refuse what is no key."""
        if not 1 <= len(self.text) <= LONGEST_KEY or not (self.text.isascii() and self.text.isprintable()):
            raise BadInput(
                f"Idempotency-Key={self.given[:40]!r}",
                f"must have 1 to {LONGEST_KEY} printable ASCII characters",
                "send a UUID",
            )

    @property
    def text(self) -> str:
        """Return it without the quotes of a structured header."""
        quoted = len(self.given) > 1 and self.given[0] == self.given[-1] == '"'
        return self.given[1:-1] if quoted else self.given

    @property
    def name(self) -> str:
        """Return what it is kept as: two who use the same key do not meet."""
        return hashlib.sha256(f"{self.actor}\0{self.text}".encode()).hexdigest()

    def keeping(self, wanted: Wanted, incident_id: str, at: datetime) -> Keeping:
        """Return what is kept of it with the incident, and forgotten in time."""
        body: Json = {"asked": wanted.digest, "incident": incident_id}
        return Keeping(kind=RAISED, key=self.name, body=body, forget_at=at + timedelta(hours=KEY_HOURS))

    def check(self, before: Json, wanted: Wanted) -> None:
        """Refuse another request under the same key."""
        if before["asked"] != wanted.digest:
            raise BadInput(
                f"Idempotency-Key={self.text[:40]!r}",
                "must come with the request that it came with first",
                "send a new key for another incident",
            )
