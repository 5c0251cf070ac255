"""A case moves to another version of its type, or every reason why not is told."""

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.cases.walking import BEGIN, someone

from anlan.cases import Action, advance, applied, read_clocks, read_type, replay, shipped_types
from anlan.cases.library import shipped_text
from anlan.cases.migration import migrate, migrated
from anlan.kernel.errors import BadInput, Conflict

OLD = shipped_types().get("hazard")


def newer(*pairs):
    text = shipped_text("hazard").replace("version = 1", "version = 2")
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    return read_type(text[: text.index("[[example]]")])


def running():
    return next(told.case for told in replay(OLD) if told.case.state == "in_repair")


def test_what_fits_goes_over_and_says_so_in_its_history():
    case, new = running(), newer(('limit = "5 working days"', 'limit = "3 working days"'))
    assert migrated(case, OLD, new).misfits == ()
    moved, change = migrate(case, OLD, new, someone("chief", "desk"), case.history[-1].at)
    assert (moved.version, moved.state, moved.values) == (2, case.state, case.values)
    assert (change.transition, change.note, moved.history[:-1]) == ("migrate", "version 1 -> 2", case.history)
    with pytest.raises(Conflict, match="cannot run as hazard version 1"):
        advance(OLD, moved, Action(transition="repair"), someone("w", "works"), at=change.at)


def test_its_clocks_run_on_under_the_new_limit_as_if_nothing_had_happened(work):
    case, new = running(), newer(('limit = "5 working days"', 'limit = "3 working days"'))
    at = case.history[-1].at + timedelta(days=1)
    moved, _ = migrate(case, OLD, new, someone("chief", "desk"), at)
    before, after = (read_clocks(kind, one, work, at)[1] for kind, one in ((OLD, case), (new, moved)))
    assert after.elapsed == before.elapsed
    assert after.limit == before.limit * 0.6
    photo = Action(transition="repair", evidence={"photo_after": "c" * 64})
    assert applied(moved, advance(new, moved, photo, someone("w", "works"), at=at)).state == "repaired"


@pytest.mark.parametrize(
    ("pair", "said"),
    [
        (("[fields.measure]", "[fields.cover]"), "field 'measure' must be a field of the new version"),
        (('at_once = { zh = "立即", en = "at once" }, ', ""), "danger='at_once' must be one of soon, planned"),
        (("photo_before", "picture"), "evidence 'photo_before' must be known to the new version"),
        (("secured", "fenced"), "state 'secured' must be a state of the new version"),
        (("[transitions.secure]", "[transitions.fence]"), "step 'secure' must be a step of the new version"),
        (
            ('kind = "text"\nlabel = { zh = "设备', 'kind = "text"\nrequired = true\nlabel = { zh = "设备'),
            "field 'alert' is required",
        ),
    ],
)
def test_what_does_not_fit_is_told_and_stays(pair, said):
    extra = {
        "[fields.measure]": [('"danger", "measure"]', '"danger", "cover"]')],
        "at_once": [("danger != 'at_once'", "danger != 'soon'")],
        "[transitions.secure]": [
            ("times(secure)", "times(fence)"), ('other_than = ["secure"]', 'other_than = ["fence"]'),
        ],
    }  # fmt: skip
    more = next((pairs for key, pairs in extra.items() if pair[0].startswith(key)), [])
    case, new = running(), newer(pair, *more)
    assert said in " ".join(f"{one.value} {one.rule}" for one in migrated(case, OLD, new).misfits)
    with pytest.raises(Conflict, match="does not fit version 2"):
        migrate(case, OLD, new, someone("chief", "desk"), BEGIN + timedelta(days=9))


def test_what_has_ended_stays_with_its_version():
    case = replay(OLD)[-1].case
    assert [one.where for one in migrated(case, OLD, newer()).misfits] == ["state"]
    with pytest.raises(BadInput, match="another version of the same type"):
        migrated(case, OLD, shipped_types().get("decision"))
    same = migrated(running(), OLD, OLD)
    assert [one.where for one in same.misfits] == ["version"]


def test_many_are_asked_at_once_and_only_the_misfits_are_listed():
    new = newer(('at_once = { zh = "立即", en = "at once" }, ', ""), ("danger != 'at_once'", "danger != 'soon'"))
    found = [migrated(replace(told.case, case_id=f"c-{k}"), OLD, new) for k, told in enumerate(replay(OLD))]
    assert [one.case_id for one in found if not one.misfits] == ["c-0", "c-1", "c-2"]
