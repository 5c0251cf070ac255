"""Whether each device can be believed: its counts against its own, its neighbours', and the estimate."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt
from scipy.special import ive

from anlan.crowd.neighbours import Around, around_of
from anlan.kernel.answers import Fault, Suspicion
from anlan.kernel.pack import Pack
from anlan.kernel.records import DeviceKind, Observation

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

KEPT = 64
"""Minutes of counts that are remembered."""
FAULTS = (Fault.ZERO, Fault.STUCK, Fault.LOST, Fault.SWAPPED)
"""Those for which a device is left out of the estimate, in the order of their numbers from 1."""
ZERO, STUCK, LOST, SWAPPED = 1, 2, 3, 4


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Constants of the tests. Evidence in nats, times in minutes, counts per minute.

    Each limit of evidence is set so that the recorded days of the simulated district, a night of two million people
    among them, raise no more than one false alarm in four hours over 106 devices.
    """

    zero_nats: float = 9.5
    lost_nats: float = 7.0
    swapped_nats: float = 11.0
    stuck_nats: float = 12.0
    stuck_view_nats: float = 10.3
    believed_nats: float = 6.0
    """Evidence of counting as before, after which a device is trusted again."""
    zero_least: float = 3.0
    lost_least: float = 8.0
    """Nobody is accused of losing a share where fewer than this are to be expected."""
    share_left: float = 0.5
    zero_share: float = 0.03
    longest: int = 12
    shortest: int = 3
    longest_zero: int = 5
    before: int = 15
    long_before: int = 40
    shrink: float = 30.0
    """Counts of the neighbours that weigh as much as the belief that nothing has changed about them."""
    falling: float = 0.8
    """Where the neighbours have fallen below this part of their last 40 minutes, so may a device."""
    first_spread: float = 0.12
    least_spread: float = 0.07
    lasting_line: float = 0.03
    lasting_view: float = 0.8
    """Part of a device's own variance that does not average out over minutes: people in a view stay in it."""
    unrest_line: float = 0.02
    settles_min: float = 60.0
    """A device that stays at its new level for so long is taken at it; its bias in the estimate carries the rest."""
    drift_s: float = 5.0
    contradicts: float = 4.0
    """Standard deviations by which a device is off the others, on average over twenty minutes."""
    agreed: float = 1.0
    """Where the devices around are themselves further off than this, the estimate is at fault and no device."""
    settled: int = 30
    """Minutes before which the estimate has not found itself, and nobody contradicts it."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Health:
    """What is remembered of every device, in the watcher's order; arrays of shape (n,) unless told otherwise.

    ``counts`` (KEPT, n, 2) by minute up to ``at``: in and out of a line that tells them apart, else the one number; NaN
    where nothing came. ``spread`` is the variance of relative deviations beyond that of whole people, ``jumps`` the
    variance of the change from window to window relative to the count, ``surprise`` how far a device has lately been
    off what its neighbours led to expect. ``fault`` is 0 or a number of FAULTS, from ``since_s`` on; ``counted`` and
    ``expected`` per minute over ``minutes`` are its evidence, ``believed`` the evidence since that it counts as before.
    """

    at: datetime | None
    counts: Floats
    spread: Floats
    jumps: Floats
    surprise: Floats
    stuck: Floats
    fault: Floats
    since_s: Floats
    counted: Floats
    expected: Floats
    minutes: Floats
    believed: Floats
    newest_s: Floats
    sequence: Floats
    phase_s: Floats
    moved_s: Floats
    restarted_s: Floats
    against: Floats

    def arrays(self) -> dict[str, npt.NDArray[np.generic]]:
        """Return the arrays by name, as they are serialised."""
        found = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "at"}
        return {**found, "at": np.array("" if self.at is None else self.at.isoformat())}

    @classmethod
    def of(cls, arrays: Mapping[str, npt.NDArray[np.generic]]) -> Health:
        """Return the health of :meth:`arrays`."""
        at = str(arrays["at"])
        return cls(
            at=datetime.fromisoformat(at) if at else None,
            **{f.name: np.asarray(arrays[f.name], float) for f in fields(cls) if f.name != "at"},
        )


@dataclass(frozen=True, eq=False)
class _Best:
    """The window that speaks loudest against each device."""

    nats: Floats
    counted: Floats
    expected: Floats
    minutes: Floats

    def over(self, nats: Floats, counted: Floats, expected: Floats, minutes: int) -> _Best:
        more = nats > self.nats
        pairs = ((nats, self.nats), (counted, self.counted), (expected, self.expected), (minutes, self.minutes))
        return _Best(*(np.where(more, new, old) for new, old in pairs))


class Watcher:
    r"""Judges every counting device of a district each minute. It holds constants only; what changes is the health.

    A window of the last :math:`k` counts of a device, with sum :math:`x`, is held against the mean :math:`m` of the
    minutes before, moved as its neighbours have moved (never upwards, and with them where they fall):

    .. math::
        \Lambda_k = x \log f - (x + r) \log\frac{r + f\mu}{r + \mu}, \qquad \mu = k\,m \min(1, N_k / N), \quad
        1 / r = \sigma^2 (c + (1 - c)/k) + \sigma_N^2 + u

    the log-likelihood ratio of a count of which a part :math:`f` is left against one that has lost nothing, both
    negative binomial. :math:`\sigma^2` is the device's own variance, learnt as it goes, :math:`\sigma_N^2` that of the
    means, and :math:`u` the unrest about it: the median of how far the twelve devices around have moved. So a device
    that falls silent among silent ones is nothing, and in a crowd that breaks up nobody is accused. The largest of the
    windows up to ten minutes decides (a window-limited generalised likelihood ratio). Repeats of one count are weighed
    by how rarely a healthy device repeats itself; swapped directions by the balance of in and out.

    A device at fault is left out of the estimate until it counts as before.

    Parameters
    ----------
    pack : Pack
    limits : Limits

    References
    ----------
    E. S. Page, *Continuous inspection schemes*, Biometrika 1954; T. L. Lai, *Sequential changepoint detection in
    quality control and dynamical systems*, J. R. Stat. Soc. B 1995 (window-limited generalised likelihood ratio).

    Examples
    --------
    >>> from anlan.pack import find_pack, read_pack
    >>> watcher = Watcher(read_pack(find_pack("huangpu")))
    >>> health, verdicts = watcher.watch(watcher.start(), [], {}, datetime(2026, 11, 11, tzinfo=UTC))
    >>> verdicts
    {}
    """

    def __init__(self, pack: Pack, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self.devices = tuple(device for device in pack.devices if device.kind is not DeviceKind.GRID)
        self._index = {device.device_id: k for k, device in enumerate(self.devices)}
        self._around: Around = around_of(pack, self.devices)
        self._view = np.array([device.kind is DeviceKind.AREA for device in self.devices], bool)
        self._two = np.array([device.directed and device.kind is not DeviceKind.AREA for device in self.devices], bool)
        self._interval_s = np.array([device.interval_s for device in self.devices], float)

    def start(self) -> Health:
        """Return the health of devices of which nothing has been heard."""
        n = len(self.devices)
        zeros = ("surprise", "stuck", "fault", "counted", "expected", "minutes", "believed", "moved_s", "against")
        unknown = ("since_s", "newest_s", "sequence", "phase_s", "restarted_s")
        return Health(
            at=None,
            counts=np.full((KEPT, n, 2), np.nan),
            spread=np.full(n, self.limits.first_spread**2),
            jumps=np.full(n, 2.0),
            **{name: np.zeros(n) for name in zeros},
            **{name: np.full(n, np.nan) for name in unknown},
        )

    def watch(
        self,
        health: Health,
        observations: Iterable[Observation],
        expected: Mapping[str, tuple[float, float]],
        at: datetime,
    ) -> tuple[Health, dict[str, Suspicion]]:
        """Return the health at a later minute, and what every suspicious device is suspected of.

        Pure: it asks no clock, and the order of the observations does not matter.

        Parameters
        ----------
        health : Health
        observations : iterable of Observation
            New ones, whose windows end by ``at``; late ones may be among them.
        expected : mapping of device id to (float, float)
            By how much its last count was off what the estimate led to expect (log-ratio), and the variance of that.
        at : datetime

        Returns
        -------
        health : Health
        verdicts : dict of device id to Suspicion
        """
        if not self.devices:
            return replace(health, at=at), {}
        health = self._heard(self._moved_on(health, at), observations, at)
        health = self._contradicted(health, expected)
        health = self._judged(health, at)
        return health, self.verdicts(health)

    def distrusted(self, health: Health) -> frozenset[str]:
        """Return the ids of the devices that are to be left out of the estimate."""
        return frozenset(self.devices[k].device_id for k in np.flatnonzero(health.fault > 0))

    def verdicts(self, health: Health) -> dict[str, Suspicion]:
        """Return what every suspicious device is suspected of, with the evidence in numbers."""
        if health.at is None:
            return {}
        now_s, found = health.at.timestamp(), {}
        calm = self._around.median(np.abs(health.against)) < self.limits.agreed
        alone = calm & (np.abs(health.against) >= self.limits.contradicts)
        for k, device in enumerate(self.devices):
            told = self._told(health, k, now_s)
            if told is None and alone[k]:
                told = Suspicion(fault=Fault.CONTRADICTS, ratio=float(health.expected[k]))
            if told is not None:
                found[device.device_id] = told
        return found

    def _told(self, health: Health, k: int, now_s: float) -> Suspicion | None:
        if health.fault[k]:
            # What was counted is the evidence at the finding; only nobody goes on being nobody.
            since_min = (now_s - health.since_s[k]) / 60 if health.fault[k] == ZERO else 0.0
            return Suspicion(
                fault=FAULTS[int(health.fault[k]) - 1],
                left_out=True,
                since_at=datetime.fromtimestamp(health.since_s[k], UTC),
                counted_per_min=float(health.counted[k]),
                expected_per_min=float(health.expected[k]),
                minutes=int(np.nan_to_num(health.minutes[k]) + since_min),
            )
        if abs(health.moved_s[k]) >= self.limits.drift_s:
            return Suspicion(fault=Fault.CLOCK, off_s=float(health.moved_s[k]))
        if now_s - health.restarted_s[k] < 1800:
            return Suspicion(fault=Fault.RESTARTED, since_at=datetime.fromtimestamp(health.restarted_s[k], UTC))
        return None

    # -- what came -------------------------------------------------------------------------------------------------

    @staticmethod
    def _moved_on(health: Health, at: datetime) -> Health:
        minutes = 0 if health.at is None else round((at - health.at).total_seconds() / 60)
        kept = health.counts[min(max(minutes, 0), KEPT) :]
        fresh = np.full((KEPT - len(kept), *health.counts.shape[1:]), np.nan)
        return replace(health, at=at, counts=np.concatenate([kept, fresh]))

    def _heard(self, health: Health, observations: Iterable[Observation], at: datetime) -> Health:
        counts, now = health.counts.copy(), at.timestamp()
        names = ("newest_s", "sequence", "phase_s", "moved_s", "restarted_s")
        kept = {name: getattr(health, name).copy() for name in names}
        for seen in sorted(observations, key=lambda one: (one.end_at, one.sequence)):
            k = self._index.get(seen.device_id)
            if k is None or seen.counts is not None:
                continue
            end_s = seen.end_at.timestamp()
            if not end_s <= kept["newest_s"][k]:
                self._clocked(kept, k, end_s, seen.sequence)
            slot = KEPT - 1 - int((now - end_s) // 60)
            if 0 <= slot < KEPT:
                pair = (seen.n_in, seen.n_out) if seen.n_in is not None else (seen.n_passed, 0)
                numbers = np.array((seen.n_present, 0) if seen.n_present is not None else pair, float)
                counts[slot, k] = np.where(np.isnan(counts[slot, k]), numbers, counts[slot, k] + numbers)
        return replace(health, counts=counts, **kept)

    def _clocked(self, kept: dict[str, Floats], k: int, end_s: float, sequence: int) -> None:
        """Compare a window's end with the device's own beat, and its number with the last one's."""
        if sequence < kept["sequence"][k]:
            kept["restarted_s"][k] = end_s
            kept["phase_s"][k], kept["moved_s"][k] = np.nan, 0.0
        every = self._interval_s[k]
        if np.isnan(kept["phase_s"][k]):
            kept["phase_s"][k] = end_s % every
        off = (end_s - kept["phase_s"][k] + every / 2) % every - every / 2
        steady = abs(off - kept["moved_s"][k]) < 0.01
        kept["moved_s"][k] = off
        if steady and off:  # it stands still again: its beat follows, slowly
            kept["phase_s"][k] += np.sign(off) * min(abs(off), 0.05 * self.limits.drift_s)
        kept["newest_s"][k], kept["sequence"][k] = end_s, sequence

    def _contradicted(self, health: Health, expected: Mapping[str, tuple[float, float]]) -> Health:
        """Follow by how many standard deviations a device is off what all the others lead to expect."""
        against, ratio = health.against * 0.95, health.expected.copy()
        known = np.isfinite(health.counts[:, :, 0]).sum(axis=0) >= self.limits.settled
        for device_id, (off, variance) in expected.items():
            k = self._index.get(device_id)
            if k is not None and known[k] and not health.fault[k]:
                against[k] += 0.05 * np.clip(off / np.sqrt(variance), -8, 8)
                ratio[k] = np.exp(off)
        return replace(health, against=against, expected=ratio)

    # -- the tests -------------------------------------------------------------------------------------------------

    def _judged(self, health: Health, at: datetime) -> Health:
        limits, total = self.limits, health.counts.sum(axis=2)
        sums = _Sums(total)
        here, on = np.isfinite(total[-1]), health.fault == 0
        trusted = _Sums(np.where(on, total, np.nan))
        unrest = self._unrest(health, sums, on)
        zero, lost, usual, noise = self._windows(health, sums, trusted, unrest)
        swapped = self._turned(health, unrest)
        stuck = self._repeated(health, here & (sums.number(0, KEPT) >= 12))
        evidence = np.array([
            zero.nats / limits.zero_nats,
            stuck / np.where(self._view, limits.stuck_view_nats, limits.stuck_nats),
            lost.nats / limits.lost_nats,
            swapped.nats / limits.swapped_nats,
        ])  # fmt: skip
        new = here & on & (evidence >= 1).any(axis=0)
        fault = np.where(new, 1 + np.argmax(evidence >= 1, axis=0), health.fault)
        repeated = _Best(stuck, total[-1], usual, np.full(len(total[-1]), np.nan))
        kept = {name: getattr(health, name) for name in ("counted", "expected", "minutes")}
        for number, best in ((ZERO, zero), (STUCK, repeated), (LOST, lost), (SWAPPED, swapped)):
            mine = new & (fault == number)
            kept = {name: np.where(mine, getattr(best, name), values) for name, values in kept.items()}
        since_s = np.where(new, at.timestamp(), health.since_s)
        judged = replace(health, fault=fault, since_s=since_s, stuck=stuck, **kept)
        judged = self._trusted_again(judged, new, here, unrest)
        return self._learnt(judged, health, usual, noise, lost.nats)

    def _unrest(self, health: Health, sums: _Sums, on: Flags) -> Floats:
        """Return how far the devices around each one have moved in half an hour, and lately surprised; a variance."""
        fast, slow = sums.mean(0, 5), sums.mean(0, self.limits.long_before)
        moved = np.clip(np.log((fast + 1) / (slow + 1)) ** 2 - 0.3 / np.maximum(fast, 1) - 0.01, 0, 1)
        busy = slow >= 5
        around = self._around
        change = around.median(np.where(busy, moved, np.nan)) - self.limits.unrest_line
        surprise = around.median(np.where(busy & on, health.surprise, np.nan))
        return np.asarray(np.maximum(change, 0) + 1.5 * np.maximum(surprise, 0))

    def _windows(
        self, health: Health, sums: _Sums, trusted: _Sums, unrest: Floats
    ) -> tuple[_Best, _Best, Floats, Floats]:
        limits, near, n = self.limits, self._around.alike, len(self.devices)
        lasting = np.where(self._view, limits.lasting_view, limits.lasting_line)
        nothing = np.zeros(n)
        zero = lost = _Best(np.full(n, -1.0), nothing, nothing, nothing)
        usual, noise = nothing, nothing
        for k in range(1, limits.longest + 1):
            last, n_last = sums.mean(0, k), sums.number(0, k)
            before, n_before = sums.mean(k, limits.before), sums.number(k, limits.before)
            now, then = trusted.mean(0, k), trusted.mean(k, limits.before)
            long_then = trusted.mean(k, limits.long_before)
            told = np.isfinite(now + then + long_then)
            around = [near @ np.where(told, values, 0) for values in (now, then, long_then)]
            shrink = limits.shrink / k
            # A level that falls by and by is followed: what counts is how many there were just before.
            mean = np.fmin(before, 1.25 * sums.mean(k, 5)) * np.clip(
                (around[0] + shrink) / (around[1] + shrink), 0.2, 1.0
            )
            fallen = np.clip((around[0] + shrink) / (around[2] + shrink), 0.05, 2.0)
            lower = sums.mean(k, limits.long_before) * fallen
            mean = np.maximum(np.where(fallen < limits.falling, np.fmin(mean, lower), mean), 0.01)
            own = health.spread * (lasting + (1 - lasting) / k)
            theirs = np.where(around[1] > 0, 0.3 / (k * around[1] + limits.shrink), 0)
            relative = own + theirs + 1 / (np.maximum(n_before, 1) * np.maximum(before, 0.1)) + unrest
            known = (n_last >= 1) & np.isfinite(mean) & (n_before >= 5) & (sums.number(k, limits.long_before) >= 12)
            x, mu = np.nan_to_num(last * n_last), np.nan_to_num(mean * n_last, nan=1.0)
            if k >= limits.shortest:
                nats = against(x, mu, limits.share_left, relative)
                lost = lost.over(np.where(known & (mean >= limits.lost_least), nats, -1), last, mean, k)
            if k <= limits.longest_zero:
                nats = against(x, mu, limits.zero_share, relative)
                zero = zero.over(np.where(known & (mean >= limits.zero_least), nats, -1), last, mean, k)
            if k == 1:
                usual, noise = mean, relative
        return zero, lost, usual, noise

    def _turned(self, health: Health, unrest: Floats) -> _Best:
        """Return the evidence that in and out have changed places, against the share of in before."""
        sums = [_Sums(health.counts[:, :, way]) for way in (0, 1)]
        shares = []
        for length in (5, self.limits.long_before):
            inward, outward = (one.mean(0, length) for one in sums)
            shares.append((inward + 1) / (inward + outward + 2))
        moved = (shares[0] - shares[1]) ** 2
        turning = self._around.median(np.where(self._two & (health.fault == 0), moved, np.nan))
        loose = 0.01 + 0.3 * unrest + 4 * np.maximum(turning - 0.005, 0)
        nothing = np.zeros(len(self.devices))
        best = _Best(np.full(len(self.devices), -1.0), nothing, nothing, nothing)
        for k in range(self.limits.shortest, self.limits.longest + 1):
            ways = [np.nan_to_num(one.mean(0, k) * one.number(0, k)) for one in sums]
            then = [np.nan_to_num(one.mean(k, 20) * one.number(k, 20)) for one in sums]
            share = np.clip((then[0] + 4) / (then[0] + then[1] + 8), 0.1, 0.9)
            through = np.asarray(ways[0] + ways[1])
            nats = (ways[0] - ways[1]) * np.log((1 - share) / share) / (1 + loose * through)
            # Changed places change no total: where more or fewer pass than before, people have turned, not a device.
            rate = np.log((through / k + 1) / ((then[0] + then[1]) / np.maximum(sums[0].number(k, 20), 1) + 1))
            same = (np.abs(rate) < 0.25) & (through >= 10)
            known = self._two & (sums[0].number(k, 20) >= 12) & (sums[0].number(0, 1) > 0) & same
            best = best.over(np.where(known, nats, -1), ways[0] / np.maximum(through, 1), share, k)
        return best

    def _repeated(self, health: Health, known: Flags) -> Floats:
        """Return the evidence of a device that repeats itself: how rarely a healthy one would."""
        last, before = health.counts[-1], health.counts[-2]
        same = (last == before).all(axis=1) & (last.sum(axis=1) > 0)  # repeated zeros are the other test's
        mean = np.nan_to_num(np.stack([_Sums(health.counts[:, :, way]).mean(1, 11) for way in (0, 1)]))
        # Two draws of a Poisson count of mean m are equal with probability exp(-2m) I0(2m).
        lines = -np.log(ive(0, 2 * mean)).sum(axis=0)
        nats = np.where(self._view, -np.log(ive(0, health.jumps * mean[0])), lines)
        return np.where(np.isfinite(last[:, 0]), np.where(same & known, health.stuck + nats, 0.0), health.stuck)

    def _trusted_again(self, health: Health, new: Flags, here: Flags, unrest: Floats) -> Health:
        """Believe those who count as before, change again, or have long settled at a new level."""
        limits, total = self.limits, np.nan_to_num(health.counts[-1].sum(axis=1))
        share = np.where(health.fault == ZERO, limits.zero_share, limits.share_left)
        relative = health.spread + 0.02 + unrest
        healthy = -np.minimum(against(total, np.maximum(health.expected, 0.1), share, relative), 20)
        ways = np.nan_to_num(health.counts[-1])
        before = np.clip(health.expected, 0.1, 0.9)
        upright = (ways[:, 0] - ways[:, 1]) * np.log(before / (1 - before)) / (1 + 0.01 * total)
        healthy = np.where(health.fault == SWAPPED, upright, healthy)
        off = (health.fault > 0) & ~new
        believed = np.where(off & here, np.maximum(health.believed + healthy, 0), np.where(new, 0, health.believed))
        assert health.at is not None  # noqa: S101 - set before any test
        settled = (health.at.timestamp() - health.since_s) / 60 >= limits.settles_min
        again = np.where(
            health.fault == STUCK,
            health.stuck == 0,
            (believed >= limits.believed_nats) | (settled & (health.fault >= LOST)),
        )
        again = off & here & again
        counts = health.counts.copy()
        counts[:-1, again] = np.nan  # what it sent meanwhile is no measure of it
        return replace(
            health, fault=np.where(again, 0.0, health.fault), believed=np.where(again, 0.0, believed), counts=counts
        )

    def _learnt(self, health: Health, before: Health, usual: Floats, noise: Floats, lost: Floats) -> Health:
        """Learn how much each device strays when nothing is wrong."""
        limits, total = self.limits, health.counts.sum(axis=2)
        last = total[-1]
        squared = ((last - usual) ** 2 - usual) / np.maximum(usual, 3) ** 2
        fine = np.isfinite(squared) & (health.fault == 0) & (noise > 0) & (usual > 0.01)
        squared, weight = np.where(fine, squared, 0), np.where(fine, np.minimum(1, usual / 10), 0)
        calm = 1 - np.clip(lost / 4, 0, 1)
        spread = before.spread + weight * calm / 60 * (np.clip(squared, -0.2, 0.3) - before.spread)
        excess = np.clip((squared - before.spread) * weight, -0.05, 0.5)
        surprise = np.where(fine, before.surprise + 0.1 * (excess - before.surprise), 0.9 * before.surprise)
        jump = (last - total[-2]) ** 2 / np.maximum(np.nan_to_num(usual), 1)
        told = np.isfinite(jump) & (jump > 0)
        jumps = before.jumps + np.where(told, 0.03 * (np.clip(np.nan_to_num(jump), 0.1, 50) - before.jumps), 0)
        return replace(health, spread=np.maximum(spread, limits.least_spread**2), surprise=surprise, jumps=jumps)


class _Sums:
    """Means over stretches of minutes, by differences of running sums; NaN where nothing came."""

    def __init__(self, values: Floats) -> None:
        told = np.isfinite(values)
        first = np.zeros((1, values.shape[1]))
        self._sum = np.concatenate([first, np.cumsum(np.where(told, values, 0), axis=0)])
        self._number = np.concatenate([first, np.cumsum(told, axis=0)])

    def number(self, ago: int, length: int) -> Floats:
        end = len(self._number) - 1 - ago
        return np.asarray(self._number[end] - self._number[max(end - length, 0)])

    def mean(self, ago: int, length: int) -> Floats:
        end = len(self._sum) - 1 - ago
        total, number = self._sum[end] - self._sum[max(end - length, 0)], self.number(ago, length)
        return np.asarray(np.divide(total, number, out=np.full(len(total), np.nan), where=number > 0))


def against(x: Floats, mean: Floats, left: Floats | float, relative: Floats) -> Floats:
    r"""Return the evidence, in nats, that only a part of a count is left.

    .. math:: x \log f - (x + r) \log\frac{r + f\mu}{r + \mu}

    the log-likelihood ratio of negative binomial counts of means :math:`f\mu` and :math:`\mu`.

    Parameters
    ----------
    x, mean : float64, shape (n,)
        Counted, and expected, persons.
    left : float or float64, shape (n,)
        The part :math:`f`.
    relative : float64, shape (n,)
        Variance of the relative deviation from the mean beyond that of whole people, :math:`1/r`.

    Examples
    --------
    >>> against(np.array([0.0, 5.0, 10.0]), np.full(3, 10.0), 0.5, np.full(3, 0.01)).round(1)
    array([ 4.7,  1.4, -1.8])
    """
    r = 1 / np.maximum(relative, 1e-9)
    return np.asarray(x * np.log(left) - (x + r) * np.log((r + left * mean) / (r + mean)))
