"""The same sums by PostGIS, in a private server that lives as long as the measurement."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import numpy.typing as npt
import psycopg
import shapely
from shapely.geometry.base import BaseGeometry

from anlan.crowd import Cells
from peers import parts

Floats = npt.NDArray[np.float64]

BY_CENTRE = "select p.k, sum(c.persons) from polygons p join cells c on st_contains(p.shape, c.centre) group by p.k"
"""Cells whose centre lies inside, through the index."""
EXACT = """
    select p.k, sum(c.persons * case when st_covers(p.shape, c.square) then 1.0
                                     else st_area(st_intersection(p.shape, c.square)) / %(cell_m2)s end)
    from polygons p join cells c on st_intersects(p.shape, c.square) group by p.k
"""
"""The exact part of each cell."""


def installed() -> Path | None:
    """Return the folder of PostgreSQL's programs where PostGIS is installed too."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    if not found:
        return None
    control = Path("/usr/share/postgresql") / found[-1].parent.parent.name / "extension" / "postgis.control"
    return found[-1].parent if control.is_file() else None


@contextmanager
def loaded(
    binaries: Path, cells: Cells, persons: Floats, plane: Sequence[BaseGeometry]
) -> Iterator[psycopg.Connection]:
    """Start a server, load cells and polygons with their indices, and hand out a connection."""
    with tempfile.TemporaryDirectory() as name, socket.socket() as free:
        folder = Path(name)
        as_user = []
        if os.geteuid() == 0:  # PostgreSQL does not run as root
            as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
            folder.chmod(0o755)
            shutil.chown(folder, "postgres", "postgres")
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        make = [*as_user, binaries / "initdb", "-D", folder / "db", "-U", "bench", "-A", "trust", "--no-sync"]
        subprocess.run(make, check=True, capture_output=True, cwd=folder)  # noqa: S603 - paths of our own making
        server = subprocess.Popen(  # noqa: S603 - the same
            [*as_user, binaries / "postgres", "-D", folder / "db", "-p", str(port), "-k", folder, "-h", "127.0.0.1"],
            cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            with _connected(port) as connection:
                _fill(connection, cells, persons, plane)
                yield connection
        finally:
            server.terminate()
            server.wait(20)


def _connected(port: int) -> psycopg.Connection:
    for patience in range(100):
        try:
            return psycopg.connect(host="127.0.0.1", port=port, user="bench", dbname="postgres", autocommit=True)
        except psycopg.OperationalError:
            if patience == 99:
                raise
            time.sleep(0.1)
    raise AssertionError


def _fill(connection: psycopg.Connection, cells: Cells, persons: Floats, plane: Sequence[BaseGeometry]) -> None:
    held, shapes = parts(cells, persons)
    squares, centres = (shapely.to_wkb(each, hex=True) for each in (shapes, shapely.centroid(shapes)))
    connection.execute("create extension postgis")
    connection.execute("create table cells (persons float8, square geometry, centre geometry)")
    connection.execute("create table polygons (k int, shape geometry)")
    with connection.cursor().copy("copy cells from stdin") as copy:
        for row in zip(held.tolist(), squares.tolist(), centres.tolist(), strict=True):
            copy.write_row(row)
    with connection.cursor().copy("copy polygons from stdin") as copy:
        for k, shape in enumerate(plane):
            copy.write_row((k, shapely.to_wkb(shape, hex=True)))
    for column in ("square", "centre"):
        connection.execute(f"create index on cells using gist ({column})")
    connection.execute("analyze")


def sums(connection: psycopg.Connection, query: str, cell_m2: float, n: int) -> Floats:
    """Return the sums of ``n`` polygons by one of the queries."""
    out = np.zeros(n)
    rows = connection.execute(query.replace("%(cell_m2)s", repr(cell_m2))).fetchall()  # type: ignore[arg-type]  # built here
    for k, persons in rows:
        out[k] = persons
    return out
