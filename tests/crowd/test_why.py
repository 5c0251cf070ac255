"""What made a number, and what would narrow it."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from tests.crowd.conftest import Small, degrees, grid_counts, seen

from anlan.crowd.why import Spots, why
from anlan.kernel.records import DeviceKind

HALL, CORNER, ALL = (
    shapely.box(-60, -60, 60, 60),
    shapely.box(-480, -480, -440, -440),
    shapely.box(-500, -500, 500, 500),
)


def counted(small, reporting):
    def counts(at, k):
        found = {
            "lbs": seen("lbs", at, k, counts=grid_counts(small, small.cells.expected)) if k == 1 else None,
            "view-1": seen("view-1", at, k, n_present=8),
            **{f"gate-{g}": seen(f"gate-{g}", at, k, n_in=3, n_out=3) for g in (1, 2)},
        }
        return [one for name, one in found.items() if name in reporting and one is not None]

    return small.run(5, counts)


def because(small, state, shape):
    field, part = small.estimator.field(state), small.counter.shares(degrees(shape))
    made = small.counter.many(field, [part], state.present.at)[0]
    evidence = small.estimator.evidence(state)
    return made, why(evidence, Spots.of(small.pack, small.cells), field, part, (made.sd or 0.0) ** 2)


@pytest.fixture(scope="module")
def known(everything):
    return counted(everything, {"lbs", "view-1", "gate-1", "gate-2"})


def test_shares_are_positive_and_add_up_to_one(everything, known):
    for shape in (HALL, CORNER, ALL):
        made = because(everything, known, shape)[1]
        assert sum(made.by_kind.values()) == pytest.approx(1.0)
        assert min(made.by_kind.values()) >= 0
        assert 0 < made.explained <= 1


def test_gates_make_the_number_of_a_closed_place_and_a_camera_that_of_its_view(everything, known):
    hall, corner = (because(everything, known, shape)[1] for shape in (HALL, CORNER))
    assert corner.sources[0].device_id == "view-1"
    assert hall.by_kind[DeviceKind.GATE] > corner.by_kind.get(DeviceKind.GATE, 0.0)


def test_a_device_that_is_silent_has_no_share(everything):
    made = because(everything, counted(everything, {"lbs", "gate-1", "gate-2"}), CORNER)[1]
    assert DeviceKind.AREA not in made.by_kind


def test_where_nothing_reports_nothing_is_explained(everything):
    evidence = everything.estimator.evidence(everything.run(1, lambda _at, _k: []))
    assert evidence is None or not evidence.device_ids


def test_what_the_rows_take_off_is_what_the_filter_takes_off(everything, known):
    evidence = everything.estimator.evidence(known)
    slope = np.random.default_rng(2).random(len(evidence.prior))
    shares, explained = evidence.shares(slope)
    together = evidence.spread @ slope
    after = slope @ evidence.prior @ slope - together @ np.linalg.solve(evidence.lower @ evidence.lower.T, together)
    assert explained == pytest.approx(1 - after / (slope @ evidence.prior @ slope))
    assert set(shares) <= {device.device_id for device in everything.pack.devices}


def test_a_further_device_narrows_and_lies_in_the_polygon(everything, known):
    made = because(everything, known, ALL)[1].narrower
    assert made is not None
    assert 0 < made.narrowed_by < 1
    assert degrees(ALL).contains(shapely.Point(made.lon, made.lat))


def test_a_district_without_anything_that_tells_presence_has_no_evidence():
    small = Small([])
    assert small.estimator.evidence(small.run(1, lambda _at, _k: [])) is None
