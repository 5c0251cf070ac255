import pytest
from hypothesis import given
from hypothesis import strategies as st

from anlan.cases import Facts, read_guard
from anlan.kernel.errors import BadInput

FACTS = Facts({"cost": 120, "kind": "road", "urgent": False}, frozenset({"photo"}), {"dispute": 1})


@pytest.mark.parametrize(
    ("text", "truth"),
    [
        ("cost > 100 and kind == 'road'", True),
        ("cost > 100 and not urgent", True),
        ("kind in ['light', 'road']", True),
        ("not not urgent", False),
        ("has(photo) and times(dispute) < 2", True),
        ("given(reason)", False),
        ("reason == 'x'", None),
        ("not (reason == 'x')", None),
        ("reason == 'x' or cost == 120", True),
        ("reason == 'x' and urgent", False),
        ("urgent or cost < 1 and urgent", False),
    ],
)
def test_a_guard_says_what_it_reads_like(text, truth):
    assert read_guard(text).holds(FACTS) is truth


@pytest.mark.parametrize(
    "text",
    ["", "cost <", "cost < 1 2", "(cost < 1", "exec(cost)", "cost.real < 1", "__import__('os')", "a = 1", "x in [y]",
     "'open", "a and", "cost < 1)", "[", "in", "1 +", "(" * 30 + "a" + ")" * 30, "a" * 1001],
)  # fmt: skip
def test_what_is_no_condition_is_refused(text):
    with pytest.raises(BadInput, match="guard"):
        read_guard(text)


@given(st.text(alphabet="abin dot()[]<>=!'1,_", max_size=60))
def test_no_text_does_anything_but_be_read_or_refused(text):
    try:
        guard = read_guard(text)
    except BadInput:
        return
    assert guard.text == text


def test_unknown_follows_both_laws_of_de_morgan():
    for a in ("x == 1", "cost == 120", "cost == 1"):
        for b in ("y == 1", "cost == 120", "cost == 1"):
            left = read_guard(f"not ({a} and {b})").holds(FACTS)
            assert left is read_guard(f"not ({a}) or not ({b})").holds(FACTS)
