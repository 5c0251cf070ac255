"""A district with cases for tests of what goes over HTTP: staff of any role, and secrets to look for."""

import json
from contextlib import contextmanager
from datetime import UTC, datetime

from tests.command.conftest import served
from tests.command.test_staff import House
from tests.matters.conftest import LONG_AGO, PLAYED, picture, tall_pack
from tests.matters.test_keeping import words_of

from anlan.cases.definition import Confidentiality, FieldKind
from anlan.kernel.access import Actor, Grant
from anlan.kernel.records import Draft
from anlan.matters import NewCase, standing
from anlan.matters.words import numbers_of
from anlan.staff import NewOffice, read_roles
from anlan.store import Keeping, casebook
from anlan.store.records import canonical

ROLES = {role.role_id: role for role in read_roles()}
READING = sorted(name for name, role in ROLES.items() if "cases.read" in role.rights)
SIDES = {"d-w": "d-w-s-w-s", "d-e": "d-e-n-e-n"}
NARROW = {Confidentiality.RESTRICTED, Confidentiality.SEALED}


class CaseHouse(House):
    """The tall district with staff, and a case of each type in each of its two streets."""

    def __init__(self, folder, pack=None):
        super().__init__(folder, pack or tall_pack())
        self.matters = self.district.matters
        self.clock = self.district.clock
        every = self.matters.kinds.rights() | {"cases.read", "cases.act"}
        grant = Grant(role_id="", area_id="d", from_at=LONG_AGO)
        self.anybody = standing(
            self.staff.access, Actor(actor_id="maker", grants=(grant,), rights=frozenset(every)), datetime.now(UTC)
        )

    def give(self, account_id, role_id, area_id):
        """Give an account another office."""
        now = datetime.now(UTC)
        office = NewOffice(name={"en": role_id}, role_ids=(role_id,), area_id=area_id)
        self.staff.appoint(self.staff.make_office(office, "test", now).office_id, account_id, "test", now)

    def whisper(self, case_id, private):
        """Let a case hold what later steps would fill in, for the readers of these fields alone."""
        with self.district.store.writing() as connection:
            row = casebook.row_of(connection, case_id)
            (line,) = casebook.steps_of(connection, [row["case_no"]])[row["case_no"]]
            told = canonical(json.loads(line["filled"]) | private)
            casebook.rewrite_steps(connection, row["case_no"], [line | {"filled": told}])
            casebook.add_words(connection, row["case_no"], numbers_of(private.values()))

    def run(self, case_id, action):
        """Let an event have a plan whose trigger fired, and a rehearsal, each saying a secret."""
        row = {"zone": "A", "measure": "occupancy", "above": 5, "for_min": 1, "action": action, "office": "gate"}
        ground = {"zone": "A", "ground": "place:quay", "capacity": 9, "area_m2": 9, "most_per_m2": 4}
        with self.district.store.writing() as connection:
            number = casebook.row_of(connection, case_id)["case_no"]
            (line,) = casebook.steps_of(connection, [number])[number]
            told = canonical(json.loads(line["filled"]) | {"zones": [ground], "triggers": [row]})
            casebook.rewrite_steps(connection, number, [line | {"filled": told}])
        at = self.clock.now().isoformat()
        body = {"case": case_id, "row": 1, "measure": "occupancy", "above": 5, "since_at": at, "at": at, "highest": 9,
                "ended_at": None}  # fmt: skip
        fired = Draft(
            kind="trigger", record_id=f"f-{case_id}", action="fire", actor="t", body=body, expected_version=None
        )
        made = self.district.underway._apply([fired], self.clock.now())
        whole = {**dict.fromkeys(("scenario", "begin_at", "end_at", "begins_at", "ends_at"), at), "clearance": None,
                 "share": 1.0, "crowd": 1.0, "day": {"zh": "日", "en": "d"},
                 "n_expected": 9, "cut": False, "minutes": [at], "zones": []}  # fmt: skip
        fires = {"zone": "A", "measure": "occupancy", "above": 5, "for_s": 60, "highest": 9, "fired": [], "row": 1}
        whole["triggers"] = [fires | {"action": action, "office": "gate"}]
        wish = {"scenario": "", "share": 1.0, "crowd": 1.0, "seed": 1}
        kept = {"case": case_id, "made_at": at, "actor": "t", "wish": wish, "told": whole}
        self.district.store.keep([Keeping(kind="rehearsal", key=f"{case_id}-r", body=kept)])
        return made

    def fill(self):
        """Open the cases; remember where each lies, its type, and each secret with the field it stands in."""
        self.cases = {}
        self.narrow_names = {name for kind in PLAYED for name, one in kind.fields.items() if one.readers or one.own}
        for side, home in SIDES.items():
            for kind in PLAYED:
                secrets = {"note": f"note-{side}-{kind.type_id}"}
                filled = {}
                for name, one in kind.fields.items():
                    if one.kind is FieldKind.TEXT:
                        filled[name] = secrets[name] = f"{name}-{side}-{kind.type_id}"
                    elif one.required:
                        filled[name] = words_of(kind, one)
                files = {}
                if kind.evidence:
                    files[min(kind.evidence)] = self.matters.room.put(picture(f"{side} {kind.type_id}"), "maker")
                area_id = list(self.matters.ground.lies(home).values())
                new = NewCase(
                    type_id=kind.type_id, filled=filled, evidence=files, note=secrets["note"],
                    area_id=home if kind.entry_level != "district" else area_id[0],
                )  # fmt: skip
                later = [name for name in filled if name not in kind.told_at_opening]
                private = {name: filled.pop(name) for name in later}
                made = self.matters.open(new, self.anybody)
                self.whisper(made.case_id, private)
                if kind.live is not None:
                    secrets["triggers"] = f"action-{side}-{kind.type_id}"
                    self.run(made.case_id, secrets["triggers"])
                self.cases[made.case_id] = (side, kind, secrets, files, made.area_id)


@contextmanager
def opened(folder, pack=None):
    """Serve such a district, and let go of it afterwards."""
    made = CaseHouse(folder, pack)
    with served(made.app) as made.url:
        yield made
    made.district.close()
