"""The words of a monthly bulletin: what is published of each indicator, now and before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from anlan.indicators.definition import Indicator
from anlan.indicators.publishing import Shown
from anlan.kernel.areas import AreaTree
from anlan.kernel.errors import BadInput
from anlan.kernel.records import Label

BESIDE: dict[str, Label] = {
    "coverage": {"zh": "设备覆盖", "en": "coverage by devices"},
    "households": {"zh": "住户", "en": "households"},
    "incident": {"zh": "警情记录", "en": "incidents"},
    "response": {"zh": "到场记录", "en": "arrivals"},
    "shift": {"zh": "志愿班次", "en": "volunteers' shifts"},
}
COUNTED: dict[str, Label] = {
    "begun": {"zh": "期内开立", "en": "begun in the period"},
    "ended": {"zh": "期内办结", "en": "ended in the period"},
    "standing": {"zh": "期末在办", "en": "standing at its end"},
}
HIDDEN = {"zh": "不公开", "en": "not published"}


def bulletin_words(
    told: Iterable[tuple[Indicator, Mapping[str, Shown], Mapping[str, Shown]]],
    tree: AreaTree,
    area_id: str,
    kinds: Mapping[str, Label],
) -> dict[str, Any]:
    """Return the words of a bulletin for one area: its numbers, and those of the areas directly below it.

    Only what is published is told (`published`): a bulletin is read by everybody. What is unknown is left a dash.

    Parameters
    ----------
    told : iterable of (Indicator, mapping, mapping)
        Each indicator, with what is published of this period and of the one before.
    tree, area_id : AreaTree, str
        The areas, and the one that the bulletin is of.
    kinds : mapping of str to Label
        What types of cases are called: whoever reads a bulletin reads no formula.

    Raises
    ------
    BadInput
        If there is nothing to tell.
    """
    numbers, areas, periods, least = [], [], [], []
    for one, now, ago in told:
        if area_id not in now:
            continue
        row = {"indicator": one.label, "unit": one.unit, "source": _source(one, kinds)}
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


def _source(one: Indicator, kinds: Mapping[str, Label]) -> Label:
    """Return what a number is counted from, in words."""
    called = [kinds.get(name) or BESIDE.get(name) or {"zh": name, "en": name} for name in one.sources]
    counted = COUNTED[one.counted]
    names = {key: comma.join(each.get(key) or each.get("zh") or each.get("en") or "" for each in called)
             for key, comma in (("zh", "、"), ("en", ", "))}  # fmt: skip
    return {"zh": f"{names['zh']}（{counted['zh']}）", "en": f"{names['en']} ({counted['en']})"}


def _value(shown: Shown | None) -> Any:
    if shown is None:
        return None
    if shown.hidden or shown.value is None:
        return HIDDEN if shown.hidden else None
    return int(shown.value) if float(shown.value).is_integer() else shown.value  # a count has no tenths
