"""A paper as PDF. Its Chinese is set in STSong-Light, which every reader of PDF has: no font is carried along."""

from __future__ import annotations

import io
import re
from typing import Any
from xml.sax.saxutils import escape

from anlan.kernel.errors import Unavailable
from anlan.papers.compose import BLANK, Block, Paper

FONT = "STSong-Light"
MISSING = "〓"
"""Stands where the font has no such character, as printers do: a gap would be read as nothing."""
INK, GREY = "#111111", "#777777"


def as_pdf(paper: Paper) -> bytes:
    """Return a paper as PDF on A4. The same paper is the same bytes: nothing in it asks what time it is.

    Raises
    ------
    Unavailable
        If the extra for papers is not installed.
    """
    try:
        from reportlab.lib.pagesizes import A4, landscape  # noqa: PLC0415 - an extra, which a district may lack
        from reportlab.pdfbase.cidfonts import UnicodeCIDFont  # noqa: PLC0415 - the same extra
        from reportlab.pdfbase.pdfmetrics import registerFont  # noqa: PLC0415 - the same extra
        from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer  # noqa: PLC0415 - the same extra
    except ImportError:
        raise Unavailable("papers as PDF", "need ReportLab", "pip install 'anlan[papers]'") from None
    registerFont(UnicodeCIDFont(FONT))
    styles = _styles()
    kept = io.BytesIO()
    # The metadata's language would be English whatever the paper's; nobody's name stands as its author.
    page = SimpleDocTemplate(
        kept, pagesize=landscape(A4) if paper.across else A4, leftMargin=71, rightMargin=71, topMargin=71,
        bottomMargin=71, title=paper.title, author="", invariant=1, lang=paper.language,
    )  # fmt: skip
    story: list[Any] = [Paragraph(_shown(paper.title), styles["title"]), Spacer(1, 18)]
    for block in paper.blocks:
        story += _set(block, styles, page.width)
    page.build(story)
    return kept.getvalue()


def _styles() -> dict[str, Any]:
    from reportlab.lib.enums import TA_CENTER  # noqa: PLC0415 - the same extra
    from reportlab.lib.styles import ParagraphStyle  # noqa: PLC0415 - the same extra

    text = ParagraphStyle("text", fontName=FONT, fontSize=11, leading=18, spaceAfter=8, wordWrap="CJK", textColor=INK)
    return {
        "text": text,
        "title": ParagraphStyle("title", parent=text, fontSize=20, leading=28, alignment=TA_CENTER),
        "heading": ParagraphStyle("heading", parent=text, fontSize=13, leading=20, spaceBefore=8, keepWithNext=1),
        "cell": ParagraphStyle("cell", parent=text, fontSize=9.5, leading=13, spaceAfter=0),
    }


def _set(block: Block, styles: dict[str, Any], width: float) -> list[Any]:
    from reportlab.platypus import Paragraph, Spacer  # noqa: PLC0415 - the same extra

    if block.kind == "rows":
        lead = [Paragraph(_shown(block.text), styles["heading"])] if block.text else []
        return [*lead, _table(block, styles, width), Spacer(1, 10)]
    if block.kind == "signatures":
        lines = [Paragraph(f"{_shown(one)} {BLANK}", styles["text"]) for one in block.text.split("|")]
        return [Spacer(1, 24), *lines]
    if block.kind == "code":
        return [Spacer(1, 10), _code(block.text)]
    style = styles["heading" if block.kind == "heading" else "text"]
    return [Paragraph(_shown(one), style) for one in block.text.split("\n") if one]


def _table(block: Block, styles: dict[str, Any], width: float) -> Any:
    from reportlab.platypus import Paragraph, Table, TableStyle  # noqa: PLC0415 - the same extra

    cells = [[Paragraph(_shown(cell), styles["cell"]) for cell in row] for row in block.rows]
    weights = [min(max(2 + max(len(row[k]) for row in block.rows), 6), 24) for k in range(len(block.rows[0]))]
    table = Table(cells, colWidths=[width * one / sum(weights) for one in weights], repeatRows=1)
    table.setStyle(
        TableStyle(
            [
                ("GRID", (0, 0), (-1, -1), 0.4, GREY),
                ("BACKGROUND", (0, 0), (-1, 0), "#eeeeee"),
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ]
        )
    )
    return table


def _shown(text: str) -> str:
    """Return a text as markup, with every character that the font lacks told as such."""
    return escape("".join(one if one.encode("gbk", "ignore") else MISSING for one in text))


def _code(text: str) -> Any:
    """Return a QR code as a drawing of squares: sharp at any size, and no picture in the file."""
    import segno  # noqa: PLC0415 - an extra, as ReportLab is
    from reportlab.graphics.shapes import Drawing, Rect  # noqa: PLC0415 - the same extra
    from reportlab.lib.colors import black  # noqa: PLC0415 - the same extra

    grid = [bytes(row) for row in segno.make(text, error="m", micro=False).matrix]
    size = 170.0
    unit = size / (len(grid) + 8)  # a border of four squares belongs to the code
    drawing = Drawing(size, size)
    for k, row in enumerate(grid):
        for run in re.finditer(b"\x01+", row):  # one bar for neighbours: seams between squares would be read as light
            left, wide = (run.start() + 4) * unit, (run.end() - run.start()) * unit
            bar = Rect(left, size - (k + 5) * unit, wide, unit * 1.01, fillColor=black, strokeColor=None)
            drawing.add(bar)
    return drawing
