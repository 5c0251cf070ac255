"""What a form of the public page carries: when it was given out, and a picture that waits for it. Signed, not kept."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable

LONGEST_S = 12 * 3600.0
"""A form older than this is given out anew."""


class Seals:
    """Signs with a secret that lives as long as the server."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._secret = secrets.token_bytes(32)

    def form(self) -> str:
        """Return the seal of a form that is given out now."""
        return self.sign(f"{int(self._clock() * 1000)}-{secrets.token_hex(8)}")

    def age_s(self, seal: str) -> float | None:
        """Return how long ago a form was given out, None where it was not, or too long ago."""
        told = self.read(seal)
        begun = None if told is None else told.partition("-")[0]
        age_s = -1.0 if begun is None else self._clock() - int(begun) / 1000
        return age_s if 0 <= age_s <= LONGEST_S else None

    def sign(self, text: str) -> str:
        """Return a text that shows whether it was changed on its way."""
        return f"{text}.{self._mark(text)}"

    def read(self, signed: str) -> str | None:
        """Return a text that we signed, None where we did not."""
        text, _, mark = signed.rpartition(".")
        good = hmac.compare_digest(mark.encode(), self._mark(text).encode())
        return text if good else None

    def _mark(self, text: str) -> str:
        return hmac.new(self._secret, text.encode(), hashlib.sha256).hexdigest()[:32]
