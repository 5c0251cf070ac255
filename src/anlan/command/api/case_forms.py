"""What the routes of cases answer and take."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import Field

from anlan.command.api.forms import FaultInChinese, Form, Moment, Text

Light = Literal["red", "yellow", "green", "none"]
Digests = Annotated[dict[str, str], Field(description="Kind of evidence to the digest of a file that was sent.")]


class Brief(Form):
    """A case in a list. ``light`` is computed: none where no clock runs or rests."""

    id: str
    type: str = Field(examples=["resident_request"])
    version: int
    label: Text
    state: str = Field(examples=["in_work"])
    state_label: Text
    closed: bool
    light: Light
    area: str = Field(description="The finest area that it lies in.")
    owner_level: str
    owner_area: str
    post: str = Field(description="The duty that the routing gave it to; empty where none.")
    opened_at: Moment
    changed_at: Moment
    due_at: Moment | None
    n_changes: int
    forgotten: bool
    lon: float | None = Field(description="Degrees; null where an area was given, or none is kept.")
    lat: float | None
    fields: dict[str, Any] = Field(description="What the asker may read; empty in lists of narrow types.")


class Cases(Form):
    """A page of a list; ``next`` is the ``after`` of the one behind it."""

    at: Moment
    cases: list[Brief]
    next: str | None


class Filter(Form):
    """What a list is to hold; what is not given is not asked for."""

    type: list[str] = Field(default=[], description="Any of these types.")
    state: list[str] = Field(default=[], description="Any of these states.")
    closed: bool | None = None
    area: str | None = Field(default=None, description="Lies in this area or below.")
    owner: str | None = Field(default=None, description="Is owned by this area.")
    post: str | None = Field(default=None, description="Was given to this duty.")
    light: Light | None = None
    due_before: str | None = Field(default=None, description="ISO 8601 with offset.")
    due_from: str | None = Field(default=None, description="ISO 8601 with offset.")
    near: str | None = Field(default=None, description="Lies near this point.", examples=["121.4920,31.2270"])
    within_m: float = Field(default=50, gt=0, le=2000, description="How far north, east, south and west of it.")
    parent: str | None = Field(default=None, description="Is a part of this case.")
    mine: bool = Field(default=False, description="A step of it waits for one of the asker's roles.")
    q: str = Field(default="", max_length=200, description="Words, Chinese or not, in what the asker may read.")


class PageFilter(Filter):
    """A filter, and which page of what it leaves."""

    order: Literal["changed", "opened", "due"] = "changed"
    after: str = Field(default="", max_length=40, description="The next of the page before.")
    limit: int = Field(default=50, ge=1, le=200)


class ExportFilter(Filter):
    """A filter, and whether the sheet is for people."""

    lang: Literal["zh", "en"] | None = Field(
        default=None, description="Headings and values in words, codes beside them; ids alone where it is left out."
    )


class AgendaFilter(Filter):
    """A filter, and the days of a calendar, in the district's time zone."""

    first: date
    last: date


class Clock(Form):
    """A time limit as it stands."""

    id: str
    label: Text
    phase: Literal["not_started", "running", "resting", "stopped"]
    light: Literal["red", "yellow", "green"]
    elapsed_s: float
    limit_s: float
    due_at: Moment | None
    provisional_years: list[int] = Field(description="Years of which no calendar is confirmed: the date may move.")


class Step(Form):
    """A step that the asker's roles allow from here, and what it takes."""

    id: str
    label: Text
    to: str
    fills: list[str]
    needs: list[str]
    anew: list[str] = Field(description="Fields that must be told with this very step.")
    evidence: list[str]
    note: bool
    because: Text | None = Field(description="The condition it is bound to.")


class OthersStep(Form):
    """A step from here that the asker may not take: whose it is."""

    id: str
    label: Text
    roles: list[Text]
    apart_from: list[str] = Field(description="Whoever, or whichever unit, took one of these steps may not take it.")


class Linked(Form):
    """Another case that this one has to do with, as far as the asker may see it."""

    id: str
    type: str
    state: str
    closed: bool


class Told(Form):
    """What a clock told: a warning (share below 1), a breach (1), or a climb beyond it."""

    clock: str
    at: Moment
    share: float
    to: Literal["owner", "up", "top"]
    area: str
    letter: bool


class CaseFile(Form):
    """A file that came with a case; its kind stands in the history."""

    digest: str
    media_type: str
    n_bytes: int


class Case(Brief):
    """A case as the asker may see it. ``etag`` of a step is ``n_changes``."""

    field_labels: dict[str, Text]
    clocks: list[Clock]
    steps: list[Step]
    others: list[OthersStep]
    parent: str | None
    children: list[Linked]
    waits_for: list[Linked]
    told: list[Told]
    files: list[CaseFile]


class Line(Form):
    """One line of a case's history; fields that the asker may not read are left out."""

    step: str
    source: str
    target: str
    at: Moment
    actor: str
    unit: str
    unit_name: Text | None = Field(description="Of the office, or key, through which the step was taken.")
    roles: list[Text] = Field(description="The roles that may take this step: one of them was held.")
    filled: dict[str, Any]
    evidence: dict[str, str]
    note: str
    owner_level: str


class History(Form):
    """Every step, oldest first."""

    id: str
    history: list[Line]


class NewCase(Form):
    """A case to open: its type, where it is (a point in degrees, or an area), and what is told."""

    type: str
    lon: float | None = Field(default=None, ge=-180, le=180)
    lat: float | None = Field(default=None, ge=-90, le=90)
    area: str | None = None
    filled: dict[str, Any] = Field(default_factory=dict)
    evidence: Digests = Field(default_factory=dict)
    note: str = Field(default="", max_length=4000)
    parent: str | None = Field(default=None, description="The case of which it is a part.")
    like: str | None = Field(default=None, description="A case of the same type whose plan it begins with.")


class NewStep(Form):
    """A step to take. ``seen`` is the ``n_changes`` that was read: refused where somebody was faster."""

    step: str
    filled: dict[str, Any] = Field(default_factory=dict)
    evidence: Digests = Field(default_factory=dict)
    note: str = Field(default="", max_length=4000)
    seen: int | None = None


class Taken(Form):
    """What became of an opening or a step."""

    id: str
    type: str
    state: str
    n_changes: int
    area: str


class CaseCount(Form):
    """How many cases of a type stand in a state under a light."""

    type: str
    state: str
    light: Light
    n_cases: int


class Counts(Form):
    """A board in numbers."""

    at: Moment
    counts: list[CaseCount]


class StoredFile(Form):
    """A file that waits for a case to take it, for a day."""

    digest: str = Field(description="SHA-256 of what is stored: of a picture, without what the camera wrote beside it.")


class Rule(Form):
    """A routing rule that was looked at, and why it did not decide."""

    id: str
    level: str | None
    post: str
    areas: list[str]
    when: str | None
    because: Text
    ruled_in: str | None = Field(description="The case whose joint ruling it comes from.")
    missed: str = Field(description="Empty where it decided.")


class Route(Form):
    """Where a case would go, and why."""

    areas: dict[str, str]
    owner_level: str
    owner_area: str
    post: str
    because: Text
    rules: list[Rule]


class CaseTold(Told):
    """What a clock told of a case."""

    case: str
    type: str
    state: str


class CasesTold(Form):
    """What clocks told, newest first."""

    at: Moment
    told: list[CaseTold]


class FieldForm(Form):
    """One field of a type."""

    id: str
    label: Text
    kind: Literal["text", "number", "integer", "boolean", "choice", "date", "moment", "table"]
    required: bool
    options: dict[str, Text]
    least: float | None = Field(description="Of a number; of a table, how many rows at least.")
    most: float | None
    columns: list[FieldForm] = Field(description="Of a table.")
    because: Text | None = Field(description="What holds of each row of a table.")
    refers: Literal["ground", "device"] | None = Field(description="What the text is the id of; see /cases/references.")
    counted: bool = Field(description="Left empty, it is counted by the district, where it can.")
    after: list[str] = Field(description="A moment is later than those of these fields, a date not before theirs.")


class GateForm(Form):
    """A step that waits for a case of another type in one of these states."""

    step: str
    type: str
    states: list[str]


class KindForm(Form):
    """A type under which the asker may open cases, or see them."""

    id: str
    version: int
    label: Text
    purpose: Text
    confidentiality: Literal["public", "internal", "restricted", "sealed"]
    entry_level: str
    may_open: bool
    fields: list[FieldForm]
    states: dict[str, Text]
    evidence: dict[str, Text]
    closed: list[str] = Field(description="States that end a case.")
    opening: list[str] = Field(description="Fields that may be told when a case is opened.")
    steps: dict[str, Text]
    clocks: dict[str, Text]
    children: list[str] = Field(description="Types that its parts may have.")
    carried: list[str] = Field(description="Fields that a case hands on to the next that is opened like it.")
    handed_on: dict[str, str] = Field(
        description="Every field that the next one begins with, and of which field of the old one it is made."
    )
    runs: bool = Field(description="Whether a case of it has a plan with triggers that run.")
    gates: list[GateForm]


class Kinds(Form):
    """The types in force."""

    types: list[KindForm]


class AgendaDay(Form):
    """A day in the district's time zone, and how many cases are due on it, by light."""

    on: str = Field(examples=["2026-12-31"])
    working: bool
    name: Text | None = Field(description="Of the holiday, or of the make-up day.")
    confirmed: bool = Field(description="Whether the calendar of its year is; else it is guessed from weekdays.")
    n_due: dict[str, int]
    due: list[Brief] = Field(description="The first of them.")


class Dated(Form):
    """A date with which a case was opened: a class is held, an event begins."""

    case: Brief
    field: str
    label: Text
    on: str
    at: Moment | None


class Agenda(Form):
    """A calendar."""

    at: Moment
    days: list[AgendaDay]
    dated: list[Dated]
    whole: bool = Field(description="False where more cases hold dates than were looked through.")


class Destroyed(Form):
    """That a case was forgotten: what kinds of things went, and nothing of what they said."""

    case: str
    type: str
    destroyed_at: Moment
    fields: list[str]
    n_notes: int
    n_files: int
    basis: str


class Destructions(Form):
    """The newest records of what was destroyed."""

    destructions: list[Destroyed]


class Import(Form):
    """What the rows of a sheet are to become."""

    type: str
    file: str = Field(max_length=200, description="The sheet's name, which ends in .csv or .xlsx.")
    parent: str | None = Field(default=None, description="The case of which they are parts.")
    dry_run: bool = Field(default=False, description="Only read it, and tell what is wrong.")


class RowFault(Form):
    """What is wrong with a cell or row; the headings are row 1."""

    row: int
    column: str
    value: str
    rule: str
    next_step: str
    zh: FaultInChinese


class Imported(Form):
    """How many cases a sheet holds, every fault in it, and what was opened: all of them or none."""

    n_cases: int
    faults: list[RowFault]
    opened: list[str]


class Migrate(Form):
    """Which running cases are to go over to which version."""

    type: str
    to: int = Field(ge=1)
    dry_run: bool = False


class Misfit(Form):
    """What of a case does not fit the other version."""

    case: str
    where: str
    value: str
    rule: str
    next_step: str
    zh: FaultInChinese


class Moved(Form):
    """How many running cases are of other versions, what does not fit, and how many were moved: all or none."""

    to: int
    n_cases: int
    misfits: list[Misfit]
    n_moved: int


class OfferedPaper(Form):
    """A paper of a case."""

    id: str
    label: Text
    missed: str = Field(description="Why it is not given where the case stands; empty where it is.")


class Papers(Form):
    """The papers of a case."""

    papers: list[OfferedPaper]


class PaperForm(Form):
    """In which form and language a paper is wanted."""

    form: Literal["pdf", "docx"] = "pdf"
    lang: Literal["zh", "en"] = "zh"


class PaperAsked(PaperForm):
    """How a paper of a case is wanted."""

    reason: str = Field(default="", max_length=1000, description="What a letter asks, in words of one's own.")


class PublicKey(Form):
    """A public key (Ed25519), 64 hexadecimal digits."""

    key: str


class Verified(Form):
    """What a code on paper says, and whether the case that it is of stands as it did; null where that has gone."""

    verified: bool
    told: dict[str, str]
    stands: bool | None
