"""The logic of the page by itself: what web/test says of it, and its types. What is drawn, tests/browser looks at."""

import subprocess

import pytest
from tests.building import ROOT, builder

WEB = ROOT / "web"

pytestmark = pytest.mark.skipif(
    not (WEB / "node_modules").is_dir(), reason="web/node_modules is not there; run make web"
)


@pytest.fixture(scope="module")
def node():
    return builder().node_and_npm()[0]


def said_by(node, *arguments):
    ran = subprocess.run(  # noqa: S603 - our own tools by full path
        [node, *arguments], cwd=WEB, capture_output=True, text=True, timeout=300, check=False
    )
    return ran.returncode, ran.stdout + ran.stderr


def test_the_logic_of_the_page(node):
    files = sorted(str(path.relative_to(WEB)) for path in WEB.glob("test/*.test.ts"))
    assert files
    flags = ["--experimental-transform-types", "--no-warnings", "--test", "--test-force-exit"]
    code, said = said_by(node, *flags, *files)
    assert code == 0, said
    assert "fail 0" in said


def test_the_types_of_the_page(node):
    code, said = said_by(node, "node_modules/typescript/bin/tsc", "--noEmit")
    assert code == 0, said
