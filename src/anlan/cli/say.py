"""What the terminal shows: tables for people, JSON for programs, one line for an error."""

from __future__ import annotations

import json
import sys
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from anlan.kernel.errors import AnlanError

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)

WHY = {
    "not_started": ("尚未估计", "not estimated yet"),
    "stale": ("数据过期", "data too old"),
    "no_device": ("无设备覆盖", "no device sees it"),
    "flow_only": ("仅有断面流量", "only passing people are counted"),
    "too_small": ("范围过小", "too small to tell"),
    "not_walkable": ("不可步行", "nobody can walk there"),
}


KINDS = {
    "gate": ("出入口计数器", "gates"),
    "passage": ("断面计数器", "passages"),
    "area": ("区域计数器", "area cameras"),
    "grid": ("位置栅格", "location grid"),
}


def complain(fault: AnlanError) -> None:
    """Show an error: value, rule, next step."""
    err.print(
        f"[bold red]{escape(fault.value)}[/] {escape(fault.rule)}; [bold]{escape(fault.next_step)}[/].", soft_wrap=True
    )


def as_json(content: Any) -> None:
    """Print JSON for a program."""
    sys.stdout.write(json.dumps(content, ensure_ascii=False, indent=2) + "\n")


def name_in(name: dict[str, str], language: str) -> str:
    """Return a name in a language, or in any that there is."""
    return name.get(language) or next((text for text in name.values() if text), "")


def people(estimate: dict[str, Any], language: str) -> tuple[str, str]:
    """Return an estimate's number and interval as text; unknown with its reason."""
    if estimate["unknown"]:
        zh, en = WHY[estimate["unknown"]]
        return ("未知" if language == "zh" else "unknown"), (zh if language == "zh" else en)
    if estimate["hidden"]:
        return "<10", ""
    interval = "" if estimate["low"] is None else f"{estimate['low']:,}–{estimate['high']:,}"
    return f"{estimate['occupancy']:,}", interval


def why(made: dict[str, Any], language: str) -> Table:
    """Return what made a number as a table: devices by their share, and what would narrow it."""
    zh = language == "zh"
    column = 0 if zh else 1
    shown = table(
        "数字的由来" if zh else "what made the number",
        *(("设备", "类型", "贡献>") if zh else ("device", "kind", "share>")),
    )
    for one in made["sources"]:
        shown.add_row(
            name_in(one["name"], language) or one["device"], KINDS[one["kind"]][column], f"{one['share']:.0%}"
        )
    more = made["narrower"]
    if more is not None and more["narrowed_by"] >= 0.01:
        where = more["place"] or f"{more['at'][0]:.4f}, {more['at'][1]:.4f}"
        shown.add_row(
            "加装可收窄区间" if zh else "would narrow it",
            f"{KINDS[more['kind']][column]} @ {where}",
            f"-{more['narrowed_by']:.0%}",
        )
    return shown


def table(title: str, *columns: str) -> Table:
    """Return an empty table; a heading that ends in > is set to the right."""
    made = Table(title=title, title_justify="left", header_style="bold", box=None, pad_edge=False)
    for column in columns:
        made.add_column(column.removesuffix(">"), justify="right" if column.endswith(">") else "left", overflow="fold")
    return made
