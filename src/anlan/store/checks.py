"""What every store and history must do: run these on your own, as the tests do on ours.

Each check takes a fresh, empty store (or history) and raises AssertionError with what it found.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import numpy as np

from anlan.kernel.errors import Conflict, NotFound
from anlan.kernel.ingress import Refusal, RefusalCode, Verdict
from anlan.kernel.records import Draft, Estimate, Observation, UnknownReason
from anlan.store.history import History, Step
from anlan.store.records import GENESIS, Store

AT = datetime(2026, 12, 31, 10, tzinfo=UTC)


def _must(claim: bool, what: object) -> None:  # noqa: FBT001 - a claim is a claim
    if not claim:
        raise AssertionError(what)


def _draft(record_id: str = "a", body: dict[str, object] | None = None, version: int | None = None) -> Draft:
    return Draft(kind="watch", record_id=record_id, action="put", actor="desk", body=body, expected_version=version)


def _refuses(kind: type[Exception], act: Callable[[], object]) -> bool:
    try:
        act()
    except kind:
        return True
    return False


def check_state_and_log_agree(store: Store) -> None:
    """A record is what its last change left, and the log tells every step."""
    store.apply([_draft(body={"name": "外滩"})], at=AT)
    store.apply([_draft(body={"name": "豫园"}, version=1)], at=AT)
    _must(store.record("watch", "a").body == {"name": "豫园"}, "the current body is the last one")
    told = store.changes()
    _must([(c.change_id, c.version) for c in told] == [(1, 1), (2, 2)], told)
    _must(told[0].previous_hash == GENESIS and told[1].previous_hash == told[0].hash, "the chain links")
    _must(store.verify().ok and store.verify().n_changes == 2, store.verify())


def check_all_or_none(store: Store) -> None:
    """One bad draft in a batch leaves nothing of it behind."""
    batch = [_draft("a", {"k": 1}), _draft("b", {"k": 2}, version=7)]
    _must(_refuses(Conflict, lambda: store.apply(batch, at=AT)), "a stale version is a conflict")
    _must(store.changes() == [] and store.records("watch") == [], "nothing was written")


def check_two_writers_meet(store: Store) -> None:
    """Of two who read the same version, the second is told."""
    store.apply([_draft(body={"k": 1})], at=AT)
    store.apply([_draft(body={"k": 2}, version=1)], at=AT)
    _must(_refuses(Conflict, lambda: store.apply([_draft(body={"k": 3}, version=1)], at=AT)), "the second is told")
    _must(_refuses(Conflict, lambda: store.apply([_draft(body={"k": 3})], at=AT)), "a new one may not replace")
    _must(store.record("watch", "a").body == {"k": 2}, "the first stands")


def check_an_ended_record_is_gone_and_remembered(store: Store) -> None:
    """Ending a record removes the state, keeps the log, and its id may live again."""
    store.apply([_draft(body={"k": 1})], at=AT)
    store.apply([_draft(version=1)], at=AT)
    _must(_refuses(NotFound, lambda: store.record("watch", "a")), "it is gone")
    _must(_refuses(NotFound, lambda: store.apply([_draft("never")], at=AT)), "what never was cannot end")
    store.apply([_draft(body={"k": 2})], at=AT)
    _must([c.version for c in store.changes()] == [1, 2, 3], "versions go on")
    _must(store.verify().ok, store.verify())


def check_changes_are_paged(store: Store) -> None:
    """A reader that follows the log sees every change once, by kind if asked."""
    for k in range(5):
        store.apply([_draft(str(k), {"k": k})], at=AT)
    first = store.changes(limit=3)
    rest = store.changes(after=first[-1].change_id)
    _must([c.record_id for c in [*first, *rest]] == list("01234"), "each once, in order")
    _must(store.changes(kind="other") == [], "none of another kind")


STORE_CHECKS: tuple[Callable[[Store], None], ...] = (
    check_state_and_log_agree,
    check_all_or_none,
    check_two_writers_meet,
    check_an_ended_record_is_gone_and_remembered,
    check_changes_are_paged,
)


def _seen(minute: int, sequence: int, device_id: str = "a", **values: object) -> Observation:
    end_at = AT + timedelta(minutes=minute)
    form = values or {"n_in": minute, "n_out": 1}
    window = {"begin_at": end_at - timedelta(minutes=1), "end_at": end_at}
    return Observation(device_id=device_id, sequence=sequence, **window, **form)  # type: ignore[arg-type]  # one form


def check_a_resend_is_kept_once(history: History) -> None:
    """The same observation, in one batch or a later one, is a duplicate."""
    batch = [_seen(1, 0), _seen(1, 0), _seen(2, 1)]
    verdicts = history.accept(batch, received_at=AT)
    _must(verdicts == [Verdict.ACCEPTED, Verdict.DUPLICATE, Verdict.ACCEPTED], verdicts)
    _must(history.accept(batch[:1], received_at=AT) == [Verdict.DUPLICATE], "a resend is a duplicate")
    kept, cursor = history.arrived(0)
    _must([s.sequence for s in kept] == [0, 1] and cursor == 2, kept)


def check_order_and_lateness_are_told(history: History) -> None:
    """An older window is out of order, a late one is late, and both are kept."""
    verdicts = history.accept([_seen(5, 0), _seen(3, 1)], received_at=AT)
    verdicts += history.accept([_seen(4, 2)], received_at=AT, late=[True])
    _must(verdicts == [Verdict.ACCEPTED, Verdict.OUT_OF_ORDER, Verdict.LATE], verdicts)
    _must(len(history.arrived(0)[0]) == 3, "all are kept")


def check_every_form_comes_back(history: History) -> None:
    """Counts come back as they were, a suppressed square as NaN."""
    grid = np.array([12.0, np.nan, 0.0])
    sent = [_seen(1, 0), _seen(1, 0, "p", n_passed=7), _seen(1, 0, "v", n_present=0), _seen(1, 0, "g", counts=grid)]
    history.accept(sent, received_at=AT)
    kept, _ = history.arrived(0)
    _must(
        [(s.n_in, s.n_passed, s.n_present) for s in kept[:3]] == [(1, None, None), (None, 7, None), (None, None, 0)],
        kept,
    )
    _must(kept[3].counts is not None and np.array_equal(kept[3].counts, grid, equal_nan=True), kept[3])
    _must(kept[0].begin_at == sent[0].begin_at and kept[0].end_at.tzinfo is not None, "moments are aware")


def check_cursors_page_through_arrivals(history: History) -> None:
    """Reading behind a cursor gives each observation once."""
    for k in range(7):
        history.accept([_seen(k, k)], received_at=AT)
    first, cursor = history.arrived(0, 3)
    middle, cursor = history.arrived(cursor, until=5)
    rest, end = history.arrived(cursor)
    _must([s.sequence for s in [*first, *middle, *rest]] == list(range(7)) and end == 7, "each once")
    _must(history.arrived(end) == ([], end), "and then nothing")


def check_refusals_are_counted(history: History) -> None:
    """A refusal alone is committed and stands under its device."""
    history.accept([], received_at=AT, refusals=[Refusal(code=RefusalCode.FUTURE, message="…", device_id="a")])
    _must(history.arrived(0) == ([], 0), "nothing was taken")


def check_a_step_is_kept_whole_and_replaced(history: History) -> None:
    """State, cursors, estimates and cells are those of one step; made again it is replaced."""
    unknown = Estimate(at=AT, walkable_m2=10.0, unknown=UnknownReason.STALE)
    known = Estimate(at=AT, walkable_m2=10.0, occupancy=5.0, sd=1.0, low=3.0, high=7.0, level_of_service="A")
    persons = np.array([1.5, np.nan, 3.0], np.float32)
    for made in ({"district": unknown}, {"district": known}):
        history.commit_step(Step(at=AT, low=1, high=2, occupancy=persons, estimates=made, state=b"s"))
    last = history.latest_step()
    _must(last is not None and (last.at, last.low, last.high, last.state) == (AT, 1, 2, b"s"), last)
    history.commit_step(Step(at=AT + timedelta(minutes=1), low=3, high=4))
    last = history.latest_step()
    _must(last is not None and last.at == AT, "a step without a state leaves the last state")


HISTORY_CHECKS: tuple[Callable[[History], None], ...] = (
    check_a_resend_is_kept_once,
    check_order_and_lateness_are_told,
    check_every_form_comes_back,
    check_cursors_page_through_arrivals,
    check_refusals_are_counted,
    check_a_step_is_kept_whole_and_replaced,
)
