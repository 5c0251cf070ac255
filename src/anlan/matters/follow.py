"""Codes by which whoever reported something follows it: kept as a hash, beside the log, and dead with the case."""

from __future__ import annotations

import hashlib
import secrets

import sqlalchemy as sa

from anlan.store import Keeping, SqlStore, private

CODE, CODE_OF = "follow", "follow_of"
"""What a code leads to, by its hash; and back, so that forgetting a case finds its code."""
REHEARSAL, FIRING_NOTE = "rehearsal", "firing_note"
"""What is kept of rehearsals and said of firings, under keys that begin with the id of their case."""
LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's 32: none of I, L, O, U, which are misread."""
_MISREAD = str.maketrans("ILOU", "110V")
N_LETTERS = 12
"""Sixty bits."""


def new_code() -> str:
    """Return a code that nobody can guess, in groups that can be read out: ``7K3M-0Q9T-XW2B``."""
    letters = "".join(secrets.choice(LETTERS) for _ in range(N_LETTERS))
    return "-".join(letters[k : k + 4] for k in range(0, N_LETTERS, 4))


def plain(code: str) -> str:
    """Return a code as it was given out, however it was typed; empty where it can be none.

    Examples
    --------
    >>> plain(" 7k3m oq9t xw2b ")
    '7K3M-0Q9T-XW2B'
    >>> plain("7K3M")
    ''
    """
    letters = "".join(one for one in code.upper() if one.isalnum()).translate(_MISREAD)
    if len(letters) != N_LETTERS or any(one not in LETTERS for one in letters):
        return ""
    return "-".join(letters[k : k + 4] for k in range(0, N_LETTERS, 4))


def keep_code(connection: sa.Connection, code: str, case_id: str) -> None:
    """Let a code lead to a case, within the transaction that opens it."""
    key = _key(code)
    private.put(
        connection,
        [
            Keeping(kind=CODE, key=key, body={"case": case_id}),
            Keeping(kind=CODE_OF, key=case_id, body={"key": key}),
        ],
    )


def case_behind(store: SqlStore, code: str) -> str | None:
    """Return the case that a code leads to, None where it leads nowhere (any more)."""
    known = plain(code)
    kept = store.kept(CODE, _key(known)) if known else []
    return str(kept[0].body["case"]) if kept else None


def drop_beside(connection: sa.Connection, case_id: str) -> None:
    """Forget what is kept beside a case: its code leads nowhere; within the transaction that forgets it."""
    own = [
        Keeping(kind=kind, key=one.key, body=None)
        for kind in (REHEARSAL, FIRING_NOTE)
        for one in private.read(connection, kind, None)
        if one.key.startswith(f"{case_id}-")
    ]
    private.put(connection, own)
    keys = [str(one.body["key"]) for one in private.read(connection, CODE_OF, case_id)]
    gone = [Keeping(kind=CODE, key=key, body=None) for key in keys]
    private.put(connection, [*gone, Keeping(kind=CODE_OF, key=case_id, body=None)])


def _key(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()
