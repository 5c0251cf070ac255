"""Reach: how soon help is there, where units wait, who goes and who is on duty, beside what others would use.

Each part is a module ``response_PART.py`` beside this one with ``rows(quick, say)``; it is found by its name.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from row import Row


def rows(*, quick: bool, say: Callable[[str], None]) -> Iterator[Row]:
    """Every part's rows, in the order of their ids."""
    made: list[Row] = []
    for name in sorted(path.stem for path in Path(__file__).parent.glob("response_*.py")):
        say(f"measuring {name}")
        made += importlib.import_module(name).rows(quick=quick, say=say)
    yield from sorted(made, key=_place)


def _place(row: Row) -> tuple[tuple[int, ...], str]:
    """Return where a row stands: 3.10a comes after 3.9."""
    return tuple(int(part) for part in re.findall(r"\d+", row.id)), row.id
