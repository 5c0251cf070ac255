"""A paper as a Word file, to be completed by hand."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Any

from anlan.kernel.errors import Unavailable
from anlan.papers.compose import BLANK, Block, Paper

FONTS = {"zh": "宋体", "en": "Times New Roman"}


def as_docx(paper: Paper, at: datetime) -> bytes:
    """Return a paper as .docx. ``at`` is the moment that the file says it was made.

    Raises
    ------
    Unavailable
        If the extra for papers is not installed.
    """
    try:
        from docx import Document  # noqa: PLC0415 - an extra, which a district may lack
        from docx.enum.section import WD_ORIENT  # noqa: PLC0415 - the same extra
    except ImportError:
        raise Unavailable("papers in Word", "need python-docx", "pip install 'anlan[papers]'") from None
    document = Document()
    _prepare(document, paper, at)
    if paper.across:
        section = document.sections[0]
        section.orientation = WD_ORIENT.LANDSCAPE
        section.page_width, section.page_height = section.page_height, section.page_width
    document.add_heading(paper.title, level=0)
    for block in paper.blocks:
        _add(document, block)
    kept = io.BytesIO()
    document.save(kept)
    return kept.getvalue()


def _prepare(document: Any, paper: Paper, at: datetime) -> None:
    from docx.oxml.ns import qn  # noqa: PLC0415 - the same extra
    from docx.shared import Mm, Pt  # noqa: PLC0415 - the same extra

    told = document.core_properties
    told.title, told.author, told.language = paper.title, "", paper.language
    told.created = told.modified = at.astimezone(UTC).replace(tzinfo=None)
    section = document.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    for name in ("Normal", "Title", "Heading 1"):
        style = document.styles[name]
        style.font.name = FONTS[paper.language]
        # Word takes Chinese characters from another font than the Latin ones beside them.
        style.element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), FONTS["zh"])
    document.styles["Normal"].font.size = Pt(11)


def _add(document: Any, block: Block) -> None:
    if block.kind == "rows":
        _add_table(document, block)
    elif block.kind == "code":
        _add_code(document, block.text)
    elif block.kind == "heading":
        document.add_heading(block.text, level=1)
    else:
        blank = f" {BLANK}" if block.kind == "signatures" else ""
        for one in block.text.split("|" if blank else "\n"):
            if one:
                document.add_paragraph(one + blank)


def _add_table(document: Any, block: Block) -> None:
    if block.text:
        document.add_heading(block.text, level=1)
    table = document.add_table(rows=0, cols=len(block.rows[0]), style="Table Grid")
    for row in block.rows:
        for cell, text in zip(table.add_row().cells, row, strict=True):
            cell.text = text


def _add_code(document: Any, text: str) -> None:
    import segno  # noqa: PLC0415 - an extra, as python-docx is
    from docx.shared import Mm  # noqa: PLC0415 - the same extra

    picture = io.BytesIO()
    segno.make(text, error="m", micro=False).save(picture, kind="png", scale=6)
    picture.seek(0)
    document.add_picture(picture, width=Mm(46))
