"""What the estimator carries from minute to minute."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from anlan.crowd.balance import Balance
from anlan.crowd.watched import Health, Surprise
from anlan.kernel.errors import BadInput
from anlan.kernel.records import Observation

Floats = npt.NDArray[np.float64]

FORM = 11
"""Version of the serialised form."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Moment:
    """The filter at one moment. Its arrays are never written into.

    ``mean`` (d,), ``covariance`` (d, d; the lower triangle counts), how unusual the day is by region (see
    :mod:`anlan.crowd.unusual`), what the gates have counted since the start, the end of the newest window by device,
    how many nights location grids were heard in, by how much each count was off its prediction, and how many each view
    counted last, as long as it is believed.
    """

    at: datetime
    mean: Floats
    covariance: Floats
    unusual: Floats
    balance: Balance
    newest: Mapping[str, datetime] = field(default_factory=dict)
    nights: float = 0.0
    surprise: Mapping[str, Surprise] = field(default_factory=dict)
    viewed: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, eq=False, kw_only=True)
class Minute:
    """What a minute was made from, kept until no late grid can ask for it again, and whom it did without."""

    at: datetime
    observations: tuple[Observation, ...]
    distrusted: frozenset[str] = frozenset()


class Names(NamedTuple):
    """Whose numbers a state holds, in their order: of the filter, and of the devices' health.

    Without them a device in another's place in the pack would be given its bias, and its faults. ``ground`` is a
    fingerprint of where the filter's knots are, to the metre; empty where there are none, or an earlier version wrote.
    """

    numbers: tuple[str, ...] = ()
    watched: tuple[str, ...] = ()
    ground: str = ""


@dataclass(frozen=True, eq=False, kw_only=True)
class State:
    """The present, moments to which a late grid can return, the minutes since the first, the devices' health."""

    present: Moment
    health: Health
    anchors: tuple[Moment, ...] = ()
    minutes: tuple[Minute, ...] = ()
    names: Names = field(default_factory=Names)

    def to_bytes(self) -> bytes:
        """Return the state as bytes: the oldest anchor and the minutes behind it, from which the present follows."""
        kept = self.anchors[0] if self.anchors else self.present
        side = len(kept.mean)
        header = {
            "form": FORM,
            "at": kept.at.isoformat(),
            "names": self.names._asdict(),
            "nights": kept.nights,
            "viewed": dict(kept.viewed),
            "newest": {device: at.isoformat() for device, at in kept.newest.items()},
            "minutes": [
                {
                    "at": m.at.isoformat(),
                    "observations": [_plain(seen) for seen in m.observations],
                    "distrusted": sorted(m.distrusted),
                }
                for m in self.minutes
                if m.at > kept.at
            ],
        }
        out = io.BytesIO()
        arrays: dict[str, Any] = {
            "header": np.frombuffer(json.dumps(header).encode(), np.uint8),
            "mean": kept.mean,
            "unusual": kept.unusual,
            "lower": kept.covariance[np.tril_indices(side)],
            **{f"balance_{name}": values for name, values in kept.balance.arrays().items()},
            **{f"health_{name}": values for name, values in self.health.arrays().items()},
        }
        np.savez(out, **arrays)
        return out.getvalue()

    @staticmethod
    def parts(body: bytes) -> tuple[Moment, list[Minute], Health, Names | None]:
        """Return anchor, minutes, health and names of a serialised state; the estimator restores the present from them.

        Names are None where an earlier version did not write them.

        Raises
        ------
        BadInput
            If the bytes are of another form.
        """
        with np.load(io.BytesIO(body), allow_pickle=False) as kept:
            header = json.loads(kept["header"].tobytes())
            if header.get("form") != FORM:
                raise BadInput(f"state of form {header.get('form')}", f"must be of form {FORM}", "start afresh")
            mean = kept["mean"]
            covariance = np.zeros((len(mean), len(mean)), order="F")
            covariance[np.tril_indices(len(mean))] = kept["lower"]
            anchor = Moment(
                at=datetime.fromisoformat(header["at"]),
                mean=mean,
                covariance=covariance,
                unusual=kept["unusual"],
                balance=Balance(**{name[8:]: kept[name] for name in kept.files if name.startswith("balance_")}),
                newest={device: datetime.fromisoformat(at) for device, at in header["newest"].items()},
                nights=header["nights"],
                viewed=header["viewed"],
            )
            health = Health.of({name[7:]: kept[name] for name in kept.files if name.startswith("health_")})
        minutes = [
            Minute(
                at=datetime.fromisoformat(m["at"]),
                observations=tuple(_record(row) for row in m["observations"]),
                distrusted=frozenset(m["distrusted"]),
            )
            for m in header["minutes"]
        ]
        told = header.get("names")
        names = None if told is None else Names(tuple(told["numbers"]), tuple(told["watched"]), told.get("ground", ""))
        return anchor, minutes, health, names


def _plain(seen: Observation) -> list[object]:
    counts = None if seen.counts is None else [None if np.isnan(n) else float(n) for n in seen.counts]
    scalars = [seen.n_in, seen.n_out, seen.n_passed, seen.n_present]
    return [seen.device_id, seen.begin_at.isoformat(), seen.end_at.isoformat(), seen.sequence, *scalars, counts]


def _record(row: list[object]) -> Observation:
    device_id, begin_at, end_at, sequence, n_in, n_out, n_passed, n_present, counts = row
    return Observation(
        device_id=str(device_id),
        begin_at=datetime.fromisoformat(str(begin_at)),
        end_at=datetime.fromisoformat(str(end_at)),
        sequence=int(str(sequence)),
        n_in=_whole(n_in),
        n_out=_whole(n_out),
        n_passed=_whole(n_passed),
        n_present=_whole(n_present),
        counts=np.array([np.nan if n is None else n for n in counts], float) if isinstance(counts, list) else None,
    )


def _whole(value: object) -> int | None:
    return None if value is None else int(str(value))
