"""What only this machine may read: contacts of volunteers, sealed under a key that is not in the database."""

from __future__ import annotations

import base64
import os
import secrets
from pathlib import Path
from typing import Any

from anlan.kernel.errors import BadInput, Unavailable
from anlan.papers import new_key

CONTACT_KEY, SIGNING_KEY = "contacts.key", "certificates.key"
LONGEST = 80
_NONCE = 12


class Sealing:
    """The two keys of a district's folder, made when first needed: one for contacts, one that signs certificates.

    Keep them apart from copies of the database: without them nobody reads a contact, you included.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def seal(self, contact: str) -> str:
        """Return a contact as it is kept; nothing for nothing.

        Raises
        ------
        BadInput
            If it is longer than 80 characters, or of more than one line.
        Unavailable
            If the extra for the community is not installed.
        """
        plain = contact.strip()
        if not plain:
            return ""
        if len(plain) > LONGEST or not plain.isprintable():
            rule = f"must be one line of at most {LONGEST}"
            raise BadInput(f"contact of {len(plain)} characters", rule, "give one number or address, or none")
        nonce = secrets.token_bytes(_NONCE)
        return base64.b64encode(nonce + self._cipher().encrypt(nonce, plain.encode(), None)).decode()

    def unsealed(self, kept: str) -> str:
        """Return a contact that was sealed here.

        Raises
        ------
        Unavailable
            If the key is not the one it was sealed with.
        """
        if not kept:
            return ""
        packed = base64.b64decode(kept)
        cipher = self._cipher()
        try:
            plain: bytes = cipher.decrypt(packed[:_NONCE], packed[_NONCE:], None)
        except Exception as fault:  # its class belongs to an extra
            where = f"key {self._folder / CONTACT_KEY}"
            raise Unavailable(where, "must be the one that contacts were sealed with", "restore it") from fault
        return plain.decode()

    def signing(self) -> tuple[bytes, bytes]:
        """Return the private and the public key of this district's certificates."""
        return new_key(self._key(SIGNING_KEY))

    def _cipher(self) -> Any:
        try:
            from cryptography.hazmat.primitives.ciphers.aead import (  # noqa: PLC0415 - an extra, which may be missing
                ChaCha20Poly1305,
            )
        except ImportError:
            rule = "needs cryptography, so that it can be sealed"
            raise Unavailable("a contact", rule, "pip install 'anlan[community]', or leave it empty") from None
        return ChaCha20Poly1305(self._key(CONTACT_KEY))

    def _key(self, name: str) -> bytes:
        path = self._folder / name
        try:
            if not path.exists():
                handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(handle, "wb") as file:
                    file.write(secrets.token_bytes(32))
            found = path.read_bytes()
        except OSError as fault:
            rule = f"must be readable and writable ({fault.strerror})"
            raise Unavailable(f"key {path}", rule, "give it to this user") from fault
        if len(found) != 32:
            raise Unavailable(f"key {path}", "must have 32 bytes", "restore it from a copy")
        return found
