"""The words of a monthly bulletin: what is published of each indicator, now and before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from anlan.indicators.definition import Indicator
from anlan.indicators.publishing import Shown
from anlan.kernel.areas import AreaTree
from anlan.kernel.errors import BadInput

HIDDEN = {"zh": "不公开", "en": "not published"}


def bulletin_words(
    told: Iterable[tuple[Indicator, Mapping[str, Shown], Mapping[str, Shown]]], tree: AreaTree, area_id: str
) -> dict[str, Any]:
    """Return the words of a bulletin for one area: its numbers, and those of the areas directly below it.

    Only what is published is told (`published`): a bulletin is read by everybody. What is unknown is left a dash.

    Parameters
    ----------
    told : iterable of (Indicator, mapping, mapping)
        Each indicator, with what is published of this period and of the one before.
    tree, area_id : AreaTree, str
        The areas, and the one that the bulletin is of.

    Raises
    ------
    BadInput
        If there is nothing to tell.
    """
    numbers, areas, periods, least = [], [], [], []
    for one, now, ago in told:
        if area_id not in now:
            continue
        row = {"indicator": one.label, "unit": one.unit, "source": one.formula}
        numbers.append({**row, "value": _value(now[area_id]), "before": _value(ago.get(area_id))})
        areas += [
            {"where": child.name, "indicator": one.label, "value": _value(now[child.area_id])}
            for child in tree.children(area_id)
            if child.area_id in now
        ]
        periods.append(now[area_id].period)
        least.append(one.least)
    if not numbers:
        raise BadInput(f"bulletin of {area_id}", "must have a number to tell", "give indicators of its level")
    period = ", ".join(dict.fromkeys(periods))
    return {
        "where": tree.area(area_id).name, "period": period, "least": max(least), "numbers": numbers, "areas": areas
    }  # fmt: skip


def _value(shown: Shown | None) -> Any:
    if shown is None:
        return None
    return HIDDEN if shown.hidden else shown.value
