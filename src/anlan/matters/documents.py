"""Papers of a case that is kept: which it gives where it stands, and each of them made from what its asker may read.

Nothing of a paper is kept but a line of the log, that it was issued: it can be made again for as long as the case is
there, and goes with it.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from anlan.cases import Case, CaseType, Firing, firings, public_fields
from anlan.cases.definition import FieldKind, Refers
from anlan.cases.paperwork import Sender, bulletin_words, case_words, letter_words, paper_of
from anlan.kernel.errors import BadInput, Conflict, NotAllowed, NotFound
from anlan.kernel.records import Draft, Label
from anlan.matters.keeping import Matters, Seen
from anlan.matters.standing import Standing
from anlan.papers import (
    Paper,
    PaperType,
    as_docx,
    as_pdf,
    compose,
    new_key,
    read_paper,
    sealed,
    shipped_paper,
    verified,
)
from anlan.store import casebook

FOLDER = "papers"
"""Where a district's pack has templates of its own. One with the id of a shipped template takes its place."""
LETTER = "letter"
"""The document that every case gives, of whose clocks one ran so far over that a letter is due."""
LETTER_PAPER = "supervision_letter"
MEDIA = {
    "pdf": "application/pdf", "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}  # fmt: skip
_ON_CHECK = ("certificate_no", "kind", "place", "valid_until")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A paper that is asked for. ``names`` are the names of the offices by id, ``reason`` what a letter asks."""

    document: str
    form: str = "pdf"
    language: str = "zh"
    reason: str = ""
    names: Mapping[str, Label]


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """A paper of a case: its id, its label, and why it is not given where the case stands; empty where it is."""

    document: str
    label: Label
    missed: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What a code on paper says, and whether the case that it is of still stands as it did; None where it has gone."""

    told: Mapping[str, str]
    stands: bool | None


def offered(matters: Matters, case_id: str, who: Standing) -> tuple[Offered, ...]:
    """Return the papers of a case: those of its type, and the letter where one is due."""
    seen = matters.read(case_id, who)
    found = []
    for name, rule in seen.kind.documents.items():
        try:
            _template(matters, seen, name)
            missed = ""
        except Conflict as fault:
            missed = fault.rule
        found.append(Offered(document=name, label=rule.label, missed=missed))
    if LETTER not in seen.kind.documents and _letter_due(matters, seen) is not None:
        found.append(Offered(document=LETTER, label=dict(shipped_paper(LETTER_PAPER).title), missed=""))
    return tuple(found)


def issue(matters: Matters, case_id: str, wanted: Wanted, who: Standing) -> bytes:
    """Return a paper of a case, made from what its asker may read; that it was issued is a line of the log.

    Raises
    ------
    NotFound
        If there is no such case for this actor, or no such document.
    Conflict
        If the case does not give it where it stands.
    NotAllowed
        If the actor may not act here, or holds no role of the type (a letter needs none).
    BadInput
        If the form is none, or the paper needs what the actor may not read.
    """
    if wanted.form not in MEDIA:
        raise BadInput(f"form={wanted.form!r}", f"must be one of {', '.join(MEDIA)}", "choose one")
    seen = matters.read(case_id, who)
    template = _template(matters, seen, wanted.document)
    areas = set(seen.case.areas.values())
    if not who.acts_here(areas):
        raise NotAllowed("right cases.act here", "must be granted for this area", "ask whoever keeps the accounts")
    if template.paper_id != LETTER_PAPER and not who.by(seen.kind, areas).grants:
        raise NotAllowed(f"case {case_id}", "must be one in which you hold a role", "ask who holds one")
    at = matters.clock.now()
    paper = compose(template, _words(matters, seen, template, (wanted, at)), wanted.language)
    content = as_file(paper, wanted.form, at)
    body = {"type": seen.kind.type_id, "document": wanted.document, "form": wanted.form}

    def write(connection: sa.Connection) -> tuple[list[Draft], None]:
        return [matters.draft(connection, case_id, "issue", who.actor_id, body)], None

    changes, _ = matters.store.together(at, write)
    matters.announce(changes)
    return content


def as_file(paper: Paper, form: str, at: datetime) -> bytes:
    """Return a paper as a file of a form of `MEDIA`."""
    return as_pdf(paper) if form == "pdf" else as_docx(paper, at)


def check(matters: Matters, code: str) -> Checked:
    """Return what a code on paper says, and whether its case stands as it did; anybody may ask.

    Raises
    ------
    BadInput, NotAllowed
        If it is no code, or was not signed by this district.
    """
    told = verified(code, new_key(_seed(matters.folder))[1]).told
    with matters.store.reading() as connection:
        row = casebook.row_of(connection, told.get("case", ""))
    if row is None or row["forgotten"]:
        return Checked(told=told, stands=None)
    rule = matters.kinds.of(row).documents.get(told.get("document", ""))
    return Checked(told=told, stands=rule is not None and row["state"] in rule.states)


def public_key(matters: Matters) -> str:
    """Return the key by which codes are checked without a network, 64 hexadecimal digits."""
    return new_key(_seed(matters.folder))[1].hex()


def template_of(folder: Path | None, paper_id: str) -> PaperType:
    """Return a template of a district's own, or the shipped one."""
    own = None if folder is None else folder / FOLDER / f"{paper_id}.toml"
    if own is not None and own.is_file():
        return read_paper(own.read_text(encoding="utf-8"), str(own))
    return shipped_paper(paper_id)


def _template(matters: Matters, seen: Seen, document: str) -> PaperType:
    if seen.case.forgotten_at is not None:
        raise Conflict(f"document {document!r}", "must be of a case that was not forgotten", "see what was destroyed")
    if document == LETTER and _letter_due(matters, seen) is not None:
        return template_of(matters.pack_folder, LETTER_PAPER)
    template = template_of(matters.pack_folder, paper_of(seen.kind, seen.case, document))
    if template.paper_id == LETTER_PAPER and _letter_due(matters, seen) is None:
        raise Conflict(f"document {document!r}", "must wait until a clock has run out that asks for it", "wait, or act")
    return template


def _letter_due(matters: Matters, seen: Seen) -> Firing | None:
    """Return the newest breach of a clock that runs over still, for which its type wants a letter."""
    at = matters.clock.now()
    if seen.kind.states[seen.case.state].closed:
        return None
    red = {one.clock_id for one in seen.clocks if one.kept is False and one.phase == "running"}
    told = firings(seen.kind, seen.case, matters.work, since_at=seen.case.opened_at, until_at=at)
    return next((one for one in reversed(told) if one.letter and one.clock_id in red), None)


def _words(matters: Matters, seen: Seen, template: PaperType, told: tuple[Wanted, datetime]) -> dict[str, Any]:
    """Return the words that a template may use; what only some papers need is made for these alone."""
    wanted, at = told
    kind, case, zone = seen.kind, seen.case, matters.work.zone
    values = {
        name: wanted.names.get(str(value), value) if name in kind.unit_fields else value
        for name, value in seen.fields.items()
    }
    top, here = (_named(matters, one) for one in (matters.ground.root, list(case.areas.values())[-1]))
    called = {key: label for one in Refers for key, label in matters.known.names(one).items()} if kind.live else {}
    words = case_words(kind, case, values, matters.work, called) | {
        "where": here, "sender": top, "issuer": top, "issued_on": case.entered_at.astimezone(zone).date(),
        "at": at.astimezone(zone).date(),
    }  # fmt: skip
    more: Mapping[str, Callable[[], Mapping[str, Any]]] = {
        "clock": lambda: _letter(matters, seen, wanted),
        "units": lambda: _bulletin(matters, seen, wanted, at),
        "code": lambda: {"code": code_of(matters, kind, case, wanted.document)},
    }
    for slot, made in more.items():
        if slot in template.slots():
            words |= made()
    return words


def _letter(matters: Matters, seen: Seen, wanted: Wanted) -> dict[str, Any]:
    firing = _letter_due(matters, seen)
    assert firing is not None  # noqa: S101 - there was no template without it
    units = [wanted.names[one] for name in sorted(seen.kind.unit_fields)
             if (one := str(seen.fields.get(name))) in wanted.names]  # fmt: skip
    row = next((one for one in reversed(seen.told) if one["clock_id"] == firing.clock_id and one["letter"]), None)
    sender = Sender(
        sender=_named(matters, matters.ground.root if row is None else row["area_id"]),
        recipient=units[0] if units else _named(matters, seen.row["owner_area_id"]),
        where=_named(matters, list(seen.case.areas.values())[-1]), reason=wanted.reason.strip(),
    )  # fmt: skip
    return letter_words(seen.kind, seen.case, firing, matters.work, sender)


def _bulletin(matters: Matters, seen: Seen, wanted: Wanted, at: datetime) -> dict[str, Any]:
    """Return the words of a bulletin over the parts of a case, as far as its asker may read them."""
    with matters.store.reading() as connection:
        parts = [matters.load(connection, one["case_id"])[:2] for one in seen.children]
    parts = [(kind, case) for kind, case in parts if "responsible_unit" in kind.fields and case.forgotten_at is None]
    if not parts:
        raise Conflict(f"case {seen.case.case_id}", "must have parts to tell of", "open its parts first")
    titles = {"matter": seen.fields.get("title", seen.kind.label), "sender": _named(matters, matters.ground.root)}
    words = bulletin_words(parts, _until(parts[0][0]), matters.work, at, titles)
    for row in (*words["units"], *words["late"]):
        row["unit"] = wanted.names.get(row["unit"], row["unit"])
    return words


def _until(kind: CaseType) -> str:
    """Return the clock by which tasks are judged: the one that runs to the date on which they are to be finished."""
    found = [one.clock_id for one in kind.clocks if one.until == "finish_by"]
    if not found:
        raise NotFound(f"clock of {kind.type_id}", "must run until finish_by", "give its type such a clock")
    return found[0]


def code_of(matters: Matters, kind: CaseType, case: Case, document: str) -> str:
    """Return what is told on paper, signed: what anybody may read of the case, and which paper of which case it is."""
    public = public_fields(kind, case)
    told = {
        name: str(value) for name, value in public.items()
        if kind.fields[name].kind is not FieldKind.TABLE and name in _ON_CHECK
    } | {"case": case.case_id, "document": document, "type": kind.type_id}  # fmt: skip
    return sealed(told, new_key(_seed(matters.folder))[0])


def _named(matters: Matters, area_id: str) -> Label:
    return matters.ground.areas.area(area_id).name


def _seed(folder: Path) -> bytes:
    """Return the district's private key, made at its first use; whoever may read its folder may sign."""
    path = folder / "papers.key"
    try:
        return path.read_bytes()
    except FileNotFoundError:
        pass
    partial = folder / f"papers.{secrets.token_hex(4)}.part"
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(secrets.token_bytes(32))
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(partial, path)  # whoever was first has made the key
    except FileExistsError:
        pass
    finally:
        partial.unlink()
    return path.read_bytes()


__all__ = [
    "LETTER", "MEDIA", "Checked", "Offered", "Wanted", "as_file", "check", "code_of", "issue", "offered", "public_key",
    "template_of",
]  # fmt: skip
