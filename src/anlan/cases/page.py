"""A case type as a page: what it is for, its picture, clocks, tables, papers, gates and when it is forgotten."""

from __future__ import annotations

from collections.abc import Iterator

from anlan.cases.definition import Amount, CaseType, ClockRule, Counted, CountRule, Measured, Service, Transition
from anlan.cases.diagram import diagram


def page(kind: CaseType) -> str:
    """Return a section in Markdown that describes a type: English first, its words in Chinese beside them."""
    parts = [
        f"## {kind.label['en']} · {kind.label['zh']}",
        f"`{kind.type_id}`, version {kind.version}, {kind.confidentiality}. {kind.purpose['en']}",
        kind.purpose["zh"],
        f"```mermaid\n{diagram(kind)}```",
        *_clocks(kind),
        *_tables(kind),
        *_orders(kind),
        *_waits(kind),
        *_papers(kind),
        *_public(kind),
        *_runs(kind),
        _forgotten(kind),
    ]
    return "\n\n".join(parts) + "\n"


def _length(amount: Amount) -> str:
    working = "working " if amount.measured is Measured.WORKING else ""
    return f"{amount.n} {working}{amount.unit}"


def _limit(clock: ClockRule) -> str:
    return _length(clock.limit) if clock.limit is not None else f"`{clock.until}`"


def _clocks(kind: CaseType) -> Iterator[str]:
    rows = []
    for one in kind.clocks:
        climbs = [f"{step.share:g}×: {step.to}{' with a letter' if step.letter else ''}" for step in one.climbs]
        rows.append(f"| {one.label['en']} | {one.label['zh']} | {_limit(one)} | {', '.join(climbs) or '—'} |")
    if rows:
        yield "\n".join(["| clock | 时限 | limit | beyond it |", "|---|---|---|---|", *rows])


def _tables(kind: CaseType) -> Iterator[str]:
    for one in kind.fields.values():
        if not one.columns:
            continue
        told = ", ".join(column.label["en"] for column in one.columns.values())
        rule = f" Each row: {one.because['en']}." if one.because else ""
        yield f"**Table `{one.field_id}`** ({one.label['en']}, {one.label['zh']}): {told}.{rule}"


def _orders(kind: CaseType) -> Iterator[str]:
    told = [
        f"`{name}` after {', '.join(f'`{one}`' for one in own.after)}" for name, own in kind.fields.items() if own.after
    ]
    if told:
        yield f"**In this order:** {'; '.join(told)}."


def _runs(kind: CaseType) -> Iterator[str]:
    live = kind.live
    if live is not None:
        states = ", ".join(sorted(live.states))
        tables = f"`{live.triggers}` over `{live.zones}` and `{live.devices}`"
        yield f"**Runs:** {tables}, every minute while it is {states}."
    told = [f"`{name}` ({_counted(one.counted)})" for name, one in kind.fields.items() if one.counted is not None]
    if told:
        yield f"**Counted by the district where left empty:** {'; '.join(told)}."
    if kind.carried:
        yield f"**Handed on to the next:** {', '.join(sorted(kind.carried))}."


def _counted(rule: CountRule) -> str:
    if rule.of is not Counted.INCIDENTS:
        return rule.of.replace("_", " ")
    when = f"before {rule.before}" if rule.before is not None else f"after {rule.after}"
    return f"incidents within {rule.near_m:g} m, {rule.days} days {when}"


def _waits(kind: CaseType) -> Iterator[str]:
    for gate in kind.gates:
        yield f"**Gate:** `{gate.transition}` waits for a `{gate.type_id}` that is {', '.join(sorted(gate.states))}."
    told = [text for step in kind.transitions.values() for text in _rules(step)]
    if told:
        yield "**Rules:** " + "; ".join(told) + "."


def _rules(step: Transition) -> Iterator[str]:
    name = f"`{step.transition_id}`"
    if step.waits:
        yield f"{name} after {_length(step.waits)} in its state"
    if step.within:
        yield f"{name} within {_length(step.within)}"
    if step.unit:
        yield f"{name} by the unit in `{step.unit}` only"
    if step.clear_of:
        yield f"{name} with no {', '.join(sorted(step.clear_of))} open"
    if step.children_closed:
        yield f"{name} when all its parts have ended"
    if step.moves_up:
        yield f"{name} moves it one level up"


def _papers(kind: CaseType) -> Iterator[str]:
    if kind.documents:
        told = [f"{one.label['en']} ({one.label['zh']})" for one in kind.documents.values()]
        yield f"**Papers:** {', '.join(told)}."
    if kind.children:
        yield f"**Parts:** {', '.join(sorted(kind.children))}."


def _public(kind: CaseType) -> Iterator[str]:
    side = kind.public_side
    if side is None:
        return
    yield "\n".join(
        [
            "| residents may report | 诉求类别 | asked (needed in bold) | the public reads the place as |",
            "|---|---|---|---|",
            *(
                f"| {kind.fields[side.by].options[name]['en']} | {kind.fields[side.by].options[name]['zh']} | "
                f"{', '.join(_asked(kind, one)) or '—'} | {one.place} |"
                for name, one in side.services.items()
            ),
        ]
    )
    public = [one.label["en"] for one in kind.fields.values() if one.public]
    own = [kind.fields[name].label["en"] for name in sorted(side.tells)]
    own += [kind.evidence[name]["en"] for name in sorted(side.shows)]
    own += [f"what is asked by `{name}`" for name in sorted(side.notes)]
    yield f"**Anybody reads:** {', '.join(public)}. **Whoever reported reads, too:** {', '.join(own) or 'nothing'}."


def _asked(kind: CaseType, service: Service) -> Iterator[str]:
    for name in service.asks:
        text = kind.fields[name].label["en"]
        yield f"**{text}**" if name in service.needs else text


def _forgotten(kind: CaseType) -> str:
    rule = kind.retention
    kept = ", ".join(sorted(rule.keeps)) or "nothing"
    return (
        f"**Forgotten** {_length(rule.after)} after its end ({rule.basis['en']}); kept: {kept}; "
        f"area down to the {rule.level}."
    )
