"""Disks that are small: a mounted one, or a limit on files."""

import os
import resource
import subprocess
from contextlib import contextmanager

import pytest


@contextmanager
def small_disk(folder, kind, megabytes):
    """Yield a folder that takes a few megabytes, a "disk" of its own or by a "limit", and a way to make room."""
    if kind == "limit":
        hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
        resource.setrlimit(resource.RLIMIT_FSIZE, (megabytes * 1_000_000, hard))
        try:
            yield folder, lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        return
    disk = folder / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(disk)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:  # noqa: S603
        pytest.skip("only root can mount a small disk here")
    grow = ["mount", "-o", "remount,size=400m", str(disk)]
    try:
        yield disk, lambda: subprocess.run(grow, check=True)  # noqa: S603
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)  # noqa: S603, S607
