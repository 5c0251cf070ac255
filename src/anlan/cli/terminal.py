"""The terminal's own key: whoever may read this user's files on this machine may do everything with its servers."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from anlan.kernel.access import Actor
    from anlan.kernel.areas import AreaTree


ENVIRONMENT = "ANLAN_KEY"
NAME = "terminal"


def state_folder() -> Path:
    """Return where what this user's programs remember between runs lies."""
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "anlan"


def _file(port: int) -> Path:
    return state_folder() / "terminals" / str(port)


def everything(actor_id: str, areas: AreaTree, also: Iterable[str] = ()) -> Actor:
    """Return an actor who may do everything in a district; ``also`` are the roles in its cases."""
    from anlan.kernel.access import Actor, Grant
    from anlan.staff.roles import SUBJECTS

    grant = Grant(role_id="", area_id=areas.root.area_id, from_at=datetime.min.replace(tzinfo=UTC))
    rights = frozenset(f"{subject}.{verb}" for subject in SUBJECTS for verb in ("read", "act"))
    rights |= frozenset(also)
    return Actor(actor_id=actor_id, grants=(grant,), rights=rights)


@contextlib.contextmanager
def kept_key(port: int, areas: AreaTree, also: Iterable[str] = ()) -> Iterator[dict[str, Actor]]:
    """Keep a key for this machine's terminal while a server runs; yield it with what it may do."""
    from anlan.staff.proving import new_token

    token = new_token()
    path = _file(port)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(token)
    try:
        yield {token: everything(NAME, areas, also)}
    finally:
        path.unlink(missing_ok=True)


def key_for(url: str) -> str | None:
    """Return the key to ask a server with: the one that was set, or what a server of this user left on this machine."""
    given = os.environ.get(ENVIRONMENT)
    if given:
        return given
    parts = urlsplit(url)
    if parts.hostname not in {"127.0.0.1", "localhost", "::1"} or parts.port is None:
        return None
    try:
        return _file(parts.port).read_text(encoding="utf-8")
    except OSError:
        return None
