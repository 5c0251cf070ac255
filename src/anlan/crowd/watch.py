"""Whether each device can be believed: its counts against its own, its neighbours', and the estimate."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from anlan.crowd.evidence import (
    Best,
    Faded,
    Led,
    Past,
    Sums,
    Usual,
    against,
    log_again,
    log_chance,
    log_chance_of_view,
    repeated,
)
from anlan.crowd.neighbours import Around, around_of
from anlan.crowd.watched import FAULTS, KEPT, LATELY, LOST, STUCK, SWAPPED, ZERO, Health, Limits, Surprise
from anlan.kernel.answers import Fault, Suspicion
from anlan.kernel.pack import Pack
from anlan.kernel.records import DeviceKind, Observation

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.int64]


class Watcher:
    r"""Judges every counting device of a district each minute. It holds constants only; what changes is the health.

    A window of the last :math:`k` counts of a device, with sum :math:`x`, is held against the mean :math:`m` of
    what was before, e times less after twelve minutes (half an hour on a road), moved as its like :math:`N` have moved:

    .. math::
        \Lambda_k = x \log f - (x + r) \log\frac{r + f\mu}{r + \mu}, \qquad \mu = k\,m \frac{N_k + s}{N + s}, \quad
        1 / r = \ell + (\sigma^2 - \ell)^+ / k + \sigma_N^2 + u

    the log-likelihood ratio of a count of which a part :math:`f` is left against one that has lost nothing, both
    negative binomial. :math:`\sigma^2` is the device's own variance from minute to minute and :math:`\ell` that over
    several, learnt from how far it fell short in minutes long past, :math:`\sigma_N^2` that of the means, and
    :math:`u` the unrest about it. For nobody it is by how much most of the devices around are off what was expected of
    them, so that a device that falls silent among silent ones is nothing; for a half, by how much most around have
    fallen within 40 minutes. A level that was less than half within the hour, or has moved by much just before, is held
    to be less sure. Where in and out are told apart neither may speak against a half: a stream that ends has one
    direction. Of a line that the estimate expects something of, half of the evidence, of a view most, is what all the
    others say of it (:class:`anlan.crowd.evidence.Led`). The largest of the windows up to twelve minutes decides (a
    window-limited generalised likelihood ratio).
    Three repeats of one count are weighed by how rare that count was; swapped directions by the balance of in and out.

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
    >>> health = watcher.watch(watcher.start(), [], {}, datetime(2026, 11, 11, tzinfo=UTC))
    >>> watcher.verdicts(health)
    {}
    """

    def __init__(self, pack: Pack, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self.devices = tuple(device for device in pack.devices if device.kind is not DeviceKind.GRID)
        self._index = {device.device_id: k for k, device in enumerate(self.devices)}
        self._around: Around = around_of(pack, self.devices)
        self._view = np.array([device.kind is DeviceKind.AREA for device in self.devices], bool)
        self._road = np.array([device.kind is DeviceKind.ROAD for device in self.devices], bool)
        self._fades_min = np.where(self._road, self.limits.fades_road_min, self.limits.fades_min)
        self._two = np.array([device.directed and device.kind is not DeviceKind.AREA for device in self.devices], bool)
        self._every_s = [float(device.interval_s) for device in self.devices]

    def start(self) -> Health:
        """Return the health of devices of which nothing has been heard."""
        n = len(self.devices)
        zeros = (
            "strayed",
            "n_strayed",
            "stuck",
            "fault",
            "counted",
            "expected",
            "minutes",
            "believed",
            "moved_s",
            "against",
        )
        unknown = ("since_s", "newest_s", "sequence", "phase_s", "restarted_s")
        return Health(
            at=None,
            counts=np.full((KEPT, n, 2), np.nan),
            alone=np.full((LATELY, n), np.nan),
            believed_of=np.full((LATELY, n), np.nan),
            spread=np.full(n, self.limits.first_spread**2),
            **{name: np.zeros(n) for name in zeros},
            **{name: np.full(n, np.nan) for name in unknown},
        )

    def watch(
        self,
        health: Health,
        observations: Iterable[Observation],
        expected: Mapping[str, Surprise],
        at: datetime,
    ) -> Health:
        """Return the health at a later minute.

        Pure: it asks no clock, and the order of the observations does not matter.

        Parameters
        ----------
        health : Health
        observations : iterable of Observation
            New ones, whose windows end by ``at``; late ones may be among them.
        expected : mapping of device id to Surprise
            By how much its count of the minute before was off what the estimate led to expect.
        at : datetime
        """
        if not self.devices:
            return replace(health, at=at)
        health = self._heard(self._moved_on(self._led(health, expected), at), observations, at)
        return self._judged(self._contradicted(health, expected), at)

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
        later = {}
        for name in ("counts", "alone", "believed_of"):
            values = getattr(health, name)
            kept = values[min(max(minutes, 0), len(values)) :]
            fresh = np.full((len(values) - len(kept), *values.shape[1:]), np.nan)
            later[name] = np.concatenate([kept, fresh])
        return replace(health, at=at, **later)

    def _led(self, health: Health, expected: Mapping[str, Surprise]) -> Health:
        """Remember what the estimate said of the counts of the minute before."""
        alone, believed_of = health.alone.copy(), health.believed_of.copy()
        for device_id, told in expected.items():
            k = self._index.get(device_id)
            if k is not None:
                alone[-1, k], believed_of[-1, k] = told.alone, told.believed
        return replace(health, alone=alone, believed_of=believed_of)

    def _heard(self, health: Health, observations: Iterable[Observation], at: datetime) -> Health:
        counts, now = health.counts.copy(), at.timestamp()
        names = ("newest_s", "sequence", "phase_s", "moved_s", "restarted_s")
        kept = {name: getattr(health, name).tolist() for name in names}  # one by one, plain numbers are quicker
        for seen in sorted(observations, key=lambda one: (one.end_at, one.sequence)):
            k = self._index.get(seen.device_id)
            if k is None or seen.counts is not None:
                continue
            end_s = seen.end_at.timestamp()
            if (end_s, seen.sequence) == (kept["newest_s"][k], kept["sequence"][k]):
                continue  # sent twice, it is one count
            if not end_s <= kept["newest_s"][k]:
                self._clocked(kept, k, end_s, seen.sequence)
            slot = KEPT - 1 - int((now - end_s) // 60)
            if 0 <= slot < KEPT:
                pair = (seen.n_in, seen.n_out) if seen.n_in is not None else (seen.n_passed, 0)
                for way, number in enumerate((seen.n_present, 0) if seen.n_present is not None else pair):
                    told = np.nan if number is None else float(number)
                    before = counts[slot, k, way]
                    counts[slot, k, way] = told if math.isnan(before) else before + told
        heard: dict[str, Any] = {name: np.array(values, float) for name, values in kept.items()}
        return replace(health, counts=counts, **heard)

    def _clocked(self, kept: dict[str, list[float]], k: int, end_s: float, sequence: int) -> None:
        """Compare a window's end with the device's own beat, and its number with the last one's."""
        if sequence < kept["sequence"][k]:
            kept["restarted_s"][k] = end_s
            kept["phase_s"][k], kept["moved_s"][k] = math.nan, 0.0
        every = self._every_s[k]
        if math.isnan(kept["phase_s"][k]):
            kept["phase_s"][k] = end_s % every
        off = (end_s - kept["phase_s"][k] + every / 2) % every - every / 2
        steady = abs(off - kept["moved_s"][k]) < 0.01
        kept["moved_s"][k] = off
        if steady and off:  # it stands still again: its beat follows, slowly
            kept["phase_s"][k] += math.copysign(min(abs(off), 0.05 * self.limits.drift_s), off)
        kept["newest_s"][k], kept["sequence"][k] = end_s, float(sequence)

    def _contradicted(self, health: Health, expected: Mapping[str, Surprise]) -> Health:
        """Follow by how many standard deviations a device is off what all the others lead to expect."""
        against, ratio = health.against * 0.95, health.expected.copy()
        known = (np.isfinite(health.counts[:, :, 0]).sum(axis=0) >= self.limits.settled) & (health.fault == 0)
        told = {k: one for name, one in expected.items() if (k := self._index.get(name)) is not None and known[k]}
        which = np.fromiter(told, np.int64, len(told))
        off, variance = np.array([(one.off, one.variance) for one in told.values()]).reshape(-1, 2).T
        against[which] += 0.05 * np.clip(off / np.sqrt(variance), -8, 8)
        ratio[which] = np.exp(off)
        return replace(health, against=against, expected=ratio)

    # -- the tests -------------------------------------------------------------------------------------------------

    def _judged(self, health: Health, at: datetime) -> Health:
        limits, past = self.limits, Past.of(health.counts, self._fades_min)
        sums, last = past.sums, past.total[-1]
        here, on = np.isfinite(last), health.fault == 0
        usual = self._usual(health, past, on, range(1, limits.longest + 1))
        fallen = self._fallen_around(sums, on)
        # Where most around have more than halved within 40 minutes, so may anybody, and at once.
        unrest = self._unrest(usual, on) + np.maximum(fallen - np.log(2), 0) ** 2
        zero = self._silent(usual, unrest)
        lost = self._halved(health, usual, self._unsteady(usual, sums, fallen))
        swapped = self._turned(health, past, unrest)
        stuck, patience = self._repeated(health, here & (sums.number(0, KEPT) >= 12), past)
        evidence = np.array([
            zero.nats / limits.zero_nats,
            stuck / patience,
            lost.nats,
            swapped.nats / limits.swapped_nats,
        ])  # fmt: skip
        new = here & on & (evidence >= 1).any(axis=0)
        fault = np.where(new, 1 + np.argmax(evidence >= 1, axis=0), health.fault)
        repeated = Best(stuck, last, usual.mean[0], np.full(len(last), np.nan))
        kept = {name: getattr(health, name) for name in ("counted", "expected", "minutes")}
        for number, best in ((ZERO, zero), (STUCK, repeated), (LOST, lost), (SWAPPED, swapped)):
            mine = new & (fault == number)
            kept = {name: np.where(mine, getattr(best, name), values) for name, values in kept.items()}
        since_s = np.where(new, at.timestamp(), health.since_s)
        judged = replace(health, fault=fault, since_s=since_s, stuck=stuck, **kept)
        judged = self._trusted_again(judged, new, here, unrest)
        # What is learnt is long past: a fault that is still to be found would teach that faults are usual.
        return self._learnt(judged, self._usual(health, past, on, (1, limits.horizon), limits.longest))

    def _usual(self, health: Health, past: Past, on: Flags, windows: Sequence[int], ago: int = 0) -> Usual:
        """Return what the last minutes, in windows, are held against: a device's own before, moved as its like have."""
        limits, sums, k = self.limits, past.sums, np.array(windows, float)[:, None]
        counted, n_counted = sums.last(windows, ago)
        before, n_before = past.faded.before(windows, ago)
        told = on & np.isfinite(counted + before)
        moved, number = self._around.moved(*(np.where(told, values, 0) for values in (counted, before)))
        number, some = k * number, number > 0
        ratio = np.clip((number * moved + limits.shrink) / (number + limits.shrink), 0.05, limits.rising)
        # A level that falls by and by is followed: what counts is how many there were just before.
        lately = limits.lately * sums.before(windows, ago, limits.lately_min)[0]
        mean = np.maximum(np.fmin(before * ratio, lately), 0.01)
        lasting = self._lasting(health)
        own = lasting + np.maximum(health.spread - lasting, 0) / k
        theirs = np.where(some, 1 / (number * moved + limits.shrink), 0)
        theirs = theirs + 1 / (np.maximum(n_before, 1) * np.maximum(np.nan_to_num(before), 0.1))
        known = (n_counted >= 1) & np.isfinite(mean) & (sums.before(windows, ago, limits.before)[1] >= 12)
        return Usual(np.nan_to_num(counted) * n_counted, n_counted, np.nan_to_num(mean, nan=1.0), own, theirs, known)

    def _lasting(self, health: Health) -> Floats:
        """Return by how much each device falls short of the usual for minutes; a relative variance.

        What is known of one is shrunk towards its kind, and that towards the first guess.
        """
        limits, found = self.limits, np.empty(len(self.devices))
        for mine in (self._view, self._road, ~(self._view | self._road)):
            weight, strayed, guess = health.n_strayed[mine], health.strayed[mine], limits.guess_weighs
            kind = (strayed.sum() + guess * limits.first_lasting) / (weight.sum() + guess)
            found[mine] = (strayed + limits.kind_weighs * kind) / (weight + limits.kind_weighs)
        return np.clip(found, limits.least_lasting, 0.2)

    def _unrest(self, usual: Usual, on: Flags) -> Floats:
        """Return how far the devices around each one are off their usual, beyond what they are wont to; a variance."""
        around, unrest = self._around, np.zeros(len(self.devices))
        for k in self.limits.unrest_min:
            x, mu = usual.counted[k - 1], (usual.mean * usual.number)[k - 1]
            off = np.log((x + 0.5) / (mu + 0.5)) ** 2 - 1 / np.maximum(mu, 1) - usual.own[k - 1] - usual.theirs[k - 1]
            told = on & usual.known[k - 1] & (usual.mean[k - 1] >= 3)
            median = around.median(np.where(told, np.clip(off, -0.1, 1), np.nan))
            unrest = np.maximum(unrest, 2 * (median - self.limits.unrest_usual))
        return unrest

    def _fallen_around(self, sums: Sums, on: Flags) -> Floats:
        """Return by how much most of the devices around each one have fallen within 40 minutes; a log-ratio."""
        fast, slow = sums.mean(0, 5), sums.mean(0, 40)
        return self._around.median(np.where(on & (slow >= 5), np.log((slow + 1) / (fast + 1)), np.nan))

    def _unsteady(self, usual: Usual, sums: Sums, fallen: Floats) -> Floats:
        """Return how little a device's own level tells of the next minutes, by window; a variance.

        Who counted far fewer within the hour may do so again: a wave of people passes. Whose level has moved by much
        just before may go on moving. Where most around have fallen, a crowd breaks up.
        """
        limits = self.limits
        windows = range(1, limits.longest + 1)
        levels = np.array([sums.mean(ago, 10) for ago in range(limits.longest, KEPT - 10, 5)])
        lowest = np.min(np.where(np.isfinite(levels), levels, np.inf), axis=0)
        wave = (
            np.log(np.maximum((usual.mean + 1) / (lowest + 1), 1)) - np.log(limits.wave) - 2 / np.sqrt(10 * lowest + 1)
        )
        now, then = (sums.before(windows, ago, 5)[0] for ago in (0, 10))
        noise = 2 / np.sqrt(5 * np.maximum(np.minimum(now, then), 0.2))
        moved = np.nan_to_num(np.maximum(np.abs(np.log((now + 1) / (then + 1))) - noise, 0))
        falling = limits.falling_weighs * np.maximum(fallen - limits.falling, 0) ** 2
        return np.asarray(falling + limits.wave_weighs * np.maximum(wave, 0) ** 2 + limits.moved_weighs * moved**2)

    def _silent(self, usual: Usual, unrest: Floats) -> Best:
        """Return the windows that speak loudest for nobody being left of what was to be expected."""
        limits = self.limits
        k = np.arange(1, limits.longest + 1)[:, None]
        relative = usual.own + usual.theirs + unrest
        nats = against(usual.counted, usual.mean * usual.number, limits.zero_share, relative)
        nats = nats - np.where(usual.mean < limits.quiet, limits.zero_quiet_nats, 0)
        fit = usual.known & (usual.mean >= limits.zero_least) & (k <= limits.longest_zero)
        return Best.of(np.where(fit, nats, -1), usual)

    def _halved(self, health: Health, usual: Usual, unsteady: Floats) -> Best:
        """Return the windows that speak loudest for a half being left, 1 where it is as loudly as is asked for.

        Where the estimate leads to expect a count, what it says stands beside what the device itself counted before,
        and neither may speak against a half: a crowd that goes is seen by others, too, and the estimate follows it.
        """
        limits = self.limits
        relative = usual.own + usual.theirs + unsteady
        nats = against(usual.counted, usual.mean * usual.number, limits.share_left, relative)
        nats = nats - np.where(usual.mean < limits.quiet, limits.quiet_nats, 0)
        led, heard = self._halved_by_estimate(health, unsteady)
        weighs, asked = (np.where(self._view, of[1], of[0]) for of in (limits.led_weighs, limits.led_nats))
        both = np.where((nats > 0) & (led > 0), (1 - weighs) * nats + weighs * led, -1)
        alone = np.where(self._road, limits.lost_road_nats, limits.lost_nats)
        nats = np.where(heard, both / asked, nats / alone)
        long = np.arange(1, limits.longest + 1)[:, None] >= limits.shortest
        nats = np.where(usual.known & (usual.mean >= limits.lost_least) & long & ~self._slides(health, usual), nats, -1)
        # Few come so far, and only of them it is asked, as it takes time, which way they count less.
        some = np.flatnonzero((nats >= 1).any(axis=0) & self._two)
        least = self._least_way(health.counts[:, some], usual.of(some), relative[:, some], self._fades_min[some])
        nats[:, some] = np.where(least >= -limits.upright_nats, nats[:, some], -1)
        return Best.of(nats, usual)

    def _slides(self, health: Health, usual: Usual) -> Flags:
        """Tell, by window, where the counts of its later half are far below those of its first."""
        windows = np.arange(1, self.limits.longest + 1)
        late = np.maximum(windows // 2, 1) - 1
        recent, n_recent = usual.counted[late], usual.number[late]
        older, n_older = usual.counted - recent, usual.number - n_recent
        told = (n_recent > 0) & (n_older > 0)
        n_recent, n_older = np.maximum(n_recent, 1), np.maximum(n_older, 1)
        fallen = np.log((older / n_older + 0.5) / (recent / n_recent + 0.5))
        noise = 1 / (recent + 1) + 1 / (older + 1) + health.spread * (1 / n_recent + 1 / n_older)
        return np.asarray(told & (fallen > self.limits.slides + 2 * np.sqrt(noise)))

    def _halved_by_estimate(self, health: Health, unsteady: Floats) -> tuple[Floats, Flags]:
        """Return the evidence, by window, of a half being left of what the estimate expects, and where it is heard."""
        limits, k = self.limits, np.arange(1, self.limits.longest + 1)[:, None]
        counts = health.counts[-limits.longest :].sum(axis=2)
        led = Led.of(counts, health.alone[-limits.longest :], health.believed_of[-limits.longest :])
        lasting, spread = (np.where(self._view, of[1], of[0]) for of in (limits.led_lasting, limits.led_spread))
        relative = lasting + spread / k + limits.led_unsteady * unsteady
        settled = np.isfinite(health.counts[:, :, 0]).sum(axis=0) >= limits.settled
        nats = against(led.counted, np.maximum(led.mean, 0.01), limits.share_left, relative)
        return nats, settled & (led.number >= np.maximum(k - 1, 2))

    def _least_way(self, counts: Floats, usual: Usual, relative: Floats, fades_min: Floats) -> Floats:
        """Return what the direction that speaks least for a half being left says, by window."""
        limits, windows = self.limits, range(1, self.limits.longest + 1)
        (one, number), (other, _) = (Faded(counts[:, :, way], fades_min).before(windows, 0) for way in (0, 1))
        through, found = np.nan_to_num(one + other) + 0.04, []
        for way, before in enumerate((np.nan_to_num(one), np.nan_to_num(other))):
            counted = np.nan_to_num(Sums(counts[:, :, way]).last(windows, 0)[0]) * usual.number
            mu = usual.mean * usual.number * (before + 0.02) / through
            loose = relative + limits.way_spread + 1 / np.maximum(number * before, 1)
            found.append(against(counted, mu, limits.share_left, loose))
        return np.minimum(*found)

    def _turned(self, health: Health, past: Past, unrest: Floats) -> Best:
        """Return the evidence that in and out have changed places, against the share of in before."""
        sums, shares = past.ways, []
        for length in (5, 40):
            inward, outward = (one.mean(0, length) for one in sums)
            shares.append((inward + 1) / (inward + outward + 2))
        moved = (shares[0] - shares[1]) ** 2
        turning = self._around.median(np.where(self._two & (health.fault == 0), moved, np.nan))
        loose = 0.01 + 0.3 * unrest + 4 * np.maximum(turning - 0.005, 0)
        windows = range(self.limits.shortest, self.limits.longest + 1)
        k, n_before = np.array(windows)[:, None], sums[0].before(windows, 0, 20)[1]
        lately = [np.nan_to_num(mean * number) for mean, number in (one.last(windows, 0) for one in sums)]
        before = [np.nan_to_num(mean * number) for mean, number in (one.before(windows, 0, 20) for one in sums)]
        share = np.clip((before[0] + 4) / (before[0] + before[1] + 8), 0.1, 0.9)
        through = lately[0] + lately[1]
        nats = (lately[0] - lately[1]) * np.log((1 - share) / share) / (1 + loose * through)
        # Changed places change no total: where more or fewer pass than before, people have turned, not a device.
        rate = np.log((through / k + 1) / ((before[0] + before[1]) / np.maximum(n_before, 1) + 1))
        same = (np.abs(rate) < 0.25) & (through >= 10)
        known = self._two & (n_before >= 12) & (sums[0].number(0, 1) > 0) & same
        return Best.of_all(np.where(known, nats, -1), lately[0] / np.maximum(through, 1), share, k)

    def _repeated(self, health: Health, known: Flags, past: Past) -> tuple[Floats, Floats]:
        """Return the evidence of a device that repeats itself, and how much of it is asked for."""
        limits, sums = self.limits, past.sums
        n_repeats, run = self._run(health)
        level, lately, inward, outward = (np.zeros(len(self.devices)) for _ in range(4))
        for ago in np.unique(run):
            mine = run == ago
            level[mine] = sums.mean(ago + 1, 10)[mine]
            lately[mine] = sums.mean(ago + 1, 6)[mine]
            inward[mine], outward[mine] = (one.mean(ago + 1, 15)[mine] for one in past.ways)
        known = known & np.isfinite(level + lately + inward + outward)
        level, lately, inward, outward = (np.nan_to_num(one) for one in (level, lately, inward, outward))
        last, loose = np.nan_to_num(health.counts[-1]), np.minimum(health.spread, 0.05)
        line = log_chance(last[:, 0], inward, loose) + log_chance(last[:, 1], outward, loose)
        line_moved = log_again(last[:, 0]) + log_again(last[:, 1])
        part = self._jitter(past)
        view = log_chance_of_view(last[:, 0], lately, part * np.maximum(lately, 3))
        view_moved = -np.log(np.sqrt(4 * np.pi) * np.maximum(part * last[:, 0], 0.4))
        told, moved = np.where(self._view, view, line), np.where(self._view, view_moved, line_moved)
        evidence = np.where(known & (n_repeats >= limits.few_repeats), repeated(n_repeats, told, moved), 0.0)
        enough = (level >= limits.stuck_least) & (n_repeats >= limits.least_repeats)
        usual = np.where(self._view, limits.stuck_view_nats, limits.stuck_nats)
        patience = np.where(enough, usual, limits.stuck_quiet_nats)
        return np.where(np.isfinite(health.counts[-1, :, 0]), evidence, health.stuck), patience

    def _run(self, health: Health) -> tuple[Floats, npt.NDArray[np.int64]]:
        """Return how often each device has repeated its last count, and for how many minutes."""
        counts, n_repeats = health.counts, np.zeros(len(self.devices))
        run = np.zeros(len(self.devices), np.int64)
        going = counts[-1].sum(axis=1) > 0  # repeated zeros are the other test's
        for ago in range(1, self.limits.longest_run + 1):
            here = np.isfinite(counts[-1 - ago, :, 0])
            going &= ~here | (counts[-1 - ago] == counts[-1]).all(axis=1)
            n_repeats += going & here
            run = np.where(going & here, ago, run)
        return n_repeats, run

    @staticmethod
    def _jitter(past: Past) -> Floats:
        """Return by what part of its count a device jumps about the six minutes before, the last five left out."""
        rows = range(KEPT - 45, KEPT - 5)
        six = past.sums.mean_before(rows, 6)
        off = np.minimum((past.total[rows.start : rows.stop] - six) / np.maximum(six, 3), 1)
        known = np.isfinite(off)
        return np.asarray(np.sqrt((np.where(known, off, 0) ** 2).sum(axis=0) + 0.05) / np.sqrt(known.sum(axis=0) + 3))

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

    def _learnt(self, health: Health, usual: Usual) -> Health:
        """Learn how much each device strays when nothing is wrong, from one minute to the next and over several."""
        limits, fine = self.limits, (health.fault == 0) & usual.known.all(axis=0)
        x, mean = usual.counted[0], usual.mean[0]
        squared = ((x - mean) ** 2 - mean) / np.maximum(mean, 3) ** 2 - usual.theirs[0]
        weight = fine * np.minimum(1, mean / 10)
        spread = health.spread + weight / 60 * (np.clip(squared, -0.2, 0.3) - health.spread)
        # Of several minutes only those that fall short teach: a place that fills makes no one doubtful.
        x, mu = usual.counted[1], (usual.mean * usual.number)[1]
        short = np.where(x < mu, 2 * np.minimum((x - mu) ** 2, 0.5 * mu**2), 0) / np.maximum(mu, 10) ** 2
        strayed = short - 1 / np.maximum(mu, 10) - usual.theirs[1]
        weight = fine * np.minimum(1, (mu / 60) ** 2)
        keep = 1 - 1 / limits.remembers_min
        return replace(
            health,
            spread=np.maximum(spread, limits.least_spread**2),
            n_strayed=keep * health.n_strayed + weight,
            strayed=keep * health.strayed + weight * strayed,
        )
