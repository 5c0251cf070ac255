"""A plan of posts as a workbook and on paper: from its tables and its map, however long ago it was made."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from anlan.kernel.errors import Unavailable

FONT = "STSong-Light"
WIDE, HIGH = 500.0, 300.0
"""Of the map on paper, points."""
RING_FILL = {5.0: "#dbe9f6", 3.0: "#9ecae1", 1.0: "#4292c6"}
POST_FILL = {"vehicle": "#d7301f", "bicycle": "#31a354", "foot": "#756bb1"}
Tables = Sequence[tuple[str, list[list[str]]]]


def workbook_of(tables: Tables) -> bytes:
    """Return the tables as a workbook, a sheet each; numbers are numbers, so that it can compute with them.

    Raises
    ------
    Unavailable
        If the library that writes it is not installed.
    """
    try:
        from openpyxl import Workbook  # noqa: PLC0415 - an extra, which a district may lack
    except ImportError:
        raise Unavailable("library openpyxl", "is not installed", "pip install 'anlan[plan]'") from None
    book, out = Workbook(), io.BytesIO()
    book.remove(book.worksheets[0])
    for k, (title, rows) in enumerate(tables, 1):
        sheet = book.create_sheet(f"{k}")
        sheet.append([title])
        for row in rows:
            sheet.append([_cell(one) for one in row])
            for cell in sheet[sheet.max_row]:
                if isinstance(cell.value, str):
                    cell.data_type = "s"  # a name that begins with = is no formula
    book.save(out)
    return out.getvalue()


def _cell(text: str) -> str | float:
    """Return a number where a cell is one."""
    try:
        return float(text[:-1]) / 100 if text.endswith("%") else float(text)
    except ValueError:
        return text


def paper_of(title: str, tables: Tables, geojson: Mapping[str, Any]) -> bytes:
    """Return the plan as PDF: its map, then its tables.

    Raises
    ------
    Unavailable
        If the library that sets it is not installed.
    """
    try:
        from reportlab.lib.pagesizes import A4  # noqa: PLC0415 - an extra, which a district may lack
        from reportlab.lib.styles import ParagraphStyle  # noqa: PLC0415 - the same extra
        from reportlab.pdfbase.cidfonts import UnicodeCIDFont  # noqa: PLC0415 - the same extra
        from reportlab.pdfbase.pdfmetrics import registerFont  # noqa: PLC0415 - the same extra
        from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer, Table  # noqa: PLC0415 - the same extra
    except ImportError:
        raise Unavailable("library reportlab", "is not installed", "pip install 'anlan[papers]'") from None
    registerFont(UnicodeCIDFont(FONT))
    large, plain = (ParagraphStyle(f"s{size}", fontName=FONT, fontSize=size, leading=1.5 * size) for size in (16, 9))
    head = ParagraphStyle("head", parent=plain, fontSize=11, leading=18, spaceBefore=8)
    parts: list[Any] = [Paragraph(escape(title), large), _drawing(geojson)]
    if geojson.get("attribution"):
        parts.append(Paragraph(escape(str(geojson["attribution"])), plain))
    for name, rows in tables:
        cells = [[Paragraph(escape(one), plain) for one in row] for row in rows]
        style = [("LINEBELOW", (0, 0), (-1, -1), 0.3, "#cccccc"), ("TOPPADDING", (0, 0), (-1, -1), 1),
                 ("BOTTOMPADDING", (0, 0), (-1, -1), 1)]  # fmt: skip
        parts += [Spacer(1, 4), Paragraph(escape(name), head), Table(cells, repeatRows=1, style=style)]
    out = io.BytesIO()
    edges = {f"{side}Margin": 44 for side in ("left", "right", "top", "bottom")}
    SimpleDocTemplate(out, pagesize=A4, title=title, **edges).build(parts)
    return out.getvalue()


def _drawing(geojson: Mapping[str, Any]) -> Any:
    """Return the map: rings, the posts of the first period that is drawn, and the best vehicles by number."""
    from reportlab.graphics.shapes import Circle, Drawing, Polygon, Rect, String  # noqa: PLC0415 - an extra
    from reportlab.lib.colors import HexColor, white  # noqa: PLC0415 - the same extra

    made, features = Drawing(WIDE, HIGH), geojson["features"]
    points = [xy for one in features for xy in _points(one["geometry"])]
    if not points:
        return made
    west, south = (min(xy[k] for xy in points) for k in (0, 1))
    east, north = (max(xy[k] for xy in points) for k in (0, 1))
    squeeze = 0.86  # a degree of longitude beside one of latitude, at the middle of the country
    scale = min(WIDE / max((east - west) * squeeze, 1e-9), HIGH / max(north - south, 1e-9))

    def at(xy: Sequence[float]) -> tuple[float, float]:
        return (xy[0] - west) * squeeze * scale, (xy[1] - south) * scale

    best = [one for one in features if one["properties"]["what"] == "best_vehicle"]
    period = best[0]["properties"]["period"] if best else None
    for one in features:
        told = one["properties"]
        if told["what"] == "ring":
            for polygon in _polygons(one["geometry"]):
                for k, ring in enumerate(polygon):
                    fill = white if k else HexColor(RING_FILL.get(float(told["minutes"]), "#eeeeee"))
                    corners = [value for xy in ring for value in at(xy)]
                    made.add(Polygon(corners, fillColor=fill, strokeWidth=0))
        elif told["what"] == "post" and told["period"] == period:
            x, y = at(one["geometry"]["coordinates"])
            made.add(Circle(x, y, 2.2, fillColor=HexColor(POST_FILL[told["kind"]]), strokeColor=white, strokeWidth=0.4))
    for n, one in enumerate(best, 1):
        x, y = at(one["geometry"]["coordinates"])
        made.add(Rect(x - 5, y - 5, 10, 10, fillColor=HexColor("#08306b"), strokeWidth=0))
        made.add(String(x, y - 3, str(n), fontSize=8, fillColor=white, textAnchor="middle"))
    return made


def _polygons(geometry: Mapping[str, Any]) -> list[Any]:
    return [geometry["coordinates"]] if geometry["type"] == "Polygon" else list(geometry["coordinates"])


def _points(geometry: Mapping[str, Any]) -> list[Any]:
    if geometry["type"] == "Point":
        return [geometry["coordinates"]]
    return [xy for polygon in _polygons(geometry) for ring in polygon for xy in ring]
