"""A template and what is to be told become a paper: plain blocks, the same for Word and for PDF."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from anlan.kernel.errors import BadInput
from anlan.papers.layout import SLOT, PaperType, Part

BLANK = "＿＿＿＿＿＿＿＿"
"""A line to write on by hand: names of parties are written by themselves, and kept on paper only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One block of a paper. A table has its headings as first row; a code its content in ``text``."""

    kind: str
    text: str
    rows: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """A paper that is ready to be set."""

    paper_id: str
    language: str
    title: str
    blocks: tuple[Block, ...]
    across: bool = False


def compose(kind: PaperType, told: Mapping[str, Any], language: str = "zh") -> Paper:
    """Return the paper that a template makes of what is told.

    Values are texts, numbers, dates, labels in both languages, and for ``rows`` lists of mappings. What is not told is
    refused and not left empty; a part with a ``when`` that is not told is left out.

    Raises
    ------
    BadInput
        If a word is missing, or the language is neither ``zh`` nor ``en``.

    Examples
    --------
    >>> from datetime import date
    >>> from anlan.papers.layout import read_paper
    >>> kind = read_paper('''
    ... id = "note"
    ... title = { zh = "通知", en = "Note" }
    ... [[part]]
    ... kind = "text"
    ... text = { zh = "期限 {due_on}", en = "due on {due_on}" }
    ... ''')
    >>> compose(kind, {"due_on": date(2026, 9, 30)}, "en").blocks[0].text
    'due on 2026-09-30'
    """
    if language not in {"zh", "en"}:
        raise BadInput(f"language={language!r}", "must be zh or en", "choose one")
    missing = sorted(kind.slots() - {name for name, value in told.items() if value is not None})
    if missing:
        raise BadInput(f"{', '.join(missing)} of {kind.paper_id}", "must be told", "give a value for each")
    shown = [part for part in kind.parts if part.when is None or told.get(part.when) not in (None, "", [], ())]
    return Paper(
        paper_id=kind.paper_id, language=language, title=_filled(str(kind.title[language]), told, language),
        blocks=tuple(_block(part, told, language) for part in shown), across=kind.across,
    )  # fmt: skip


def _block(part: Part, told: Mapping[str, Any], language: str) -> Block:
    text = _filled(str(part.text[language]), told, language)
    if part.rows is None or part.columns is None:
        return Block(kind=part.kind, text=text)
    rows: Sequence[Mapping[str, Any]] = told.get(part.rows, ())
    heads = tuple(str(label[language]) for label in part.columns.values())
    body = [tuple(worded(row.get(name), language) for name in part.columns) for row in rows]
    return Block(kind=part.kind, text=text, rows=(heads, *body))


def _filled(text: str, told: Mapping[str, Any], language: str) -> str:
    return SLOT.sub(lambda found: worded(told.get(found[1]), language), text)


def worded(value: Any, language: str) -> str:
    """Return a value as a reader takes it; what is not known is a dash, and never zero."""
    if isinstance(value, bool):
        return {"zh": "是" if value else "否", "en": "yes" if value else "no"}[language]
    if isinstance(value, Mapping):
        return str(value.get(language, "—"))
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M")
    if isinstance(value, float):
        return f"{value:,.1f}"
    return "—" if value is None else f"{value:,}" if isinstance(value, int) else str(value)
