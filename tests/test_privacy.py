"""No schema and no payload has a field in which an identity would fit."""

import re
from dataclasses import fields, is_dataclass

import msgspec
import pytest
from tests.small import small_pack
from tests.test_house import PERSONAL

import anlan.cases.definition
import anlan.cases.forgetting
import anlan.cases.machine
import anlan.cases.migration
import anlan.cases.paperwork
import anlan.cases.sheets
import anlan.cases.triggers
import anlan.community.callouts
import anlan.community.lists
import anlan.community.points
import anlan.community.shifts
import anlan.community.volunteer
import anlan.indicators
import anlan.kernel.answers
import anlan.kernel.entries
import anlan.kernel.ingress
import anlan.kernel.records
import anlan.kernel.response
import anlan.matters.agenda
import anlan.matters.keeping
import anlan.matters.listing
import anlan.matters.public
import anlan.matters.routing
import anlan.matters.standing
import anlan.papers
import anlan.rehearsal.crowd
import anlan.rehearsal.rehearsing
import anlan.response.demand
import anlan.response.rota.answer
import anlan.response.rota.problem
import anlan.underway.counts
import anlan.underway.rehearsing
import anlan.underway.running
import anlan.underway.staffing
import anlan.volunteers.calling
import anlan.volunteers.hall
import anlan.volunteers.joining
import anlan.volunteers.rostering
import anlan.volunteers.sending
from anlan.command import create_app
from anlan.district import District
from anlan.ingest.wire import Sent, Values
from anlan.store import casebook, columns, private, sql, volunteerbook

ALLOWED = {"n_persons", "persons", "n_passed", "number"}


def words(name):
    """One name as the rule reads it: camelCase as snake_case."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def offending(names):
    return sorted(name for name in names if PERSONAL.search(words(name)) and name not in ALLOWED)


def test_no_record_has_room_for_an_identity():
    modules = (
        anlan.kernel.records,
        anlan.kernel.response,
        anlan.kernel.ingress,
        anlan.kernel.answers,
        anlan.cases.definition,
        anlan.cases.machine,
        anlan.cases.forgetting,
        anlan.cases.migration,
        anlan.cases.paperwork,
        anlan.cases.sheets,
        anlan.cases.triggers,
        anlan.indicators,
        anlan.kernel.entries,
        anlan.papers,
        anlan.rehearsal.crowd,
        anlan.rehearsal.rehearsing,
        anlan.underway.counts,
        anlan.underway.rehearsing,
        anlan.underway.running,
        anlan.underway.staffing,
        anlan.response.demand,
        anlan.response.rota.answer,
        anlan.response.rota.problem,
        anlan.matters.agenda,
        anlan.matters.keeping,
        anlan.matters.listing,
        anlan.matters.public,
        anlan.matters.routing,
        anlan.matters.standing,
        anlan.community.callouts,
        anlan.community.lists,
        anlan.community.points,
        anlan.community.shifts,
        anlan.community.volunteer,
        anlan.volunteers.calling,
        anlan.volunteers.hall,
        anlan.volunteers.joining,
        anlan.volunteers.rostering,
        anlan.volunteers.sending,
    )
    records = [thing for module in modules for thing in vars(module).values() if is_dataclass(thing)]
    assert len(records) > 15
    assert offending({f.name for record in records for f in fields(record)}) == []


def test_the_wire_form_has_exactly_the_fields_of_a_count():
    assert {f.encode_name for f in msgspec.structs.fields(Sent)} == {
        "device",
        "begin_at",
        "end_at",
        "sequence",
        "values",
    }
    assert {f.encode_name for f in msgspec.structs.fields(Values)} == {"in", "out", "passed", "present", "counts"}


@pytest.fixture(scope="module")
def district(tmp_path_factory):
    opened = District.open(small_pack(), tmp_path_factory.mktemp("privacy"))
    yield opened
    opened.close()


def test_no_table_has_room_for_an_identity():
    history = re.findall(r"(\w+) (?:BIGINT|VARCHAR|TIMESTAMP|INTEGER|FLOAT|DOUBLE|BLOB|BOOLEAN)", columns.SCHEMA)
    assert len(history) > 30
    tables = [*sql._schema.tables.values(), *private.schema.tables.values(), *casebook.schema.tables.values()]
    tables += volunteerbook.schema.tables.values()
    records = [column.name for table in tables for column in table.columns]
    assert len(records) > 50
    assert offending([*history, *records]) == []


def property_names(schema):
    if isinstance(schema, dict):
        for key, value in schema.items():
            if key == "properties" and isinstance(value, dict):
                yield from value
            yield from property_names(value)
    elif isinstance(schema, list):
        for part in schema:
            yield from property_names(part)


def test_no_payload_of_the_api_has_room_for_an_identity(district):
    described = create_app(district).openapi()
    names = set(property_names(described)) | {
        parameter["name"]
        for path in described["paths"].values()
        for verb in path.values()
        for parameter in verb.get("parameters", [])
    }
    assert len(names) > 40
    assert offending(names) == []


@pytest.mark.parametrize("name", ["plate", "deviceMac", "trackId", "face_embedding", "ownerPhone"])
def test_the_rule_finds_what_it_is_for(name):
    assert offending([name]) == [name]
