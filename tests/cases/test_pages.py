"""The pages show the types as they are, and the type on the page is a whole one."""

import re
from pathlib import Path

import pytest

from anlan.cases import diagram, lint_type, read_type, replay, shipped_types
from anlan.cases.page import page

DOCS = Path(__file__).parents[2] / "docs"


def fence(page, kind):
    return re.findall(rf"^```{kind}\n(.*?)^```", (DOCS / page).read_text(), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("kind", list(shipped_types()), ids=lambda kind: kind.type_id)
def test_the_page_tells_every_type_as_it_is(kind):
    assert diagram(kind) in fence("case-types.md", "mermaid")
    assert page(kind) in (DOCS / "case-types.md").read_text()


def test_the_type_on_the_page_works_without_any_code():
    text = fence("cases.md", "toml")[0]
    assert lint_type(text) == []
    told = replay(read_type(text))
    assert [one.case.state for one in told if one.case] == ["dark", "dark", "repaired", "lit"]
