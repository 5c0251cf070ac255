"""What proves who asks: passwords (Argon2id) and tokens that are kept only as their hash."""

from __future__ import annotations

import hashlib
import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from anlan.kernel.errors import BadInput

LEAST, MOST = 12, 200
"""Characters of a password (NIST SP 800-63B asks for length, not for kinds of characters)."""
WIDELY_KNOWN = frozenset({"password", "12345678", "qwertyuiop", "administrator", "anlananlan", "huangpu"})
"""What everybody tries first; a password made of one of these is refused."""

_hasher = PasswordHasher()  # its defaults are those of RFC 9106 for little memory: 64 MiB, 3 passes
_NOBODY = _hasher.hash(secrets.token_urlsafe(32))


def hash_password(password: str) -> str:
    """Return what a password is kept as.

    Raises
    ------
    BadInput
        If it is too short, too long, or one that everybody tries first. It never says the password.
    """
    if not LEAST <= len(password) <= MOST:
        raise BadInput(
            f"password of {len(password)} characters", f"must have {LEAST} to {MOST}", "take a few words that you like"
        )
    plain = password.lower().rstrip("0123456789!.")
    if plain in WIDELY_KNOWN or len(set(password)) < 5:
        raise BadInput("this password", "must not be easy to guess", "take a few words that you like")
    return _hasher.hash(password)


def proves(password: str, kept: str | None) -> bool:
    """Tell whether a password is the one that was kept; it takes as long where there is none."""
    try:
        return _hasher.verify(kept or _NOBODY, password[: MOST + 1]) and kept is not None
    except (VerificationError, InvalidHashError):
        return False


def new_token() -> str:
    """Return 256 bits that nobody can guess, in characters that fit a header and a link."""
    return secrets.token_urlsafe(32)


def token_key(token: str) -> str:
    """Return what a token is kept as: who reads the store cannot sign in with it."""
    return hashlib.sha256(token.encode()).hexdigest()
