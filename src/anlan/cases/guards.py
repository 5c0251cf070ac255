"""Guards: a small language of conditions over a case's own fields, evidence and history. Nothing in it can run code.

``amount <= 5000 and (kind in ['road', 'light'] or given(reason)) and times(dispute) < 1``
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from anlan.kernel.errors import BadInput

Truth = bool | None
"""Whether a condition holds; None where a field it needs has not been filled in."""

LONGEST = 1000
DEEPEST = 20
_TOKEN = re.compile(
    r"\s*(?:(?P<number>-?\d+(?:\.\d+)?)|'(?P<text>[^']*)'|(?P<word>[a-z_][a-z0-9_]*)|(?P<mark>==|!=|<=|>=|[<>()\[\],]))"
)
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
    "in": lambda one, many: one in many,
}  # fmt: skip
ASKS = ("given", "has", "times", "rows")
"""``given(field)``, ``has(evidence)``, ``times(transition)``, ``rows(table)``."""
OVER = ("some", "every")
"""``some(table, condition of a row)``, ``every(table, condition of a row)``."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a guard may ask about."""

    values: Mapping[str, Any]
    evidence: frozenset[str]
    times: Mapping[str, int]
    options: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """What each column of choices, ``table.column``, may hold: what ``covers`` asks for."""


@dataclass(frozen=True, slots=True)
class Literal:
    """A number, a text, true or false, or a list of these."""

    value: Any


@dataclass(frozen=True, slots=True)
class Name:
    """The value of a field."""

    name: str


@dataclass(frozen=True, slots=True)
class Ask:
    """Whether a field is filled in, evidence is there, how often a step was taken, or how many rows a table has."""

    what: str
    name: str


@dataclass(frozen=True, slots=True)
class Both:
    """Two parts joined by a comparison, ``and`` or ``or``."""

    sign: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Not:
    """The contrary."""

    part: Node


@dataclass(frozen=True, slots=True)
class Over:
    """Whether a condition holds of some row of a table, or of every one."""

    what: str
    table: str
    part: Node


@dataclass(frozen=True, slots=True)
class Covers:
    """Whether each option of a column of choices stands in some row of a table."""

    table: str
    column: str


Node = Literal | Name | Ask | Both | Not | Over | Covers


@dataclass(frozen=True, slots=True)
class Expression:
    """A guard that has been read, with its text."""

    text: str
    root: Node

    def holds(self, facts: Facts) -> Truth:
        """Tell whether it holds; None where a field that decides it is not filled in (Kleene's three values).

        Examples
        --------
        >>> guard = read_guard("cost < 100 or urgent")
        >>> guard.holds(Facts({"urgent": True}, frozenset(), {})), guard.holds(Facts({}, frozenset(), {}))
        (True, None)
        """
        return _truth(self.root, facts)

    def parts(self) -> Iterator[Node]:
        """Yield every part, the whole first; what is asked of the rows of a table is not looked into."""
        waiting: list[Node] = [self.root]
        while waiting:
            node = waiting.pop()
            yield node
            if isinstance(node, Both):
                waiting += [node.left, node.right]
            elif isinstance(node, Not):
                waiting.append(node.part)


def read_guard(text: str) -> Expression:
    """Return a guard.

    Operators: ``or``, ``and``, ``not``, ``== != < <= > >= in``. Values: ``true``, ``false``, numbers, ``'text'``,
    ``['a', 'b']``, field names; ``given(field)``, ``has(evidence)``, ``times(transition)``, ``rows(table)``,
    ``some(table, condition)``, ``every(table, condition)``, ``covers(table, column)``.

    Examples
    --------
    >>> read_guard("times(dispute) < 1").holds(Facts({}, frozenset(), {"dispute": 1}))
    False
    >>> read_guard("cost <")
    Traceback (most recent call last):
    anlan.kernel.errors.BadInput: guard 'cost <' must go on after '<'; complete it.

    Raises
    ------
    BadInput
        If it is no condition of this language.
    """
    if len(text) > LONGEST:
        raise BadInput(f"guard of {len(text)} characters", f"must have <= {LONGEST}", "split it into two steps")
    reader = _Reader(text)
    root = reader.either(0)
    if reader.peek() is not None:
        reader.refuse(f"must end before {reader.peek()!r}", "join the two parts with and, or")
    return Expression(text, root)


class _Reader:
    """Recursive descent over the tokens of one guard."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens: list[tuple[str, str]] = []
        self._k = 0
        at, end = 0, len(text.rstrip())
        while at < end:
            found = _TOKEN.match(text, at)
            if found is None:
                rule = f"has {text[at:].strip()[:1]!r}, which means nothing here"
                raise BadInput(f"guard {text!r}", rule, "see the operators of guards")
            self._tokens.append((str(found.lastgroup), found[str(found.lastgroup)]))
            at = found.end()

    def refuse(self, rule: str, next_step: str) -> Any:
        raise BadInput(f"guard {self._text!r}", rule, next_step)

    def peek(self) -> str | None:
        if self._k >= len(self._tokens):
            return None
        kind, text = self._tokens[self._k]
        return f"'{text}'" if kind == "text" else text

    def take(self) -> tuple[str, str]:
        if self._k >= len(self._tokens):
            before = f" after {self._tokens[-1][1]!r}" if self._tokens else ""
            self.refuse(f"must go on{before}" if before else "must say something", "complete it")
        self._k += 1
        return self._tokens[self._k - 1]

    def expect(self, mark: str) -> None:
        kind, text = self.take()
        if kind == "text" or text != mark:
            self.refuse(f"must have {mark!r} where it has {text!r}", "correct it")

    def either(self, depth: int) -> Node:
        if depth > DEEPEST:
            self.refuse(f"must not nest deeper than {DEEPEST}", "write it simpler")
        node = self.every(depth)
        while self.peek() == "or":
            self.take()
            node = Both("or", node, self.every(depth))
        return node

    def every(self, depth: int) -> Node:
        node = self.contrary(depth)
        while self.peek() == "and":
            self.take()
            node = Both("and", node, self.contrary(depth))
        return node

    def contrary(self, depth: int) -> Node:
        n = 0
        while self.peek() == "not":
            self.take()
            n += 1
        node = self.compared(depth)
        return Not(node) if n % 2 else node

    def compared(self, depth: int) -> Node:
        left = self.operand(depth)
        sign = self.peek()
        if sign not in _COMPARE:
            return left
        self.take()
        return Both(str(sign), left, self.operand(depth))

    def operand(self, depth: int) -> Node:
        kind, text = self.take()
        if kind in {"number", "text"}:
            return Literal(_number(text) if kind == "number" else text)
        if text == "(":
            node = self.either(depth + 1)
            self.expect(")")
            return node
        if text == "[":
            return self.several()
        if kind != "word" or text in {"and", "or", "in", "not"}:
            self.refuse(f"must have a field or a value where it has {text!r}", "correct it")
        if text in {"true", "false"}:
            return Literal(text == "true")
        if self.peek() != "(":
            return Name(text)
        return self.asked(text, depth)

    def asked(self, what: str, depth: int) -> Node:
        if what not in (*ASKS, *OVER, "covers"):
            self.refuse(f"asks {what}(), which there is not", f"ask one of {', '.join((*ASKS, *OVER, 'covers'))}")
        self.take()
        _, name = self.take()
        if what in ASKS:
            self.expect(")")
            return Ask(what, name)
        self.expect(",")
        node = Covers(name, self.take()[1]) if what == "covers" else Over(what, name, self.either(depth + 1))
        self.expect(")")
        return node

    def several(self) -> Literal:
        values: list[Any] = []
        while True:
            kind, text = self.take()
            if kind not in {"number", "text"}:
                self.refuse(f"must have numbers or 'texts' in its list, not {text!r}", "correct it")
            values.append(_number(text) if kind == "number" else text)
            if self.peek() == "]":
                self.take()
                return Literal(tuple(values))
            self.expect(",")


def _number(text: str) -> float:
    return float(text) if "." in text else int(text)


def _value(node: Node, facts: Facts) -> Any:
    if isinstance(node, Literal):
        return node.value
    if isinstance(node, Name):
        return facts.values.get(node.name)
    if isinstance(node, Ask) and node.what == "times":
        return facts.times.get(node.name, 0)
    if isinstance(node, Ask) and node.what == "rows":
        return len(facts.values.get(node.name, ()))
    return _truth(node, facts)


def _truth(node: Node, facts: Facts) -> Truth:
    if isinstance(node, Not):
        part = _truth(node.part, facts)
        return None if part is None else not part
    if isinstance(node, Ask) and node.what in {"given", "has"}:
        return node.name in (facts.values if node.what == "given" else facts.evidence)
    if isinstance(node, Over | Covers):
        return _over(node, facts)
    if isinstance(node, Both) and node.sign in {"and", "or"}:
        return _joined([_truth(node.left, facts), _truth(node.right, facts)], decisive=node.sign == "or")
    if isinstance(node, Both):
        left, right = _value(node.left, facts), _value(node.right, facts)
        return None if left is None or right is None else _COMPARE[node.sign](left, right)
    value = _value(node, facts)
    return value if isinstance(value, bool) else None


def _over(node: Over | Covers, facts: Facts) -> Truth:
    rows = facts.values.get(node.table)
    if rows is None:
        return None
    if isinstance(node, Covers):
        asked = facts.options.get(f"{node.table}.{node.column}", frozenset())
        return asked <= {row.get(node.column) for row in rows}
    sides = [_truth(node.part, Facts(row, frozenset(), {})) for row in rows]
    return _joined(sides, decisive=node.what == "some")


def _joined(sides: list[Truth], *, decisive: bool) -> Truth:
    """Return what parts say together: one that decides is enough; none decides where one is unknown."""
    if decisive in sides:
        return decisive
    return None if None in sides else not decisive
