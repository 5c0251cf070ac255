"""Pure work on many parts: one after the other, on all cores of this machine, or on all machines of a cluster."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from anlan.engine.port import P, R
from anlan.kernel.errors import Unavailable

_CHUNKS_EACH = 4
"""Parts travel in so many packets for each worker: few, for each carries the work; more than one, to even out."""
_PATIENCE_S = 10


class Here:
    """One part after the other, in this very thread."""

    def spread(self, work: Callable[[P], R], parts: Sequence[P]) -> Iterator[R]:
        """Yield what the work makes of each part."""
        return map(work, parts)


class Pool:
    """Whatever is behind the executor: threads, processes, the machines of a cluster.

    Parameters
    ----------
    executor : concurrent.futures.Executor
    n_workers : int
        How many parts it does at once.
    carry : callable, optional
        Brings the work to all workers once, and returns what stands for it.
    """

    def __init__(self, executor: Executor, n_workers: int, carry: Callable[[Any], Any] = lambda work: work) -> None:
        self._executor = executor
        self._n_workers = n_workers
        self._carry = carry

    def spread(self, work: Callable[[P], R], parts: Sequence[P]) -> Iterator[R]:
        """Yield what the work makes of each part, in the order of the parts."""
        size = max(1, -(-len(parts) // (_CHUNKS_EACH * self._n_workers)))
        carried = self._carry(work)
        due = [self._executor.submit(_each, carried, parts[k : k + size]) for k in range(0, len(parts), size)]
        try:
            for one in due:
                yield from one.result()
        finally:
            for one in due:
                one.cancel()


def _each(work: Callable[[P], R], parts: Sequence[P]) -> list[R]:
    return [work(part) for part in parts]


def n_cores() -> int:
    """Return how many cores this program may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def threads(n_workers: int | None = None) -> Iterator[Pool]:
    """Use all cores of this machine: compiled loops let others go on."""
    n = n_workers or n_cores()
    with ThreadPoolExecutor(n) as executor:
        yield Pool(executor, n)


@contextmanager
def cluster(address: str) -> Iterator[Pool]:
    """Use all machines of a Dask cluster, on each of which Anlan is installed in the same version.

    Parameters
    ----------
    address : str
        Of its scheduler, as ``tcp://10.0.0.5:8786``.

    Raises
    ------
    Unavailable
        If Dask is not installed, nobody answers there, or no worker does.
    """
    try:
        dask = import_module("distributed")
    except ImportError:
        raise Unavailable("distributed", "is not installed", "pip install 'anlan[cluster]'") from None
    try:
        client = dask.Client(address, timeout=_PATIENCE_S, set_as_default=False)
    except (OSError, ValueError) as fault:
        raise Unavailable(
            f"cluster={address}", f"must be a Dask scheduler ({fault})", "start one, or correct it"
        ) from None
    with client:
        n = sum(client.nthreads().values())
        if not n:
            raise Unavailable(f"cluster={address}", "must have a worker", f"start one: dask worker {address}")
        yield Pool(client.get_executor(pure=False), n, lambda work: client.scatter(work, broadcast=True, hash=False))
