"""The house holds: floors, names, sizes, and no room for a person's identity."""

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from tests.waiting import PATIENCE_S

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "anlan"
LINT = Path(sys.executable).with_name("lint-imports")

BANNED_BARE = {"event", "signal", "model", "process", "session", "data", "info", "base", "temp"}
BANNED_ROOMS = {"utils", "common", "helpers", "manager", "service", "misc"}
PERSONAL = re.compile(
    r"(^|_)(face|faces|plate|plates|licen[cs]e_plate|imei|imsi|msisdn|mac|mac_address|phone|phones|ssid|track|track_id|"
    r"person|person_id|id_card|id_number|passport|gender|sex|ethnicity|biometric|embedding|suspect_name|citizen)($|_)"
)


def modules():
    return sorted(path for path in SOURCE.rglob("*.py") if "static" not in path.parts)


def lint_imports(folder):
    return subprocess.run(  # noqa: S603 - the tool of this very environment
        [LINT, "--no-cache"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
        env={"PYTHONPATH": str(folder / "src"), "PATH": "/usr/bin:/bin", "COLUMNS": "200"},
    )


def test_the_floors_hold():
    found = lint_imports(ROOT)
    assert found.returncode == 0, found.stdout + found.stderr


@pytest.mark.parametrize(
    ("room", "line"),
    [
        ("kernel/geo.py", "import anlan.store"),
        ("crowd/cells.py", "import anlan.pack"),
        ("district.py", "import anlan.twin"),
        ("store/__init__.py", "import anlan.ingest"),
    ],
)
def test_a_planted_breach_is_found(tmp_path, room, line):
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("static", "__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    breached = tmp_path / "src" / "anlan" / room
    breached.write_text(f"{breached.read_text()}\n{line}\n")
    found = lint_imports(tmp_path)
    assert found.returncode != 0
    assert "BROKEN" in found.stdout


def test_no_drawer_room():
    names = {part.removesuffix(".py") for path in modules() for part in path.relative_to(SOURCE).parts}
    assert not names & BANNED_ROOMS


def test_a_file_is_one_idea():
    long = {str(path.relative_to(ROOT)): n for path in modules() if (n := len(path.read_text().splitlines())) > 620}
    assert not long


def defined_names(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name, node.lineno
        elif isinstance(node, ast.arg):
            yield node.arg, node.lineno
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id, node.lineno
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Attribute):
            yield node.target.attr, node.lineno


def all_names():
    for path in modules():
        for name, line in defined_names(ast.parse(path.read_text())):
            yield f"{path.relative_to(ROOT)}:{line}", name


def test_no_name_with_two_meanings():
    assert [(where, name) for where, name in all_names() if name.lower() in BANNED_BARE] == []


def test_no_name_in_which_an_identity_would_fit():
    assert [(where, name) for where, name in all_names() if PERSONAL.search(name.lower())] == []


def test_the_search_for_identities_would_find_one():
    assert all(PERSONAL.search(name) for name in ("face", "owner_phone", "track_id", "mac", "number_plate"))
    assert not any(PERSONAL.search(name) for name in ("surface", "placed", "backtrack", "machine", "n_persons"))


def test_no_registry_host_and_no_path_of_one_machine_is_named():
    hosts = re.compile(r"files\.pythonhosted\.org|pypi\.org/simple|registry\.npmjs\.org|deb\.debian\.org")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S607
    named = []
    for name in filter(None, listed.stdout.split("\0")):
        path = ROOT / name
        if path.suffix in {".gz", ".png", ".woff2"} or path == Path(__file__) or not path.is_file():
            continue
        if hosts.search(path.read_text(errors="replace")):
            named.append(name)
    assert named == []
    assert not (ROOT / "uv.lock").exists()


LOOKS = {
    "is_visible", "is_hidden", "is_disabled", "is_enabled", "is_checked", "is_editable", "inner_text", "inner_html",
    "input_value", "get_attribute", "text_content", "all_inner_texts", "all_text_contents", "bounding_box",
    "content", "title", "evaluate", "evaluate_all",
}  # fmt: skip
ARGUED = re.compile(r"# one look: \S")


def looks_once(node, names=frozenset()):
    """Return whether an expression asks a page what it shows now, or rests on a name that did; waiting is no look."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        if node.func.attr == "until":
            return False
        if node.func.attr in LOOKS or (node.func.attr == "count" and not node.args):
            return True
    if isinstance(node, ast.Attribute) and node.attr == "url" and getattr(node.value, "attr", "") == "page":
        return True
    if isinstance(node, ast.Name) and node.id in names:
        return True
    return any(looks_once(child, names) for child in ast.iter_child_nodes(node))


def single_looks(text):
    """Return the lines of a browser test that assert on one look at the page, without a reason."""
    lines = text.splitlines()
    for test in (one for one in ast.walk(ast.parse(text)) if isinstance(one, ast.FunctionDef)):
        names = set()
        for node in (one for one in ast.walk(test) if isinstance(one, ast.Assign) and looks_once(one.value)):
            names |= {one.id for target in node.targets for one in ast.walk(target) if isinstance(one, ast.Name)}
        for node in (one for one in ast.walk(test) if isinstance(one, ast.Assert) and looks_once(one.test, names)):
            if not any(ARGUED.search(line) for line in lines[node.lineno - 1 : node.end_lineno]):
                yield node.lineno


def test_no_browser_test_asserts_on_a_single_look_at_the_page():
    browser = sorted((ROOT / "tests" / "browser").glob("*.py"))
    assert len(browser) > 10
    assert [f"{path.name}:{line}" for path in browser for line in single_looks(path.read_text())] == []


@pytest.mark.parametrize(
    "line",
    [
        "assert seen.find('making').count() == 0",
        "assert 'x' in seen.page.inner_text('main')",
        "text = seen.find('card').inner_text(); assert 'x' in text",
        "assert 'area=d' in seen.page.url",
        "wide = page.evaluate('() => innerWidth'); assert wide > 3",
        "assert not lamps.is_visible() or True",
    ],
)
def test_a_single_look_is_found(line):
    assert list(single_looks(f"def test_x(seen):\n    {line}")) == [2]
    assert not list(single_looks(f"def test_x(seen):\n    {line}  # one look: it cannot change"))


def test_waiting_is_no_single_look():
    text = (
        "def test_x(seen):\n    assert seen.until(lambda: seen.find('x').count() == 1)\n    assert text.count('x') == 2"
    )
    assert list(single_looks(text)) == []


def impatient(text):
    """Return the lines of a test that wait too short for a busy machine, or assert how fast something is."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call):
            waits = isinstance(node.func, ast.Attribute) and node.func.attr in {"join", "wait", "result"}
            given = [one.value for one in node.keywords if one.arg == "timeout"] + (node.args[:1] if waits else [])
            seconds = [
                one.value for one in given if isinstance(one, ast.Constant) and isinstance(one.value, (int, float))
            ]
            if any(1 < one < PATIENCE_S for one in seconds):
                yield node.lineno
        if (
            isinstance(node, ast.BinOp)
            and isinstance(node.right, ast.Constant)
            and "monotonic()" in ast.unparse(node.left)
        ):
            yield node.lineno
        if isinstance(node, ast.Assert) and isinstance(node.test, ast.Compare):
            timed = re.search(r"(monotonic|perf_counter|time\.time)\(|\btook", ast.unparse(node.test.left))
            if timed and isinstance(node.test.comparators[0], ast.Constant):
                yield node.lineno


def test_every_test_waits_as_long_as_a_busy_machine_may_need():
    files = sorted((ROOT / "tests").rglob("*.py"))
    assert len(files) > 100
    assert [f"{path.name}:{line}" for path in files for line in impatient(path.read_text())] == []


@pytest.mark.parametrize(
    "line",
    [
        "thread.join(5)",
        "end = time.monotonic() + 20",
        "httpx.Client(timeout=10)",
        "assert time.monotonic() - begun < 2",
        "assert took_s < 10",
    ],
)
def test_impatience_is_found(line):
    assert list(impatient(f"def test_x():\n    {line}")) == [2]
    assert not list(impatient("thread.join(PATIENCE_S); held.wait(900); words.join(parts); assert took < began"))


def test_every_exception_to_a_lint_rule_is_argued():
    bare = [
        f"{path.relative_to(ROOT)}:{k}"
        for path in modules()
        for k, line in enumerate(path.read_text().splitlines(), 1)
        if re.search(r"# (noqa|type: ignore)", line)
        and not re.search(r"# (noqa: [A-Z0-9, ]+ - \S|type: ignore\[[\w, -]+\]  # \S)", line)
    ]
    assert bare == []


def test_the_lock_pins_what_the_project_asks_for():
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    pinned = (ROOT / "requirements.lock").read_text()
    names = [re.match(r"[\w-]+", asked)[0] for asked in wanted]
    assert [name for name in names if not re.search(rf"^{name}==", pinned, re.MULTILINE)] == []
