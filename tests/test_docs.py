"""The documentation runs: Python examples as doctests, console examples as commands."""

import doctest
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("README*.md"), *(ROOT / "docs").rglob("*.md")])
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
FENCE = re.compile(r"^```(?P<kind>\w+)(?P<mark>[^\n]*)\n(?P<body>.*?)^```", re.MULTILINE | re.DOTALL)


def fences(page, kind):
    return [
        found for found in FENCE.finditer(page.read_text()) if found["kind"] == kind and "no-run" not in found["mark"]
    ]


def pages_with(kind):
    return [pytest.param(page, id=page.name) for page in PAGES if fences(page, kind)]


@pytest.mark.parametrize("page", pages_with("pycon"))
def test_python_examples_say_what_the_page_says(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = "\n".join(found["body"] for found in fences(page, "pycon"))
    parsed = doctest.DocTestParser().get_doctest(text, {}, page.name, str(page), 0)
    told = []
    doctest.DocTestRunner(optionflags=FLAGS).run(parsed, out=told.append)
    assert not told, "".join(told)


@pytest.mark.parametrize("page", pages_with("console"))
def test_commands_print_what_the_page_says(page, tmp_path):
    place = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "COLUMNS": "120",
        "ROOT": str(ROOT),
    }
    for found in fences(page, "console"):
        for block in re.split(r"^(?=\$ )", found["body"], flags=re.MULTILINE):
            if not block.startswith("$ "):
                continue
            command, _, expected = block[2:].partition("\n")
            done = subprocess.run(  # noqa: S602 - the commands stand in our own pages
                command, shell=True, cwd=tmp_path, env=place, capture_output=True, text=True, check=False, timeout=300
            )
            got = done.stdout + done.stderr
            assert doctest.OutputChecker().check_output(expected or got, got, FLAGS), f"$ {command}\n{got}"


@pytest.mark.parametrize("page", [pytest.param(page, id=page.name) for page in PAGES])
def test_links_between_pages_lead_somewhere(page):
    links = re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []
