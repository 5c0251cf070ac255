"""What every store and history must do: run these on your own, as the tests do on ours.

Each check takes a fresh, empty store (or history) and raises AssertionError with what it found.
"""

from __future__ import annotations

import functools
import tempfile
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from anlan.kernel.errors import BadInput, Conflict, NotFound
from anlan.kernel.ingress import Refusal, RefusalCode, Verdict
from anlan.kernel.records import HIDDEN_PERSONS, Draft, Estimate, Observation, UnknownReason
from anlan.kernel.weather import WeatherHour, WeatherLog
from anlan.store.history import History, Step
from anlan.store.records import GENESIS, Keeping, Store
from anlan.store.signs import kept_persons

AT = datetime(2026, 12, 31, 10, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


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


def check_what_is_kept_is_forgotten(store: Store) -> None:
    """What is kept beside the log comes and goes with a change, and by its date; of a refused batch nothing is kept."""
    secret = Keeping(kind="answer", key="a", body={"to": "窗口"}, forget_at=AT + timedelta(hours=72))
    store.apply([_draft(body={"k": 1})], at=AT, keeping=[secret])
    _must([one.body for one in store.kept("answer")] == [{"to": "窗口"}], store.kept("answer"))
    other = Keeping(kind="answer", key="b", body={"to": "x"})
    _must(_refuses(Conflict, lambda: store.apply([_draft(body={"k": 2}, version=9)], at=AT, keeping=[other])), "stale")
    _must(store.kept("answer", "b") == [], "nothing of a refused batch is kept")
    store.keep([other])
    _must(store.forget_due(AT) == [], "nothing is due yet")
    _must([one.key for one in store.forget_due(AT + timedelta(hours=72))] == ["a"], "it is due at its moment")
    _must([one.key for one in store.kept("answer")] == ["b"], "what has no date stays")
    store.apply([_draft(body=None, version=1)], at=AT, keeping=[Keeping(kind="answer", key="b", body=None)])
    _must(store.kept("answer") == [], "it goes with the change that ends it")
    _must(store.verify().ok and "窗口" not in str(store.changes()), "the log never had it")


def check_changes_are_paged(store: Store) -> None:
    """A reader that follows the log sees every change once, by kind if asked."""
    for k in range(5):
        store.apply([_draft(str(k), {"k": k})], at=AT)
    first = store.changes(limit=3)
    rest = store.changes(after=first[-1].change_id)
    _must([c.record_id for c in [*first, *rest]] == list("01234"), "each once, in order")
    _must(store.changes(kind="other") == [], "none of another kind")


def check_what_would_not_come_back_is_refused(store: Store) -> None:
    """NaN, half a character, bytes and empty words are bad input; all that JSON can say comes back as it was."""
    for unsaid in (float("nan"), "\ud800", b"x"):
        refused = _refuses(BadInput, functools.partial(store.apply, [_draft(body={"k": unsaid})], at=AT))
        _must(refused, f"{unsaid!r} is no JSON")
    _must(_refuses(BadInput, lambda: store.apply([_draft("", {"k": 1})], at=AT)), "an id is a word")
    _must(_refuses(BadInput, lambda: store.apply([_draft(body={})], at=AT.replace(tzinfo=None))), "a moment has a zone")
    body: dict[str, object] = {"文": "\x00\n'\"\\𠮷", "list": [1, 2.5, None, True, {"": []}], "huge": 10**30}
    store.apply([_draft("'; --", body)], at=AT)
    _must(store.record("watch", "'; --").body == body, store.records("watch"))
    _must(store.changes()[0].at == AT and store.records("watch")[0].changed_at == AT, "the moment is kept")
    _must(store.verify().ok, store.verify())


def check_of_many_writers_one_wins_and_a_follower_misses_nothing(store: Store) -> None:
    """Threads that change one record at once: each version is made once, and whoever follows the log sees all."""
    store.apply([_draft(body={"k": 0})], at=AT)
    won: list[int] = []

    def write() -> None:
        for _ in range(20):
            version = store.record("watch", "a").version
            try:
                made = store.apply([_draft(body={"k": version}, version=version)], at=AT)
            except Conflict:
                continue
            won.append(made[0].version)

    writers = [threading.Thread(target=write) for _ in range(3)]
    for writer in writers:
        writer.start()
    followed: list[int] = []
    alive = True
    while alive:
        alive = any(writer.is_alive() for writer in writers)
        followed += [change.change_id for change in store.changes(after=followed[-1] if followed else 0, limit=7)]
        _must(store.verify().ok, "the log is whole at every moment")
    followed += [change.change_id for change in store.changes(after=followed[-1])]
    _must(sorted(won) == list(range(2, len(won) + 2)), won)
    _must(followed == list(range(1, len(won) + 2)), followed)


STORE_CHECKS: tuple[Callable[[Store], None], ...] = (
    check_state_and_log_agree,
    check_all_or_none,
    check_two_writers_meet,
    check_an_ended_record_is_gone_and_remembered,
    check_what_is_kept_is_forgotten,
    check_changes_are_paged,
    check_what_would_not_come_back_is_refused,
    check_of_many_writers_one_wins_and_a_follower_misses_nothing,
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
    """A refusal alone is committed and stands under its device; one of no known device under "" ."""
    refusals = [Refusal(code=RefusalCode.FUTURE, message="…", device_id=name) for name in ("a", "a", None)]
    history.accept([], received_at=AT, refusals=refusals)
    _must(history.arrived(0) == ([], 0), "nothing was taken")
    tallies = history.tallies()
    _must({name: tally.n_refused for name, tally in tallies.items()} == {"a": 2, "": 1}, tallies)
    _must(tallies["a"].refused_by_code == {RefusalCode.FUTURE: 2}, tallies)


def check_tallies_add_up(history: History) -> None:
    """Each observation is counted under its device, and the newest window is remembered with its counts."""
    history.accept([_seen(5, 0), _seen(3, 1), _seen(5, 0), _seen(1, 0, "b")], received_at=AT)
    history.accept([_seen(4, 2)], received_at=AT + timedelta(minutes=9), late=[True])
    tally = history.tallies()["a"]
    counted = (tally.n_accepted, tally.n_out_of_order, tally.n_late, tally.n_duplicate)
    _must(counted == (3, 1, 1, 1), tally)
    _must(tally.last_end_at == AT + timedelta(minutes=5), tally)
    _must(tally.last_received_at == AT + timedelta(minutes=9), tally)
    _must(tally.last is not None and tally.last.n_in == 5, tally)
    _must(history.tallies()["b"].n_accepted == 1, history.tallies())


def check_one_device_is_read_in_the_order_of_its_windows(history: History) -> None:
    """A device's curve is in the order of time, whatever the order of arrival, and of that device alone."""
    history.accept([_seen(5, 0), _seen(3, 1), _seen(4, 2), _seen(4, 0, "b"), _seen(9, 3)], received_at=AT)
    found = history.device_observations("a", AT + timedelta(minutes=3), AT + timedelta(minutes=5))
    _must([s.sequence for s in found] == [2, 0], found)


def check_what_was_observed_is_handed_over(history: History) -> None:
    """A program beside finds the windows that it asked for, in order, with when each came in."""
    history.accept([_seen(5, 0), _seen(3, 1), _seen(4, 2, "b"), _seen(9, 3)], received_at=AT + HOUR)
    with tempfile.TemporaryDirectory() as folder:
        into = Path(folder) / "observations.parquet"
        n = history.hand_over(AT + 3 * MINUTE, AT + 5 * MINUTE, into)
        rows = pq.read_table(into).to_pylist()
    _must(n == len(rows) == 2, rows)
    _must([(row["device_id"], row["sequence"]) for row in rows] == [("b", 2), ("a", 0)], rows)
    _must({row["received_at"] for row in rows} == {(AT + HOUR).replace(tzinfo=None)}, rows)


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


def _keep_minutes(history: History, minutes: Sequence[int]) -> None:
    for minute in minutes:
        at = AT + timedelta(minutes=minute)
        known = Estimate(at=at, walkable_m2=1.0, occupancy=float(minute), sd=0.5, low=0.0, high=9.5, hidden=True)
        persons = np.array([minute, np.nan, minute + 0.5], np.float32)
        state = b"s%d" % minute
        history.commit_step(Step(at=at, low=0, high=0, occupancy=persons, estimates={"district": known}, state=state))


def _kept(history: History) -> tuple[object, ...]:
    whole = AT - timedelta(days=1), AT + timedelta(days=60)
    times, persons = history.occupancies(*whole)
    some = history.occupancies(*whole, np.array([2, 0]))[1]
    return times, np.nan_to_num(persons, nan=-1).tolist(), some.tolist(), history.estimates("district", *whole)


def check_estimates_and_cells_come_back(history: History) -> None:
    """Every field of an estimate comes back; a window is open at its begin and closed at its end."""
    _keep_minutes(history, [0, 1, 2])
    begin_at, end_at = AT, AT + timedelta(minutes=2)
    times, persons = history.occupancies(begin_at, end_at, np.array([2, 0]))
    _must(times == [AT + timedelta(minutes=k) for k in (1, 2)], times)
    _must(persons.tolist() == [[1.5, 1.0], [2.5, 2.0]], persons)
    _must(bool(np.isnan(history.occupancies(begin_at, end_at)[1][:, 1]).all()), "unknown is not zero")
    found = history.estimates("district", begin_at, end_at)
    asked = Estimate(at=end_at, walkable_m2=1.0, occupancy=2.0, sd=0.5, low=0.0, high=9.5, hidden=True)
    _must(found[1:] == [asked], found)
    _must(history.estimates("nobody", begin_at, end_at) == [], "no estimates of what is not there")
    means = history.estimate_means(["nobody", "district"], AT - timedelta(minutes=2), 3, timedelta(minutes=2))
    _must(bool(np.isfinite(means[0, 1]) and means[1, 1] == np.mean([one.occupancy for one in found])), means)
    _must(bool(np.isnan(means[2]).all() and np.isnan(means[:, 0]).all()), "the mean of nothing is unknown")
    told = Estimate(at=AT + timedelta(minutes=3), walkable_m2=1.0, occupancy=12.0)
    few = Estimate(at=AT + timedelta(minutes=4), walkable_m2=1.0, high=10.0, hidden=True)
    dumb = Estimate(at=AT + timedelta(minutes=5), walkable_m2=1.0, unknown=UnknownReason.STALE)
    for one in (told, few, dumb):
        history.commit_step(Step(at=one.at, low=0, high=0, occupancy=None, estimates={"quay": one}, state=None))
    means = history.estimate_means(["quay"], AT + timedelta(minutes=2), 2, timedelta(minutes=2))
    _must(means[0, 0] == (12.0 + HIDDEN_PERSONS) / 2, "a number that is not told is the middle of what it may be")
    _must(bool(np.isnan(means[1, 0])), "unknown is not few")
    near = history.occupancy_at(end_at + timedelta(minutes=4))
    _must(near is not None and near[0] == end_at and near[1][0] == 2.0, near)
    _must(history.occupancy_at(end_at + timedelta(minutes=6)) is None, "too old is unknown")


def check_quarters_are_the_means_of_their_minutes(history: History) -> None:
    """A quarter holds the minutes from its begin on; what nothing tells of is told where it is the lesser half."""
    cells, share = np.array([2, 0]), np.array([0.5, 1.0])
    for minute in (0, 1, 14, 15, 16, 24 * 60):
        at = AT + timedelta(minutes=minute)
        told = np.array([True, False, minute != 16 and minute < 24 * 60])
        kept = kept_persons(np.array([10.0 + minute, 7.0, 4.0]), told)
        history.commit_step(Step(at=at, low=0, high=0, occupancy=kept, estimates={}, state=None))
    wanted = np.array([17.0, 27.5, np.nan])
    for sealed in (False, True):
        if sealed:
            _must(len(history.seal(AT + timedelta(days=1))) == 1, "the first day is sealed")
            _must(history.seal(AT + timedelta(days=1)) == [], "and only once")
        found = history.occupancy_quarters(cells, share, AT, 3)
        _must(np.allclose(found, wanted, equal_nan=True, atol=0.02), (sealed, found))
        found = history.occupancy_quarters(np.array([1]), np.ones(1), AT, 2)
        _must(bool(np.isnan(found).all()), "what nothing tells of is unknown")
        found = history.occupancy_quarters(np.array([2, 1]), np.ones(2), AT, 2)
        _must(bool(np.isnan(found).all()), "and so is where that is more than half")
        found = history.occupancy_quarters(cells, share, AT + timedelta(days=1), 1)
        _must(np.allclose(found, [10.0 + 24 * 60 + 2.0]), found)
    _must(len(history.occupancy_quarters(np.array([], int), np.array([]), AT, 3)) == 3, "no cells, no people")


def check_sealing_changes_no_answer(history: History) -> None:
    """What was sealed is read as before; a minute made again, even of a sealed day, replaces what was."""
    _keep_minutes(history, [0, 1, 24 * 60, 48 * 60])
    before = _kept(history)
    _must(len(history.seal(AT + timedelta(days=3))) == 3, "closed days are sealed")
    _must(_kept(history) == before, _kept(history))
    _keep_minutes(history, [1, 2])
    _must(_kept(history)[0] == [AT + timedelta(minutes=k) for k in range(3)], _kept(history))


def check_retention_forgets_by_age(history: History) -> None:
    """Old cells go, younger estimates stay, and an observation that may come again is still known."""
    _keep_minutes(history, [0, 1])
    history.accept([_seen(0, 0)], received_at=AT)
    history.retain(AT + timedelta(days=1))
    _must(len(history.occupancies(AT - timedelta(days=1), AT + timedelta(days=1))[0]) == 2, "young cells stay")
    _must(history.accept([_seen(0, 0)], received_at=AT) == [Verdict.DUPLICATE], "it is still known")
    history.seal(AT + timedelta(days=3))
    history.retain(AT + timedelta(days=31, hours=1))
    times, _, _, estimates = _kept(history)
    _must(times == [], times)
    _must(isinstance(estimates, list) and len(estimates) == 2, estimates)
    history.retain(AT + timedelta(days=401))
    _must(_kept(history)[3] == [], "old estimates go")


def check_forgetting_estimates_keeps_observations(history: History) -> None:
    """A district that begins anew has no estimate and no state, and all it was told."""
    history.accept([_seen(0, 0), _seen(1, 1)], received_at=AT)
    _keep_minutes(history, [0, 24 * 60])
    history.seal(AT + timedelta(days=3))
    _must(history.clear_estimates() == 2, "the cursor behind everything")
    _must(_kept(history) == ([], [], [], []), _kept(history))
    _must(history.latest_step() is None and len(history.arrived(0)[0]) == 2, "observations stay")


def _hour(rain_mm: float | None, warmth: float | None = None, issued_at: datetime | None = None) -> WeatherHour:
    return WeatherHour(begin_at=AT, rain_mm=rain_mm, temperature_c=warmth, issued_at=issued_at)


def _weather(history: History, at: datetime) -> tuple[float | None, float | None, int]:
    """Return rain and temperature of the hour as known at a moment, and how many deliveries there are by then."""
    log: WeatherLog = history.weather(AT, AT + HOUR, at)
    rain, warmth = log.known(np.array([AT.timestamp()]), np.array([at.timestamp()]))
    told = [None if np.isnan(one[0]) else float(one[0]) for one in (rain, warmth)]
    return told[0], told[1], len(log)


def check_weather_is_told_as_it_was_known(history: History) -> None:
    """A forecast stands until a newer one; what was measured stands before both; of two deliveries the later."""
    _must(_weather(history, AT) == (None, None, 0), "nothing is unknown")
    for hours_before, rain in ((6, 1.0), (3, 2.0)):
        issued_at = AT - hours_before * HOUR
        history.accept_weather([_hour(rain, 5.0, issued_at)], received_at=issued_at + MINUTE)
    history.accept_weather([_hour(7.0, 5.0, AT - 5 * HOUR)], received_at=AT - 2 * HOUR)  # older than what was known
    history.accept_weather([_hour(0.0)], received_at=AT + HOUR + MINUTE)
    history.accept_weather([_hour(0.5)], received_at=AT + 2 * HOUR)
    asked = {-6: (None, None, 0), -5: (1.0, 5.0, 1), -2: (2.0, 5.0, 3), 1: (2.0, 5.0, 3), 1.5: (0.0, 5.0, 4)}
    for hours, told in (asked | {2: (0.5, 5.0, 5)}).items():
        _must(_weather(history, AT + hours * HOUR) == told, (hours, _weather(history, AT + hours * HOUR)))


def check_weather_told_again_is_kept_once(history: History) -> None:
    """The same again adds nothing; what a delivery leaves out stays; what is read in late counts as known in time."""
    for _ in range(2):
        history.accept_weather([_hour(0.4, 7.0)], received_at=AT + HOUR)
    history.accept_weather([_hour(None, 8.0)], received_at=AT + HOUR)
    _must(_weather(history, AT + HOUR) == (0.4, 8.0, 1), _weather(history, AT + HOUR))
    history.accept_weather([_hour(3.0)], received_at=AT + timedelta(days=9))
    _must(_weather(history, AT + HOUR) == (3.0, 8.0, 1), "a history that is read in replaces what was told")
    history.accept_weather([_hour(6.0, issued_at=AT - HOUR)], received_at=AT + timedelta(days=9))
    _must(_weather(history, AT) == (6.0, None, 1), "and a forecast that is read in was known when it was made")


def check_old_weather_is_forgotten(history: History) -> None:
    """It is kept as long as estimates are, from which trees learn beside it."""
    history.accept_weather([_hour(0.4), _hour(0.2, issued_at=AT - HOUR)], received_at=AT + HOUR)
    history.retain(AT + timedelta(days=399))
    _must(_weather(history, AT + HOUR)[2] == 2, "it stays for 400 days")
    history.retain(AT + timedelta(days=401))
    _must(_weather(history, AT + HOUR)[2] == 0, "and goes then")


HISTORY_CHECKS: tuple[Callable[[History], None], ...] = (
    check_a_resend_is_kept_once,
    check_order_and_lateness_are_told,
    check_every_form_comes_back,
    check_cursors_page_through_arrivals,
    check_refusals_are_counted,
    check_tallies_add_up,
    check_one_device_is_read_in_the_order_of_its_windows,
    check_what_was_observed_is_handed_over,
    check_a_step_is_kept_whole_and_replaced,
    check_estimates_and_cells_come_back,
    check_quarters_are_the_means_of_their_minutes,
    check_sealing_changes_no_answer,
    check_retention_forgets_by_age,
    check_forgetting_estimates_keeps_observations,
    check_weather_is_told_as_it_was_known,
    check_weather_told_again_is_kept_once,
    check_old_weather_is_forgotten,
)
