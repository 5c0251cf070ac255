"""A case type as a picture: Mermaid text, which documentation sites and many editors draw."""

from __future__ import annotations

from anlan.cases.definition import CaseType, Transition


def diagram(kind: CaseType, language: str = "en") -> str:
    """Return the states and steps of a type as a Mermaid state diagram.

    Each arrow tells the step and who may take it; ``◆`` is a guard, a gate or another condition, ``⎘`` evidence,
    ``✎`` a note, ``⚭`` four eyes.
    """
    gates = {gate.transition for gate in kind.gates}
    lines = ["stateDiagram-v2", f"  [*] --> {kind.opens}"]
    lines += [f'  state "{_plain(one.label[language])}" as {name}' for name, one in kind.states.items()]
    for name, step in kind.transitions.items():
        marks = [
            mark
            for mark, holds in (
                ("◆", step.guard is not None or name in gates or step.children_closed or _waits(step)),
                ("⎘", bool(step.evidence)),
                ("✎", step.note),
                ("⚭", bool(step.other_than or step.other_unit_than)),
            )
            if holds
        ]
        roles = ", ".join(_plain(kind.roles[one][language]) for one in sorted(step.roles))
        told = " ".join([_plain(step.label[language]), f"({roles})", *marks])
        lines += [f"  {one} --> {step.target}: {told}" for one in kind.states if one in step.sources]
    lines += [f"  {name} --> [*]" for name, one in kind.states.items() if one.closed]
    return "\n".join(lines) + "\n"


def _waits(step: Transition) -> bool:
    return bool(step.waits or step.within or step.unit or step.clear_of)


def _plain(text: str) -> str:
    return text.replace('"', "'").replace(":", " ").replace("\n", " ")
