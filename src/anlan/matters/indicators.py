"""The indicators of a district: those that come with Anlan, and its own in their place or beside them."""

from __future__ import annotations

from pathlib import Path

from anlan.indicators import Indicator, read_indicators, shipped_indicators

FILE = "indicators.toml"
"""Where a district's pack has indicators of its own. One with the id of a shipped one takes its place."""


def indicators_of(folder: Path | None) -> dict[str, Indicator]:
    """Return the indicators in force, by id.

    Raises
    ------
    BadInput
        If the district's own file is wrong; all of it is told.
    """
    own = None if folder is None else folder / FILE
    made = {one.indicator_id: one for one in shipped_indicators()}
    if own is not None and own.is_file():
        made |= {one.indicator_id: one for one in read_indicators(own.read_text(encoding="utf-8"), str(own))}
    return made
