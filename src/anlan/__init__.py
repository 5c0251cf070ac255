"""Anlan (安澜, calm waters): count the people in any place, reach who needs help, resolve what is raised."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("anlan")
except PackageNotFoundError:  # run from a source tree that was never installed
    __version__ = "0.1.0"
