import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.cases.conftest import LIBRARY, SHIPPED
from tests.test_house import PERSONAL

from anlan.cases import diagram, lint_type, read_type, replay, shipped_types
from anlan.cases.library import shipped_text
from anlan.kernel.errors import BadInput


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_type_has_no_fault(path):
    assert lint_type(path.read_text(), path.name) == []


@pytest.mark.parametrize("kind", list(shipped_types()), ids=lambda kind: kind.type_id)
def test_its_example_goes_as_written_and_ends(kind):
    told = replay(kind)
    assert kind.states[told[-1].case.state].closed
    assert any(one.refusal for one in told)


@pytest.mark.parametrize("kind", list(shipped_types()), ids=lambda kind: kind.type_id)
def test_it_has_no_room_for_a_person(kind):
    assert [name for name in (*kind.fields, *kind.evidence) if PERSONAL.search(name)] == []


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("kind", list(shipped_types()), ids=lambda kind: kind.type_id)
def test_its_picture_shows_every_state_and_step(kind, language):
    drawn = diagram(kind, language)
    assert all(one.label[language] in drawn for one in (*kind.states.values(), *kind.transitions.values()))
    assert drawn.count("-->") == 1 + sum(len(one.sources) for one in kind.transitions.values()) + sum(
        one.closed for one in kind.states.values()
    )


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('to = "closed"', 'to = "nowhere"', "'nowhere' is no state"),
        ("source == 'device'", "cost == 1", "asks for the field 'cost', which there is not"),
        ("source == 'device'", "source == 'rumour'", "must be an option of source"),
        ("source == 'device'", "source == 1", "must not compare a text with a number"),
        ("source == 'device'", "source", "must be true or false, and is a text"),
        ("times(secure)", "times(rescue)", "asks times(rescue), which there is not"),
        ("source == 'device'", "source ==", "must go on after"),
        ("closed = true", "closed = false", "could never end"),
        ('limit = "2 hours"', 'limit = "soon"', "must be a length of time"),
        ('roles = ["works"]', 'roles = ["builder"]', "'builder' is no role"),
        ("note = true", "notes = true", "'notes' is nothing that belongs here"),
        ('needs = ["danger", "measure"]', 'needs = ["danger", "cost"]', "'cost' is no field"),
        ('evidence = ["photo_after"]', 'evidence = ["video"]', "'video' is no evidence"),
        ("[fields.what]", "[fields.owner_phone]", "must not be a field in which an identity would fit"),
        ('zh = "情况", en = "what was found"', 'en = "what was found"', "must say something in zh and in en"),
        ('keeps = ["kind", ', 'keeps = ["what", ', "must not be free text"),
        ('starts = ["found"]', 'starts = ["secured"]', "only one of these"),
        ('confidentiality = "internal"', 'confidentiality = "secret"', "must be one of public, internal"),
        ("version = 1", "version = 0", "must be >= 1"),
        ('id = "hazard"', "id = hazard", "must be TOML"),
        ('opens = "found"', 'opens = "repaired"', "cannot be reached"),
    ],
)
def test_a_type_that_cannot_run_is_refused_with_the_reason(hazard_text, old, new, said):
    assert old in hazard_text
    with pytest.raises(BadInput) as refused:
        read_type(hazard_text.replace(old, new))
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('refers = "ground"', 'refers = "person"', "must be one of ground, device"),
        (', refers = "ground"', "", "must have a required column ground that is to refer to a ground"),
        ('devices = "devices"', 'devices = "staffing"', "must have a required column device"),
        ('states = ["running"]', 'states = ["held"]', "'held' is no state"),
        ('of = "most_present"', 'of = "most_present", days = 3', "must stand alone"),
        ('of = "triggered"', 'of = "incidents"', "must be one of the two"),
        ('of = "triggered"', 'of = "incidents", days = 90, before = "list"', "'list' is no step"),
        ('of = "triggered"', 'of = "incidents", days = 9000, before = "open"', "must be 1..3660 days"),
        ('of = "triggered"', 'of = "incidents", days = 9, before = "open", by = "kind", kinds = { flood = ["other"] }',
         "'flood' is no option of kind"),
        ('organised = { kind = "boolean",', 'organised = { kind = "boolean", after = ["title"],', "must be of a date"),
        ('after = ["begins_at"]', 'after = ["apply_by"]', "'apply_by' is no other moment of this type"),
        ('after = ["begins_at"]', 'after = ["ends_at"]', "'ends_at' is no other moment of this type"),
        ('organised = { kind = "boolean",', 'organised = { kind = "boolean", refers = "device",', "must be of a text"),
        ('organised = { kind = "boolean",', 'organised = { kind = "boolean", counted = { of = "triggered" },',
         "must be of a whole number"),
    ],
)  # fmt: skip
def test_a_plan_that_could_not_run_is_refused_with_the_reason(old, new, said):
    text = shipped_text("planned_event")
    assert old in text
    with pytest.raises(BadInput) as refused:
        read_type(text.replace(old, new, 1))
    assert said in str(refused.value)


def test_all_faults_are_told_at_once(hazard_text):
    broken = hazard_text.replace('to = "closed"', 'to = "nowhere"').replace("source == 'device'", "cost == 1")
    rules = " ".join(str(one) for one in lint_type(broken))
    assert "'nowhere' is no state" in rules
    assert "'cost', which there is not" in rules


def test_an_example_that_goes_otherwise_is_told(hazard_text):
    with pytest.raises(BadInput, match=r"example 1 \(open\) of hazard"):
        replay(read_type(hazard_text.replace('state = "found"', 'state = "secured"')))


JUNK = st.sampled_from(
    ["1", "-3.5", '""', '"x"', "true", "[]", "[1]", "[[1]]", "{}", "{ a = 1 }", "[{}]", "2026-01-01"]
)
LINES = [k for k, line in enumerate((LIBRARY / "hazard.toml").read_text().splitlines()) if " = " in line]


@settings(max_examples=300)
@given(at=st.sampled_from(LINES), junk=JUNK, drop=st.booleans())
def test_whatever_a_line_says_the_file_is_read_or_refused_in_our_words(at, junk, drop):
    lines = (LIBRARY / "hazard.toml").read_text().splitlines()
    lines[at] = "" if drop else lines[at].split(" = ")[0] + " = " + junk
    with contextlib.suppress(BadInput):
        replay(read_type("\n".join(lines)))


def test_a_district_with_other_levels_has_types_too(hazard_text):
    text = hazard_text.replace('"micro_grid"', '"block"').replace('"grid"', '"ward"').replace('"committee"', '"ward"')
    assert replay(read_type(text))[-1].case.areas == {"district": "district-1", "ward": "ward-1", "block": "block-1"}


def test_an_example_at_a_level_that_is_not_there_is_refused(hazard_text):
    with pytest.raises(BadInput, match="'county'"):
        replay(read_type(hazard_text.replace('"grid"\nstate', '"county"\nstate')))


def own_type():
    return (LIBRARY / "resident_request.toml").read_text()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('role = "reporter"\nby', 'role = "handler"\nby', "'handler' is no role that opens it"),
        ('by = "kind"', 'by = "reason"', "must be a choice that is public and required"),
        ('words = "what"', 'words = "answer"', "'answer' is no field told at the opening"),
        ('words = "what"', 'words = "noise_from"', "must be a text"),
        ('asks = ["n_lamps"]', 'asks = ["where"]', "'where' is no public field told at the opening"),
        ('needs = ["road_fault"]', 'needs = ["n_lamps"]', "'n_lamps' is no field that it asks"),
        ('photo = "photo_reported"', 'photo = "video"', "'video' is no evidence"),
        ('notes = ["ask"]', 'notes = ["tell"]', "'tell' is no step"),
        ("[public.services.light]", "[public.services.lamp]", "'lamp' is no option of kind"),
        ('page = "web"', 'page = "net"', "'net' is no option"),
        ("near_m = 50", "near = 50", "'near' is nothing that belongs here"),
    ],
)
def test_a_public_side_that_could_not_take_a_report_is_refused(old, new, said):
    text = own_type()
    assert old in text
    assert said in "\n".join(map(str, lint_type(text.replace(old, new, 1))))


def test_a_required_field_that_no_report_tells_is_refused():
    text = own_type().replace(
        'where = { kind = "text", ', 'where = { kind = "text", required = true, public = true, ', 1
    )
    text = text.replace('where = "where"\n', "", 1)
    assert "where is required, so reports must be asked for it" in "\n".join(map(str, lint_type(text)))


@pytest.mark.parametrize("word", ["restricted", "sealed"])
def test_a_closed_circle_has_no_public_side(word):
    text = own_type().replace('confidentiality = "internal"', f'confidentiality = "{word}"\nreaders = ["desk"]')
    assert "must not be of a type of a closed circle" in "\n".join(map(str, lint_type(text)))
