"""A program beside: it tells how far it is, answers once, and whatever goes wrong is one line."""

import time

import pytest
from tests.waiting import PATIENCE_S

from anlan.errand import Errand

PROGRAM = """
import sys, time
from anlan.errand import answer
from anlan.kernel.errors import BadInput


def asked(question, tell):
    print("what a library prints")
    tell("half", 0.5)
    if question["do"] == "wait":
        time.sleep(60)
    if question["do"] == "refuse":
        raise BadInput("n=0", "must be > 0", "give more")
    if question["do"] == "fall":
        raise SystemExit(3)
    return {"twice": 2 * question["n"]}


sys.exit(answer(asked))
"""


@pytest.fixture
def program(tmp_path, monkeypatch):
    (tmp_path / "doing.py").write_text(PROGRAM)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return "doing"


def run(program, **question):
    kept = []
    errand = Errand(program, question, kept.append)
    errand.wait(PATIENCE_S)
    return errand, kept


def test_an_answer_is_kept_once_and_nothing_that_a_library_prints(program):
    errand, kept = run(program, do="answer", n=21)
    assert kept == [{"twice": 42}]
    assert (errand.is_over, errand.fault, errand.share, errand.doing) == (True, None, 0.5, "half")


@pytest.mark.parametrize(("do", "fault"), [("refuse", "n=0 must be > 0"), ("fall", "doing ended without an answer")])
def test_what_goes_wrong_is_told_in_three_parts(program, do, fault):
    errand, kept = run(program, do=do, n=0)
    assert kept == []
    assert str(errand.fault).startswith(fault)
    assert errand.fault.code == ("bad_input" if do == "refuse" else "unavailable")
    assert errand.fault.next_step


def test_it_is_stopped_at_once_and_leaves_nothing(program):
    kept = []
    errand = Errand(program, {"do": "wait"}, kept.append)
    while not errand.share:
        time.sleep(0.05)
    errand.stop()
    errand.wait(PATIENCE_S)
    assert (errand.stopped, errand.is_over, errand.fault, kept) == (True, True, None, [])


def test_what_cannot_be_kept_is_a_fault_and_not_an_answer(program):
    def refuse(_told):
        raise ValueError("the store is gone")

    errand = Errand(program, {"do": "answer", "n": 1}, refuse)
    errand.wait(PATIENCE_S)
    assert (errand.is_over, errand.fault.rule) == (True, "came to nothing (the store is gone)")


def test_who_is_told_of_the_answer_finds_nothing_under_way(program):
    seen = []
    begun = []

    def keep(_told):
        return lambda: seen.append(begun[0].is_over)

    begun.append(Errand(program, {"do": "answer", "n": 1}, keep))
    begun[0].wait(PATIENCE_S)
    assert seen == [True]
