"""`make bench AREA=...`: measure one area beside its peers, print the table, write bench/results/AREA.json.

An area is a module `bench/AREA.py` with `rows(quick, say) -> Iterable[Row]`: every figure of one table is taken in
one run on one machine, and a peer that is not installed is said to be missing, not left out. Where an area takes hours
it has parts, `PARTS: Mapping[str, rows]`, and `make bench AREA=crowd PART=health` measures one of them: its rows take
their places in the file, all others stay as they were measured.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import sys
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from row import Row

HERE = Path(__file__).parent


def table(area: str, rows: list[Row]) -> Table:
    """Return the rows as a table that a person reads."""
    shown = Table(
        title=f"{area} on {platform.processor() or platform.machine()}, {os.cpu_count()} cores", title_justify="left"
    )
    for heading in ("id", "what", "value", "goal", "", "peer"):
        shown.add_column(heading, justify="right" if heading in {"value", "goal"} else "left")
    for row in rows:
        mark = "" if row.ok is None else ("[green]ok[/]" if row.ok else "[red]short[/]")
        value = "unknown" if row.value is None else f"{row.value:,.4g} {row.unit}"
        shown.add_row(row.id, row.what, value, row.goal or "", mark, row.peer or "")
    return shown


def kept(out: Path, rows: list[Row]) -> list[dict[str, object]]:
    """Return the rows of a file, as plain values, with those that were measured anew in their places."""
    before = json.loads(out.read_text())["rows"] if out.exists() else []
    new = {row.id: asdict(row) for row in rows}
    old = [new.pop(row["id"], row) for row in before]
    return [*old, *new.values()]


def main() -> int:
    """Measure, print, write; exit with 1 where a goal is missed and --strict is given."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument(
        "area",
        choices=sorted(
            p.stem
            for p in HERE.glob("*.py")
            if p.stem not in {"run", "row", "peers", "accuracy", "ground", "beside", "learned"} and "_" not in p.stem
        ),
    )
    asked.add_argument("--strict", action="store_true", help="exit with 1 where a goal is missed")
    asked.add_argument("--quick", action="store_true", help="shorter runs, to see that the bench works")
    asked.add_argument("--part", default="", help="measure this part of the area alone")
    given = asked.parse_args()
    console = Console() if sys.stdout.isatty() else Console(width=180)
    area = importlib.import_module(given.area)
    parts = getattr(area, "PARTS", {})
    if given.part and given.part not in parts:
        asked.error(f"--part {given.part} must be one of {', '.join(parts) or 'none'}, the parts of {given.area}")
    measure = parts[given.part] if given.part else area.rows
    rows = list(measure(quick=given.quick, say=console.log))
    console.print(table(given.area, rows))
    out = HERE / "results" / f"{given.area}.json"
    out.parent.mkdir(exist_ok=True)
    told = {"rows": kept(out, rows) if given.part else [asdict(row) for row in rows]}
    plain = json.dumps(told, indent=2, ensure_ascii=False, default=lambda value: value.item())  # some are numpy's
    out.write_text(plain + "\n")
    console.print(f"written to {out}")
    return int(given.strict and any(row.ok is False for row in rows))


if __name__ == "__main__":
    sys.exit(main())
