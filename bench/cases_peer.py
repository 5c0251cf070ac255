"""A step of a procedure as SpiffWorkflow takes it, beside ours: load the case, take one step, save it, on the disk.

The peer runs the very states of a resident's request in a row (received, assigned, in work, fixed) as user tasks. It has no roles,
evidence, clocks or log; it is the nearest engine in Python whose procedures are data.
"""

from __future__ import annotations

import sqlite3
import time
from itertools import pairwise
from pathlib import Path

import numpy as np

STEPS = ("assign", "accept", "fix", "rate")
FLOW = 'sourceRef="{0}" targetRef="{1}"'


def _diagram() -> str:
    names = ["begin", *STEPS, "end"]
    tasks = "".join(f'<userTask id="{one}" name="{one}"/>' for one in STEPS)
    flows = "".join(
        f'<sequenceFlow id="f{k}" {FLOW.format(one, other)}/>' for k, (one, other) in enumerate(pairwise(names))
    )
    return (
        '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="bench">'
        f'<process id="request" isExecutable="true"><startEvent id="begin"/>{tasks}<endEvent id="end"/>{flows}</process>'
        "</definitions>"
    )


def step_told(folder: Path, n: int) -> str:
    """Return how long the peer takes for a step, as text; that it is missing, where it is."""
    try:
        from SpiffWorkflow.bpmn.parser import BpmnParser  # noqa: PLC0415 - it may be missing
        from SpiffWorkflow.bpmn.serializer import BpmnWorkflowSerializer  # noqa: PLC0415 - the same
        from SpiffWorkflow.bpmn.workflow import BpmnWorkflow  # noqa: PLC0415 - the same
        from SpiffWorkflow.util.task import TaskState  # noqa: PLC0415 - the same
    except ImportError:
        return "SpiffWorkflow is not installed"
    parser = BpmnParser()
    parser.add_bpmn_str(_diagram().encode())
    spec, keeper = parser.get_spec("request"), BpmnWorkflowSerializer()
    kept = sqlite3.connect(folder / "peer.db", isolation_level=None)
    kept.execute("PRAGMA journal_mode=WAL")
    kept.execute("PRAGMA synchronous=FULL")
    kept.execute("CREATE TABLE case_body (case_no INTEGER PRIMARY KEY, body TEXT)")
    for number in range(n):
        made = BpmnWorkflow(spec)
        made.do_engine_steps()
        kept.execute("INSERT INTO case_body VALUES (?, ?)", (number, keeper.serialize_json(made)))
    took = []
    for number in range(n):
        begun = time.perf_counter()
        body = kept.execute("SELECT body FROM case_body WHERE case_no = ?", (number,)).fetchone()[0]
        case = keeper.deserialize_json(body)
        ready = case.get_tasks(state=TaskState.READY, manual=True)
        ready[0].run()
        case.do_engine_steps()
        kept.execute("UPDATE case_body SET body = ? WHERE case_no = ?", (keeper.serialize_json(case), number))
        took.append(1000 * (time.perf_counter() - begun))
    kept.close()
    return f"SpiffWorkflow, without roles, clocks, search and log: {float(np.median(took)):.2f} ms"
