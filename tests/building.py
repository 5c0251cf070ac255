"""The builder of the page, which lies beside the package and not in it."""

import importlib.util
from pathlib import Path

ROOT = Path(__file__).parents[1]


def builder():
    """Return hatch_build as a module of its own."""
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
