"""What is wrong with a pack, told so that its author can mend it without asking."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from anlan.kernel.errors import BadInput

_TOLD = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault of a pack.

    ``row`` is the number of the feature in a GeoJSON file, counted from 1, or the line of a CSV file with the header
    as line 1; None where the fault is of the file as a whole. A fault that is not ``blocking`` is worth mending, and
    the pack opens all the same.
    """

    file: str
    row: int | None
    value: str
    rule: str
    remedy: str
    blocking: bool = True

    @property
    def where(self) -> str:
        """File and row in words: ``places.geojson, row 3``."""
        return self.file if self.row is None else f"{self.file}, row {self.row}"

    def __str__(self) -> str:
        return f"{self.where}: {self.value} {self.rule}; {self.remedy}."


class Findings:
    """The faults found so far in one pack."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []

    def add(self, where: tuple[str, int | None], value: str, rule: str, remedy: str) -> None:
        """Keep a fault that must be mended before the pack can be used."""
        file, row = where
        self.faults.append(Fault(file=file, row=row, value=value, rule=rule, remedy=remedy))

    def advise(self, where: tuple[str, int | None], value: str, rule: str, remedy: str) -> None:
        """Keep a fault with which the pack still opens."""
        file, row = where
        self.faults.append(Fault(file=file, row=row, value=value, rule=rule, remedy=remedy, blocking=False))

    def unknown(self, where: tuple[str, int | None], what: str, name: str, known: Iterable[str]) -> None:
        """Keep a name that the format does not have; one that looks misspelt blocks, for its value would be lost."""
        near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.8)
        rule = f"is no {what} of format 1"
        if near:
            self.add(where, f"{what} {name!r}", rule, f"write {near[0]!r} if that is meant")
        else:
            self.advise(where, f"{what} {name!r}", rule, "remove it: it is not read")


def refusal(folder: Path, faults: Sequence[Fault]) -> BadInput:
    """Return the error that tells the first blocking faults of a pack, and how to see the rest."""
    blocking = [fault for fault in faults if fault.blocking]
    first, others = blocking[0], blocking[1:_TOLD]
    steps = [first.remedy, *(f"{fault.where}: {fault.value} {fault.rule}; {fault.remedy}" for fault in others)]
    if len(blocking) > _TOLD:
        steps.append(f"and {len(blocking) - _TOLD} more faults: `anlan district check {folder}` tells them all")
    return BadInput(f"{first.where}: {first.value}", first.rule, ". ".join(steps))
