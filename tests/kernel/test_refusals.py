"""Whatever a user can be refused over HTTP is said in both languages."""

import ast
import re
import string
from pathlib import Path

import pytest

import anlan
from anlan.cases import shipped_types
from anlan.command.guard import told
from anlan.kernel.errors import AnlanError, BadInput, Conflict, NotFound
from anlan.kernel.refusals import in_chinese, table

SRC = Path(anlan.__file__).parent


def kinds_of(kind):
    """Return the names of an error and of all that are made of it."""
    return {kind.__name__}.union(*map(kinds_of, kind.__subclasses__()))


KINDS = kinds_of(AnlanError)
MET = ("cases", "matters", "indicators", "papers", "community", "volunteers", "command", "reach", "staff", "duty.py",
       "underway", "proof/proofs.py", "planning/desk.py", "planning/rings.py", "kernel/access.py", "kernel/entries.py",
       "kernel/clock.py", "kernel/weather.py", "ingest/weather.py", "outlook/weather.py", "district.py", "counting.py",
       "crowd/count.py", "crowd/flow.py", "crowd/sensing.py", "crowd/whatif", "kernel/geo.py", "kernel/pack.py",
       "kernel/records.py", "response/dispatch/steps.py", "response/dispatch/positions.py",
       "store/duck.py")  # fmt: skip
BY_AUTHORS = {
    "cases/lint.py", "cases/reading.py", "cases/guards.py", "cases/library/__init__.py", "cases/replay.py",
    "cases/working.py", "indicators/definition.py", "indicators/bulletin.py", "papers/layout.py",
    "papers/seal.py", "community/lists.py", "command/residents/settings.py", "matters/routing.py", "staff/roles.py",
}  # fmt: skip
"""These read what an author of a file wrote, or a calendar: their faults are told in the terminal, at the start."""


def texts(node, named):
    """Return every text that an expression may be, with {} for what it fills in; None for what cannot be told."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [re.sub(r"\{\w+:g\}", "{}", node.value)]
    if isinstance(node, ast.JoinedStr):
        return ["".join(str(one.value) if isinstance(one, ast.Constant) else "{}" for one in node.values)]
    if isinstance(node, ast.IfExp):
        return texts(node.body, named) + texts(node.orelse, named)
    if isinstance(node, ast.Name):
        return [text for one in named.get(node.id, ()) for text in texts(one, {})]
    return []


def said_in_code():
    """Yield the rules and the next steps that the code refuses with, and where."""
    for part in MET:
        path = SRC / part
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            where = str(file.relative_to(SRC))
            if where not in BY_AUTHORS:
                nodes = list(ast.walk(ast.parse(file.read_text(encoding="utf-8"))))
                yield from (
                    (kind, text, f"{where}:{line}") for kind, text, line in [*rules_in(nodes), *raised_in(nodes)]
                )


def rules_in(nodes):
    """Yield whatever text reads like a rule, wherever it stands."""
    parts = {id(one) for text in nodes if isinstance(text, ast.JoinedStr) for one in text.values}
    for one in nodes:
        if isinstance(one, ast.Constant | ast.JoinedStr) and id(one) not in parts:
            yield from (("rules", text, one.lineno) for text in texts(one, {}) if is_rule(text))


def is_rule(text):
    return text.startswith("must ") and "\n" not in text


def raised_in(nodes):
    """Yield what errors are made of."""
    named = {}
    for one in nodes:
        if isinstance(one, ast.Assign) and isinstance(one.targets[0], ast.Name):
            named.setdefault(one.targets[0].id, []).append(one.value)
    for call in nodes:
        made = isinstance(call, ast.Call) and len(call.args) == 3
        if made and getattr(call.func, "id", getattr(call.func, "attr", "")) in KINDS:
            yield from (("rules", text, call.lineno) for text in texts(call.args[1], named))
            yield from (("next", text, call.lineno) for text in texts(call.args[2], named))
            yield from (("values", text, call.lineno) for text in texts(call.args[0], named) if is_phrase(text))


def is_phrase(text):
    """Tell whether a value is English to be read, and no name of a field with what it holds."""
    return re.match(r"[a-z]{3,}( |$)", text) and "=" not in text


def test_whatever_a_user_can_be_refused_with_is_worded_in_chinese():
    found = list(said_in_code())
    assert len({text for part, text, _ in found if part == "rules"}) > 200
    assert len({text for part, text, _ in found if part == "values"}) > 80
    missing = sorted({(where, part, text) for part, text, where in found if text not in table()[part]})
    assert not missing


@pytest.mark.parametrize("part", ["values", "rules", "next"])
def test_a_translation_fills_in_no_more_than_the_rule_does(part):
    for text, said in table()[part].items():
        places = {int(name) for _, name, _, _ in string.Formatter().parse(said) if name is not None}
        assert places <= set(range(text.count("{}"))), text
        assert any("\u4e00" <= one <= "\u9fff" for one in said), text
        assert not said.endswith("。"), text


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("must be one of a, b", "须为以下之一：a, b"),
        ("must be all of them; since then: fix to fixed", "您看到的不是最新；此后：fix to fixed"),
        ("must have 1 to 24", "须为 1 至 24 个字"),
        ("must have 1 to 300", "大小须为 1 至 300"),
        ("must wear a hat", None),
    ],
)
def test_the_rule_that_says_most_is_taken(rule, said):
    assert in_chinese(BadInput("x", rule, "correct it")).rule == said


@pytest.mark.parametrize(
    ("value", "said"),
    [("alert 'a1'", "预警 'a1'"), ("the estimate", "人数估计"), ("per_minute=0", None), ("fix", None)],
)
def test_a_phrase_is_told_in_chinese_and_a_name_stays(value, said):
    assert in_chinese(BadInput(value, "must be > 0", "correct it")).value == said


def test_words_that_are_filled_in_are_told_in_chinese_too():
    fault = Conflict("unit 'v1'", "is on_scene, from which it may become available or returning, not dispatched", "x")
    assert in_chinese(fault).rule == "现为“处置中”，可转为“待命或返程”，不能转为“已派”"
    long = BadInput("width_m=0", "must be 0.5 to 500 metres", "correct it")
    assert in_chinese(long).rule == "须为 0.5 至 500 米"


def test_a_condition_is_told_in_the_words_of_its_type():
    because = {"zh": "两次退单后须联合会商", "en": "after two refusals there is a joint ruling"}
    fault = Conflict("assign", f"must wait: {because['en']}", "do that first, or take another step", because=because)
    assert in_chinese(fault).rule == "条件未满足：两次退单后须联合会商"
    steps = [step for kind in shipped_types() for step in kind.transitions.values() if step.guard]
    assert len(steps) > 20
    assert all(step.because and step.because["zh"] and step.because["en"] for step in steps)


def test_an_error_carries_both_languages():
    body = told(Conflict("fix", "must come with photo_after", "add the file")).body.decode()
    assert '"zh":{"value":null,"rule":"须附 photo_after","next_step":"附上文件"}' in body
    assert '"rule":"must come with photo_after"' in body
    assert (
        '"zh":{"value":null,"rule":null,"next_step":null}'
        in told(NotFound("x", "wears no hat", "buy one")).body.decode()
    )
