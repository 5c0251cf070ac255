"""A code that proves a certificate without a network: what it says, signed; whoever has the public key can check it."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from anlan.kernel.errors import BadInput, NotAllowed, Unavailable

PREFIX = "ANLAN1"
LONGEST = 1200
"""Characters of a code: more would not be read from paper by a plain telephone."""


@dataclass(frozen=True, slots=True)
class Seal:
    """What a signed code says: a flat list of words, none of them of a person."""

    told: Mapping[str, str]


def new_key(seed: bytes) -> tuple[bytes, bytes]:
    """Return a private and a public key (Ed25519, RFC 8032) of 32 random bytes that are handed in.

    Raises
    ------
    BadInput
        If there are not 32 bytes.
    Unavailable
        If the extra for papers is not installed.
    """
    if len(seed) != 32:
        raise BadInput(f"seed of {len(seed)} bytes", "must be 32 random bytes", "take secrets.token_bytes(32)")
    return seed, _private(seed).public_key().public_bytes_raw()


def sealed(told: Mapping[str, str], private: bytes) -> str:
    """Return the code for a QR: words and their signature.

    Raises
    ------
    BadInput
        If the words are too many, or one is no text.
    """
    for name, value in told.items():
        if not isinstance(value, str):
            raise BadInput(f"{name}={value!r}", "must be a text", "write it as it is to be read")
    body = json.dumps(dict(told), ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()
    code = f"{PREFIX}.{_packed(body)}.{_packed(_private(private).sign(PREFIX.encode() + body))}"
    if len(code) > LONGEST:
        raise BadInput(f"code of {len(code)} characters", f"must be <= {LONGEST}", "tell less on it")
    return code


def verified(code: str, public: bytes) -> Seal:
    """Return what a code says, if it was signed with that key and nothing was touched.

    Raises
    ------
    BadInput
        If it is no such code.
    NotAllowed
        If the signature is not of this key over these very words.
    Unavailable
        If the extra for papers is not installed.
    """
    parts = code.strip().split(".")
    if len(code) > LONGEST or len(parts) != 3 or parts[0] != PREFIX:
        raise BadInput(f"code {code[:20]!r}", f"must begin with {PREFIX} and have three parts", "scan it again")
    body, signature = (_unpacked(one) for one in parts[1:])
    try:
        from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - an extra, which a district may lack
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415 - the same extra
    except ImportError:
        raise Unavailable("signed codes", "need cryptography", "pip install 'anlan[papers]'") from None
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, PREFIX.encode() + body)
    except (InvalidSignature, ValueError):
        raise NotAllowed(f"code {code[:20]!r}", "is not signed with this key", "do not trust it") from None
    return Seal(json.loads(body))


def _private(seed: bytes) -> Any:
    try:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415 - the same extra
    except ImportError:
        raise Unavailable("signed codes", "need cryptography", "pip install 'anlan[papers]'") from None
    return Ed25519PrivateKey.from_private_bytes(seed)


def _packed(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _unpacked(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise BadInput(f"code part {text[:20]!r}", "must be base64url", "scan it again") from None
