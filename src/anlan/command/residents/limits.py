"""How often one address may ask.

Addresses stand in memory only, as a hash that means nothing elsewhere, no longer than they are counted for.
"""

from __future__ import annotations

import asyncio
import hashlib
import ipaddress
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable

from anlan.kernel.errors import NotAllowed

MOST = 200_000
"""So many counts at once; beyond that the oldest go, and their addresses begin anew."""
SWEEP_S = 30.0


class TooMany(NotAllowed):
    """Too often from one address or key: wait."""

    code = "too_many"
    http_status = 429

    def __init__(self, what: str, most: int, wait_s: float) -> None:
        self.wait_s = max(1, round(wait_s))
        super().__init__(what, f"must be at most {most} from one address in that time", f"wait {self.wait_s} seconds")


class Gauge:
    """Counts what each address did within a window."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._secret = secrets.token_bytes(32)
        self._counts: dict[tuple[str, bytes], tuple[float, deque[float]]] = {}
        self._swept_at = clock()
        self._lock = threading.Lock()

    def take(self, what: str, whose: str, most: int, within_s: float) -> None:
        """Count one more; refuse it where there were ``most`` within ``within_s`` seconds.

        Raises
        ------
        TooMany
            With how long to wait.
        """
        with self._lock:
            now, key = self._clock(), self._key(what, whose)
            times = self._lately(key, now, within_s)
            if len(times) >= most:
                raise TooMany(what, most, within_s - (now - times[0]) if times else within_s)
            times.append(now)
            self._counts[key] = (within_s, times)

    def check(self, what: str, whose: str, most: int, within_s: float) -> None:
        """Refuse as `take` does, without counting."""
        with self._lock:
            now = self._clock()
            times = self._lately(self._key(what, whose), now, within_s)
            if len(times) >= most:
                raise TooMany(what, most, within_s - (now - times[0]) if times else within_s)

    async def forget(self) -> None:
        """Forget addresses whose window has passed, also where nobody asks any more; it never ends."""
        while True:
            await asyncio.sleep(SWEEP_S)
            with self._lock:
                self._sweep(self._clock())

    def __len__(self) -> int:
        """Return how many counts are kept now."""
        with self._lock:
            self._sweep(self._clock())
            return len(self._counts)

    def _key(self, what: str, whose: str) -> tuple[str, bytes]:
        return what, hashlib.blake2b(whose.encode(), key=self._secret, digest_size=16).digest()

    def _lately(self, key: tuple[str, bytes], now: float, within_s: float) -> deque[float]:
        if now - self._swept_at >= SWEEP_S or len(self._counts) >= MOST:
            self._sweep(now)
        times = self._counts.get(key, (within_s, deque()))[1]
        while times and now - times[0] >= within_s:
            times.popleft()
        return times

    def _sweep(self, now: float) -> None:
        """Forget every address whose window has passed."""
        self._swept_at = now
        kept = {key: one for key, one in self._counts.items() if one[1] and now - one[1][-1] < one[0]}
        while len(kept) >= MOST:
            kept.pop(next(iter(kept)))
        self._counts = kept


def address_of(host: str) -> str:
    """Return what is counted as one address: of IPv6 the network that a house is given.

    Examples
    --------
    >>> address_of("192.0.2.7"), address_of("2001:db8:1:2:3::4"), address_of("testing")
    ('192.0.2.7', '2001:db8:1:2::/64', 'testing')
    """
    try:
        found = ipaddress.ip_address(host)
    except ValueError:
        return host
    if found.version == 4:
        return str(found)
    return str(ipaddress.ip_network((found, 64), strict=False))
