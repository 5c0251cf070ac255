"""Templates of papers, as data: a TOML file with its parts in both languages, and words in braces to be filled."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from anlan.kernel.errors import NotFound
from anlan.kernel.records import Label
from anlan.kernel.written import is_id, is_label, read_toml, refuse

SLOT = re.compile(r"\{([a-z][a-z0-9_]*)\}")
PARTS = ("heading", "text", "rows", "signatures", "code")
"""What a paper is made of: a heading, a paragraph, a table of rows, lines to sign on, a code to scan."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part of a template. ``when`` is the word without which it is left out.

    ``rows`` names a list of rows; ``columns`` are its columns with their headings. Lines to sign on are empty: nobody
    is named by the program.
    """

    kind: str
    text: Label
    when: str | None = None
    rows: str | None = None
    columns: Mapping[str, Label] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperType:
    """A template: its title, its parts, and whether it lies across the page."""

    paper_id: str
    title: Label
    parts: tuple[Part, ...]
    across: bool = False

    def slots(self) -> frozenset[str]:
        """Return the words that it needs to be filled; those behind a ``when`` only if that word is given."""
        needed = [self.title, *(part.text for part in self.parts if part.when is None)]
        found = {name for label in needed for text in label.values() for name in SLOT.findall(str(text))}
        return frozenset(found | {part.rows for part in self.parts if part.rows and part.when is None})


def read_paper(text: str, where: str = "paper") -> PaperType:
    """Return the template that a TOML text describes.

    Raises
    ------
    BadInput
        If anything in it is wrong; all of it is told at once.
    """
    told = read_toml(text, where)
    faults: list[str] = []
    paper_id = told.get("id")
    if not is_id(paper_id):
        faults.append(f"id={paper_id!r} must be an id")
    title = _label(told.get("title"), "title", faults)
    parts = tuple(_part(one, f"part {k}", faults) for k, one in enumerate(told.get("part", []), 1))
    if not parts:
        faults.append("part must be given: a paper says something")
    spare = sorted(set(told) - {"id", "title", "part", "across"})
    faults += [f"{name!r} is nothing that belongs here" for name in spare]
    refuse(where, faults)
    return PaperType(paper_id=str(paper_id), title=title, parts=parts, across=told.get("across") is True)


def _label(told: Any, where: str, faults: list[str]) -> Label:
    if not is_label(told):
        faults.append(f"{where}={told!r} must say something in zh and in en")
        return {"zh": "", "en": ""}
    slots = [set(SLOT.findall(one)) for one in told.values()]
    if slots[0] != slots[1]:
        faults.append(f"{where} must have the same words to fill in zh and in en")
    for one in told.values():
        left = SLOT.sub("", one)
        if "{" in left or "}" in left:
            faults.append(f"{where} has a brace that is no word to fill")
    return dict(told)


def _part(told: Any, where: str, faults: list[str]) -> Part:
    if not isinstance(told, dict) or told.get("kind") not in PARTS:
        faults.append(f"{where} kind must be one of {', '.join(PARTS)}")
        return Part(kind="text", text={"zh": "", "en": ""})
    spare = sorted(set(told) - {"kind", "text", "when", "rows", "columns"})
    faults += [f"{where}: {name!r} is nothing that belongs here" for name in spare]
    columns = {
        name: _label(one, f"{where} column {name}", faults) for name, one in dict(told.get("columns", {})).items()
    }
    if (told["kind"] == "rows") != bool(columns and told.get("rows")):
        faults.append(f"{where}: rows and columns must be given for rows, and only there")
    return Part(
        kind=told["kind"], text=_label(told.get("text"), f"{where} text", faults), when=told.get("when"),
        rows=told.get("rows"), columns=columns or None,
    )  # fmt: skip


@cache
def _texts() -> dict[str, str]:
    found = [one for one in files("anlan.papers.library").iterdir() if one.name.endswith(".toml")]
    return {one.name.removesuffix(".toml"): one.read_text(encoding="utf-8") for one in sorted(found, key=str)}


def shipped_papers() -> Iterator[PaperType]:
    """Yield the templates that come with Anlan."""
    for paper_id in _texts():
        yield shipped_paper(paper_id)


@cache
def shipped_paper(paper_id: str) -> PaperType:
    """Return a template that comes with Anlan.

    Raises
    ------
    NotFound
        If none has that id.
    """
    if paper_id not in _texts():
        raise NotFound(f"paper {paper_id!r}", "does not exist", f"choose one of {', '.join(_texts())}, or give a file")
    return read_paper(_texts()[paper_id], f"{paper_id}.toml")
