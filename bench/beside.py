"""Work on several days at once, one on each core: what is measured there is what comes out, never how long it takes."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Any, TypeVar

Made = TypeVar("Made")


def beside(work: Callable[..., Made], parts: Sequence[tuple[Any, ...]], say: Callable[[str], None]) -> list[Made]:
    """Return what ``work(*part, say)`` makes of each part, in their order.

    On one core, or of one part, it runs here.
    """
    n = min(os.cpu_count() or 1, len(parts))
    if n <= 1:
        return [work(*part, say) for part in parts]
    with ProcessPoolExecutor(n, multiprocessing.get_context("spawn")) as pool:
        return [running.result() for running in [pool.submit(work, *part, told) for part in parts]]


def told(words: str) -> None:
    """Say how far a part has come, from a process of its own."""
    print(words, flush=True)
