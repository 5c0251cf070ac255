"""Resolve: every matter has an owner, a clock and an ending. Case types are data; this is the engine that runs them."""

from anlan.cases.clocks import Firing, Light, Phase, Reading, Turn, firings, read_clocks, turns
from anlan.cases.definition import OPEN, CaseType, Catalogue
from anlan.cases.diagram import diagram
from anlan.cases.forgetting import Destruction, forget, forget_at
from anlan.cases.guards import Expression, Facts, read_guard
from anlan.cases.library import shipped_types
from anlan.cases.lint import lint_type, read_type
from anlan.cases.machine import (
    Action,
    By,
    Case,
    CaseChange,
    Linked,
    advance,
    applied,
    carried,
    closed_at,
    facts_of,
    next_steps,
    open_case,
    public_fields,
    readable,
    readable_history,
    ripe_steps,
)
from anlan.cases.reading import Fault
from anlan.cases.replay import Told, replay
from anlan.cases.working import WorkTime

__all__ = [
    "OPEN",
    "Action",
    "By",
    "Case",
    "CaseChange",
    "CaseType",
    "Catalogue",
    "Destruction",
    "Expression",
    "Facts",
    "Fault",
    "Firing",
    "Light",
    "Linked",
    "Phase",
    "Reading",
    "Told",
    "Turn",
    "WorkTime",
    "advance",
    "applied",
    "carried",
    "closed_at",
    "diagram",
    "facts_of",
    "firings",
    "forget",
    "forget_at",
    "lint_type",
    "next_steps",
    "open_case",
    "public_fields",
    "read_clocks",
    "read_guard",
    "read_type",
    "readable",
    "readable_history",
    "replay",
    "ripe_steps",
    "shipped_types",
    "turns",
]
