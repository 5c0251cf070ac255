"""A program beside that answers one question: it tells how far it is, can be stopped at once, and slows nobody."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from typing import Any

from anlan.kernel.errors import KINDS, AnlanError, Unavailable

log = logging.getLogger(__name__)

NICENESS = 10
Json = dict[str, Any]
Then = Callable[[], object]
"""Tells of an answer that is kept."""
Tell = Callable[[str, float], None]
"""Says what is being done, and which share of the whole is."""


class Errand:
    """Runs a module in a program of its own. Any thread may ask how far it is.

    The module reads the question as one JSON object from its standard input, and answers by :func:`answer`.

    Parameters
    ----------
    module : str
        To be run with ``python -m``.
    asked : mapping
        The question.
    keep : callable
        Takes the answer, in a thread of its own; what it raises becomes the fault. What it returns is called when the
        errand is over, so that who is told of the answer finds nothing under way.
    """

    def __init__(self, module: str, asked: Mapping[str, Any], keep: Callable[[Json], Then | None]) -> None:
        self.doing, self.share = "", 0.0
        self.fault: AnlanError | None = None
        self.stopped = False
        self.is_over = False
        self._keep = keep
        self._worker = subprocess.Popen(  # noqa: S603 - a module of our own
            [sys.executable, "-m", module],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8",
        )  # fmt: skip
        self._thread = threading.Thread(target=self._follow, args=(json.dumps(asked),), name=module, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop it; nothing of it is kept."""
        self.stopped = True
        self._worker.terminate()

    def join(self, seconds: float) -> None:
        """Wait for its answer no longer than so; it goes on."""
        self._thread.join(seconds)

    def wait(self, seconds: float) -> None:
        """Wait for its answer, and stop it where it takes longer."""
        self._thread.join(seconds)
        if not self.is_over:
            self.close()

    def close(self) -> None:
        """Stop it, and wait until it is gone."""
        if self._worker.poll() is None:
            self.stop()
        self._thread.join(10)

    def _follow(self, asked: str) -> None:
        assert self._worker.stdin is not None  # noqa: S101 - opened as pipes
        assert self._worker.stdout is not None  # noqa: S101 - the same
        name, look = self._thread.name, "see the server's messages, and ask again"
        fault: AnlanError | None = Unavailable(name, "ended without an answer", look)
        try:
            with self._worker.stdin:
                self._worker.stdin.write(asked)
            for line in self._worker.stdout:
                told = json.loads(line)
                if "fault" in told:
                    code, *parts = told["fault"]
                    fault = next((kind for kind in KINDS if kind.code == code), AnlanError)(*parts)
                if "told" in told and not self.stopped:
                    then = self._keep(told["told"])
                    fault, self.is_over = None, True
                    if then is not None:
                        then()
                elif "share" in told:
                    self.doing, self.share = told["doing"], told["share"]
        except AnlanError as broken:
            log.warning("%s came to nothing: %s", name, broken)
            fault = broken
        except (OSError, ValueError) as broken:
            log.warning("%s came to nothing: %s", name, broken)
            fault = Unavailable(name, f"came to nothing ({broken})", look)
        finally:
            self._worker.stdout.close()
            self._worker.wait()
            self.fault = None if self.stopped else fault
            self.is_over = True


class Lane:
    """One errand at a time, whose question is put together in a thread of its own: nobody waits for either."""

    def __init__(self) -> None:
        self.errand: Errand | None = None
        self.closed = False
        self._thread: threading.Thread | None = None

    @property
    def is_asking(self) -> bool:
        """Whether a question is still being put together."""
        return self._thread is not None and self._thread.is_alive()

    def begin(self, name: str, ask: Callable[[], Errand | None]) -> None:
        """Put a question together, and go the errand; none where there is nothing to ask."""

        def go() -> None:
            self.errand = ask()

        self._thread = threading.Thread(target=go, name=name, daemon=True)
        self._thread.start()

    def wait(self, seconds: float) -> None:
        """Wait for question and answer, and stop what takes longer."""
        if self._thread is not None:
            self._thread.join(seconds)
        if self.errand is not None:
            self.errand.wait(seconds)

    def close(self) -> None:
        """Stop it; nothing is begun any more."""
        self.closed = True
        if self._thread is not None:
            self._thread.join(30)
        if self.errand is not None:
            self.errand.close()


def answer(question: Callable[[Json, Tell], Json]) -> int:
    """Answer what standard input asks, as the program beside; return its exit status.

    What libraries print goes to standard error. A fault of ours is told by its kind and its three parts.
    """
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what libraries print is no answer

    def say(**told: Any) -> None:
        out.write(json.dumps(told, ensure_ascii=False) + "\n")
        out.flush()

    try:
        say(told=question(json.load(sys.stdin), lambda what, share: say(doing=what, share=share)))
    except AnlanError as fault:
        say(fault=[fault.code, fault.value, fault.rule, fault.next_step])
        return 1
    return 0
