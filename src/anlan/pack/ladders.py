"""``ladders.csv``: the limits of a district, each with its source, checked and turned into ladders."""

from __future__ import annotations

from anlan.kernel.errors import BadInput
from anlan.kernel.ladders import EVERYWHERE, Also, Ladder, Limits, Measure
from anlan.pack.faults import Findings
from anlan.pack.forms import RUNGS
from anlan.pack.tables import Row, Table


def check_ladders(table: Table, places: Table, devices: Table, findings: Findings) -> None:
    """Tell every ladder that does not rise, is of nothing in the pack, or says again what is said elsewhere."""
    own = {row.values["id"]: row for row in places.rows if row.values["thresholds"] is not None}
    known = {EVERYWHERE, *(row.values["id"] for row in (*places.rows, *devices.rows))}
    known |= {row.values["kind"] for row in places.rows}
    seen: dict[tuple[str, str, str | None], Row] = {}
    for row in table.rows:
        of, measure, also = (row.values[name] for name in ("of", "measure", "also"))
        if of not in known:
            findings.add(table.at(row), f"of={of}", "must be a place, its kind, a device, or *", "correct the id")
        if measure is None:
            continue
        before = seen.setdefault((of, measure, also), row)
        if before is not row:
            findings.add(
                table.at(row), f"{measure} of {of}", f"must come once (row {before.number} has it)", "keep one"
            )
        if of in own and measure == Measure.DENSITY and also is None:
            rule = f"must come once (places.geojson, row {own[of].number} has thresholds)"
            findings.add(table.at(row), f"{measure} of {of}", rule, "keep one of the two")
        _check_source(table, row, findings)
        try:
            ladder_of(row)
        except BadInput as fault:
            findings.add(table.at(row), fault.value, fault.rule, fault.next_step)


def _check_source(table: Table, row: Row, findings: Findings) -> None:
    """Tell a ladder without an authority, or with one for all languages and one for each."""
    one, each = row.values["source"], row.name
    if one is None and not each:
        findings.add(table.at(row), "source=''", "must be given", "give it, or source_<language> for each language")
    elif one is not None and each:
        findings.add(table.at(row), f"source={one!r}", "must not stand beside source_<language>", "keep one of the two")


def ladder_of(row: Row) -> Ladder:
    """Return the ladder of a row.

    Raises
    ------
    BadInput
        If its limits do not rise.
    """
    values = row.values
    limits: Limits = (values[RUNGS[0]], values[RUNGS[1]], values[RUNGS[2]], values[RUNGS[3]])
    return Ladder(
        of=values["of"],
        measure=Measure(values["measure"]),
        limits=limits,
        source=values["source"] or row.name,
        also=Also(values["also"]) if values["also"] else None,
        above=values["above"],
    )
