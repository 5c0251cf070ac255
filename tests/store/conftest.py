import os
import shutil
import socket
import subprocess
from pathlib import Path

import psycopg
import pytest
from tests.waiting import PATIENCE_S

from anlan.store import DuckHistory, SqlStore


def postgres_folder():
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    return found[-1].parent if found else None


@pytest.fixture(scope="session")
def postgres(tmp_path_factory):
    """A private PostgreSQL server on a free loopback port, run by a user that is not root."""
    binaries = postgres_folder()
    if binaries is None:
        pytest.skip("PostgreSQL is not installed: install Debian's package postgresql")
    folder = tmp_path_factory.mktemp("postgres")
    as_user = []
    if os.geteuid() == 0:
        as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
        for path in (folder, *folder.parents[:3]):
            if path != Path("/tmp"):  # noqa: S108 - only the folders that pytest made
                path.chmod(0o755)
        shutil.chown(folder, "postgres", "postgres")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    run = [*as_user, binaries / "initdb", "-D", folder / "db", "-U", "anlan", "-A", "trust", "--no-sync"]
    subprocess.run(run, check=True, capture_output=True, cwd=folder)  # noqa: S603
    server = subprocess.Popen(  # noqa: S603
        [*as_user, binaries / "postgres", "-D", folder / "db", "-p", str(port), "-k", folder, "-h", "127.0.0.1"],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        ready = [binaries / "pg_isready", "-h", "127.0.0.1", "-p", str(port), "-t", "1"]
        for _ in range(60):
            if subprocess.run(ready, capture_output=True, check=False).returncode == 0:  # noqa: S603
                break
        yield f"postgresql+psycopg://anlan@127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(PATIENCE_S)


BOTH = ["sqlite", "postgresql"]


def address(request, folder):
    """Return the address of an empty database of the kind that a test is run on."""
    if request.param == "sqlite":
        return f"sqlite:///{folder}/records.db"
    url = f"{request.getfixturevalue('postgres')}/postgres"
    clear_postgres(url)
    return url


def on_both(make):
    """Return a fixture: what ``make`` opens in a folder at an address, on either database, and closed in the end."""

    @pytest.fixture(params=BOTH)
    def opened(request, tmp_path):
        made = make(tmp_path, address(request, tmp_path))
        yield made
        made.store.close()

    return opened


def on_sqlite(make):
    """Return the same on SQLite alone, for what does not ask the database anything of its own."""

    @pytest.fixture
    def opened(tmp_path):
        made = make(tmp_path, f"sqlite:///{tmp_path}/records.db")
        yield made
        made.store.close()

    return opened


@pytest.fixture(params=BOTH)
def store(request, tmp_path):
    url = address(request, tmp_path)
    opened = SqlStore.open(url)
    opened.url = url
    yield opened
    opened.close()


def clear_postgres(url):
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")


@pytest.fixture
def history(tmp_path):
    opened = DuckHistory.open(tmp_path / "history")
    yield opened
    opened.close()
