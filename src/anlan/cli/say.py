"""What the terminal shows: tables for people, JSON for programs, one line for an error."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from anlan.kernel.errors import AnlanError, Unavailable
from anlan.kernel.refusals import in_chinese

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)

RUNGS = {
    "notice": ("关注", "notice", "cyan"),
    "yellow": ("黄色", "yellow", "yellow"),
    "orange": ("橙色", "orange", "dark_orange"),
    "red": ("红色", "red", "bold red"),
}

MEASURES = {
    "density": ("密度", "density", "/m²", 1.0),
    "share_of_capacity": ("占容量", "share of capacity", "%", 100.0),
    "specific_flow": ("单位宽度流量", "specific flow", "/(m·min)", 60.0),
    "net_inflow": ("净流入", "net inflow", "/min", 60.0),
}

RESTS = {
    "trees": ("机器学习", "learned trees"),
    "usual": ("往常规律", "what is usual"),
    "plan": ("计划活动", "what is planned"),
    "trend": ("近期变化", "the trend"),
}
"""What an expectation rests on."""

BASIS = {
    "trees": ("按历史学习（梯度提升）", "by trees that learned from the history"),
    "usual": ("按往常规律", "by what is usual"),
    "plan": ("按近一小时变化与计划活动", "by the last hour's trend and what is planned"),
    "trend": ("按近一小时变化", "by the last hour's trend"),
}
"""What a forecast rests on."""

WHY = {
    "not_started": ("尚未估计", "not estimated yet"),
    "stale": ("数据过期", "data too old"),
    "no_device": ("无设备覆盖", "no device sees it"),
    "flow_only": ("仅有断面流量", "only passing people are counted"),
    "too_small": ("范围过小", "too small to tell"),
    "not_walkable": ("不可步行", "nobody can walk there"),
}


FAULTS = {
    "zero": (
        "近 {minutes} 分钟计数为 0，而应有约 {expected:.0f} 人/分",
        "0 counted for {minutes} min where about {expected:.0f}/min are to be expected",
    ),
    "stuck": (
        "一直重复 {counted:.0f}，应有约 {expected:.0f}",
        "repeats {counted:.0f} where about {expected:.0f} are to be expected",
    ),
    "lost": (
        "近 {minutes} 分钟每分钟 {counted:.0f} 人，而应有约 {expected:.0f} 人",
        "{counted:.0f}/min over {minutes} min where about {expected:.0f} are to be expected",
    ),
    "swapped": (
        "进出疑似对调：进占 {counted:.0%}，此前为 {expected:.0%}",
        "in and out seem swapped: {counted:.0%} go in, {expected:.0%} before",
    ),
    "clock": ("时钟漂移 {off:+.0f} 秒", "its clock has drifted by {off:+.0f} s"),
    "restarted": ("已重新启动，编号从头开始", "restarted, and numbers its messages anew"),
    "contradicts": ("为其他设备推断值的 {ratio:.2f} 倍", "counts {ratio:.2f} times what the others lead to expect"),
}


SITES = {
    "camera": ("摄像机", "camera"),
    "counter": ("断面计数器", "counter"),
    "high": ("高点", "high viewpoint"),
}


KINDS = {
    "gate": ("出入口计数器", "gates"),
    "passage": ("断面计数器", "passages"),
    "road": ("车流计数器", "vehicle counters"),
    "area": ("区域计数器", "area cameras"),
    "grid": ("位置栅格", "location grid"),
}


def complain(fault: AnlanError, language: str = "en") -> None:
    """Show an error: value, rule, next step; in Chinese where it is worded."""
    said = in_chinese(fault) if language == "zh" else None
    if said is None or said.rule is None or said.next_step is None:
        value, rule, next_step = (escape(one) for one in (fault.value, fault.rule, fault.next_step))
        err.print(f"[bold red]{value}[/] {rule}; [bold]{next_step}[/].", soft_wrap=True)
        return
    value, rule, next_step = (escape(one) for one in (said.value or fault.value, said.rule, said.next_step))
    err.print(f"[bold red]{value}[/]：{rule}。[bold]{next_step}[/]。", soft_wrap=True)


def as_json(content: Any) -> None:
    """Print JSON for a program."""
    sys.stdout.write(json.dumps(content, ensure_ascii=False, indent=2) + "\n")


def name_in(name: dict[str, str] | str, language: str) -> str:
    """Return a name in a language, or in any that there is."""
    if isinstance(name, str):
        return name
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


def border(made: dict[str, Any], language: str) -> Table:
    """Return what goes over the border as a table; a sum that lacks a counter says so."""
    zh = language == "zh"
    headings = (
        ("", "进入/分>", "离开/分>", "净增/分>", "计数器>")
        if zh
        else ("", "in/min>", "out/min>", "net/min>", "counters>")
    )
    shown = table("", *headings)
    for name, words in (("people", ("行人", "people")), ("vehicles", ("车辆", "vehicles"))):
        told, missing = made[name], len(made[name]["silent"])

        def number(value: float | None, *, whole: bool = bool(told["lines"]) and not missing) -> str:
            if value is None:
                return "未知" if zh else "unknown"
            return f"{value:,.0f}" if whole else f"≥{value:,.0f}"

        net = told["net_per_minute"]
        shown.add_row(
            words[0 if zh else 1],
            number(told["counted_in_per_minute"]),
            number(told["counted_out_per_minute"]),
            number(None) if net is None else f"{net:+,.0f} ±{told['net_sd_per_minute']:,.0f}",
            f"{len(told['lines']) - missing}/{len(told['lines'])}",
        )
    return shown


def flow(made: dict[str, Any], language: str) -> Table:
    """Return the people over a line as a table, with what was counted and what is inferred."""
    zh = language == "zh"
    shown = table("", "", "", "")
    shown.show_header = False

    def row(chinese: str, english: str, value: str) -> None:
        shown.add_row(chinese if zh else english, value)

    if made["unknown"]:
        row("流量", "flow", ("未知" if zh else "unknown") + " " + WHY[made["unknown"]][0 if zh else 1])
    elif made["hidden"]:
        row("流量", "flow", f"<{made['high']:.0f} /min")
    else:
        row("流量", "flow", f"[bold]{made['per_minute']:,.0f}[/] /min  {made['low']:,.0f}–{made['high']:,.0f}")
        if made["in_per_minute"] is None:
            row("方向", "directions", "未知：没有设备区分进出" if zh else "unknown: no device tells them all")
        else:
            ways = f"{made['in_per_minute']:,.0f} → / ← {made['out_per_minute']:,.0f}"
            row("左→右 / 右→左", "left to right / back", ways)
        row("设备计得", "counted by devices", f"{made['counted_share']:.0%}")
    row("可步行宽度", "walkable width", f"{made['width_m']:,.0f} m")
    if made["devices"]:
        row("设备", "devices", ", ".join(made["devices"]))
    return shown


def suspicion(of: dict[str, Any] | None, language: str) -> str:
    """Return what a device is suspected of as a text with its numbers; nothing where it is not."""
    if of is None:
        return ""
    zh, en = FAULTS[of["fault"]]
    numbers = {"counted": of["counted_per_min"], "expected": of["expected_per_min"], "off": of["off_s"]}
    return (zh if language == "zh" else en).format(minutes=of["minutes"], ratio=of["ratio"], **numbers)


def middle_of(geometry: dict[str, Any]) -> tuple[float, float]:
    """Return the middle (longitude, latitude) of a line's ends, or of a polygon's outline."""
    corners = geometry["coordinates"] if geometry["type"] == "LineString" else geometry["coordinates"][0][:-1]
    return sum(x for x, _ in corners) / len(corners), sum(y for _, y in corners) / len(corners)


def grounds(told: dict[str, Any], lead_s: float | None, language: str) -> str:
    """Return the rule of an alert with its number, limit and probability, and how far ahead."""
    zh, en, unit, factor = MEASURES[told["measure"]]
    name = zh if language == "zh" else en
    value, limit = factor * (told["value"] or 0.0), factor * told["limit"]
    digits = 0 if unit == "%" else 1
    number = f"{name} {value:.{digits}f} > {limit:.{digits}f} {unit}"
    lead = (
        "" if lead_s is None else (f"，{lead_s / 60:.0f} 分钟后" if language == "zh" else f", in {lead_s / 60:.0f} min")
    )
    by = [RESTS[one][0 if language == "zh" else 1] for one in told["rests_on"] if lead_s is not None]
    grounds_of_it = "" if not by else f"（{'、'.join(by)}）" if language == "zh" else f" ({', '.join(by)})"
    return f"{number}, {told['probability']:.0%}{lead}{grounds_of_it}"


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
    if made["usual"] is not None:
        what, by = ("此时平常", "客流普查") if zh else ("usual at this hour", "the survey")
        shown.add_row(what, by, f"{made['usual']:,}")
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


def listed(heads: Mapping[str, Sequence[str]], rows: Iterable[Sequence[str]], lang: str) -> None:
    """Print rows under headings, which are given by language."""
    shown = table("", *heads["zh" if lang == "zh" else "en"])
    for row in rows:
        shown.add_row(*row)
    out.print(shown)


@contextlib.contextmanager
def unprinted() -> Iterator[None]:
    """Keep the solver's banner, printed below Python whatever it is told, off standard output."""
    sys.stdout.flush()
    kept, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 1)
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)


def wrote(path: Path, content: bytes, more: str = "") -> None:
    """Write a file, and say so."""
    try:
        path.write_bytes(content)
    except OSError as fault:
        raise Unavailable(f"file {path}", f"must be writable ({fault.strerror})", "choose another") from None
    out.print(f"[green]wrote[/] {escape(str(path))}{more}", soft_wrap=True)
