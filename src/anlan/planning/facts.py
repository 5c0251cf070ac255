"""What a plan of posts says, as tables in the words of a language: for terminal, page, workbook and paper."""

from __future__ import annotations

from anlan.planning.ground import Ground, Hours
from anlan.planning.posts import PostsPlan
from anlan.planning.rings import WORDS

Facts = list[tuple[str, list[list[str]]]]
"""Tables: each a title, and rows of which the first is the heading."""


def proof(gap: float, *, proved: bool, zh: bool) -> str:
    """Return how sure it is that nothing better exists."""
    if proved:
        return "已证最优" if zh else "proved"
    return f"差距 ≤ {gap:.2%}" if zh else f"gap <= {gap:.2%}"


def facts_of(made: PostsPlan, language: str) -> Facts:
    """Return the tables of a plan, for terminal, page and workbook: a title and rows, the first of them the heading."""
    zh, ground = language == "zh", made.ground
    by_key = {one.key: one for one in made.asked.periods}
    kinds = sorted({kind for one in made.plan.periods for kind in one.posts})
    periods = [
        ["时段", "小时", *(WORDS[kind][0] for kind in kinds), "单元", "至少", "忙碌"]
        if zh
        else ["period", "hours", *(WORDS[kind][1] for kind in kinds), "units", "at least", "busy"]
    ]
    rings = [
        ["时段", "承诺", "须可达单元", "承诺占比", "可达", "可靠可达", "结果"]
        if zh
        else ["period", "ring", "units needed", "promised", "reached", "reliably", "outcome"]
    ]
    words = ("兑现", "未能兑现") if zh else ("kept", "NOT kept")
    for one in made.plan.periods:
        name, hours = ground.named(by_key[one.period].label), by_key[one.period]
        counts = [str(len(one.posts[kind])) for kind in kinds]
        periods.append(
            [
                name,
                f"{hours.begin:02d}-{hours.end:02d}",
                *counts,
                str(one.n_units),
                str(one.fewest),
                f"{_busy_of(made, hours):.0%}",
            ]
        )
        for asked, ring in zip(made.asked.rings, one.rings, strict=True):
            told = [f"{share:.1%}" for share in (ring.share, ring.reached, ring.reliable)]
            rings.append([name, asked.told(zh=zh), str(ring.need), *told, words[0] if ring.kept else words[1]])
    return [
        ("各时段最少单元" if zh else "Fewest units by period", periods),
        ("各圈层" if zh else "Rings", rings),
        *_price_facts(made, zh=zh),
        *_post_facts(made, zh=zh),
        _asked_facts(made, zh=zh),
    ]


def _asked_facts(made: PostsPlan, *, zh: bool) -> tuple[str, list[list[str]]]:
    """Return what was asked: the rings with their shares, the key areas, and what was said of calls."""
    asked = made.asked
    rows = [["圈层", "占比", "可靠度"] if zh else ["ring", "share", "reliability"]]
    rows += [[one.told(zh=zh), f"{100 * one.share:.4g}%", f"{100 * one.reliability:.4g}%"] for one in asked.rings]
    rows += [[f"{'重点区域' if zh else 'key area'}: {made.ground.named(one)}", "", ""] for one in asked.key_names]
    unnamed = len(asked.key_areas) - len(asked.key_names)
    if unnamed > 0:
        rows.append([f"{'其他重点区域' if zh else 'other key areas'}: {unnamed}", "", ""])
    if asked.load is not None:
        per_hour, minutes = asked.load.per_hour, asked.load.busy_s / 60
        said = f"每小时 {per_hour:g} 起，每起占用 {minutes:g} 分钟" if zh else (
            f"{per_hour:g} incidents an hour, each keeping a unit for {minutes:g} min"
        )  # fmt: skip
        rows.append([said, "", ""])
    return ("所求" if zh else "What was asked"), rows


def _busy_of(made: PostsPlan, hours: Hours) -> float:
    return hours.busy if made.asked.busy is None else made.asked.busy


def _price_facts(made: PostsPlan, *, zh: bool) -> Facts:
    minutes = [
        ["承诺（分钟）", "驻点", "下界", "是否最优"] if zh else ["promise, min", "posts", "at least", "how sure"]
    ]
    for one in made.by_minutes:
        gap = (one.n - one.bound) / max(one.n, 1)
        minutes.append([f"{one.minutes:g}", str(one.n), f"{one.bound:.0f}", proof(gap, proved=one.proved, zh=zh)])
    units = [["车辆", "三分钟可达", "上界", "是否最优"] if zh else ["vehicles", "within 3 min", "at most", "how sure"]]
    for one in made.by_units:
        gap = max(one.bound - one.share, 0.0)
        units.append([str(one.n), f"{one.share:.1%}", f"{one.bound:.1%}", proof(gap, proved=one.proved, zh=zh)])
    when = made.ground.named(made.slowest.label)
    names = (
        (f"承诺的代价：全覆盖所需驻点（车辆，{when}）", f"承诺的代价：车辆数与三分钟可达（{when}）")
        if zh
        else (f"Price of the promise everywhere (vehicle, {when})", f"What one more vehicle buys ({when})")
    )
    return list(zip(names, (minutes, units), strict=True))


def _post_facts(made: PostsPlan, *, zh: bool) -> Facts:
    ground, seven = made.ground, made.seven
    heads = ["序号", "驻点", "经度", "纬度", "独有价值"] if zh else ["no.", "post", "lon", "lat", "worth"]
    best = [heads]
    for n, site in enumerate(seven.plan.posts, 1):
        best.append([str(n), *_where(ground, site), f"{seven.worth.get(site, 0.0):.2%}"])
    n = len(seven.plan.posts)
    sure = proof(seven.plan.gap, proved=seven.plan.proved, zh=zh)
    shares = ("，" if zh else ", ").join(
        f"{one:g} {'分钟' if zh else 'min'} {share:.1%}" for one, share in seven.shares
    )
    told = f"{n} 辆车的最佳 1-3-5（{shares}；{sure}）" if zh else f"Best 1-3-5 of {n} vehicles ({shares}; {sure})"
    worth = [["单元", "驻点", "经度", "纬度", "独有价值"] if zh else ["units", "post", "lon", "lat", "worth"]]
    period = made.plan.periods[made.asked.periods.index(made.slowest)]
    sites = period.posts.get("vehicle", ())
    worth += [
        [str(sites.count(site)), *_where(ground, site), f"{made.worth.get(site, 0.0):.2%}"]
        for site in sorted(set(sites), key=lambda one: -made.worth.get(one, 0.0))
    ]
    when = ground.named(made.slowest.label)
    name = (
        f"车辆驻点与撤去一辆后失去的三分钟可达（{when}）"
        if zh
        else f"Vehicle posts, and what is lost without one unit ({when})"
    )
    return [(told, best), (name, worth)]


def _where(ground: Ground, site: int) -> list[str]:
    lon, lat = ground.graph.lon_lat([ground.sites[site]])[0]
    return [ground.site_name(site), f"{lon:.5f}", f"{lat:.5f}"]
