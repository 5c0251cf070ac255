import re
from pathlib import Path

import pytest

from anlan.pack.forms import AREAS, DISTRICT_KEYS, FORMS, GRID
from anlan.pack.streets import CLASSES

PAGE = (Path(__file__).parents[2] / "docs/district-pack.md").read_text("utf-8")


@pytest.mark.parametrize("form", [AREAS, *FORMS], ids=lambda form: form.stem)
def test_the_page_names_every_column(form):
    missing = [column.name for column in form.columns if f"`{column.name}`" not in PAGE]
    assert missing == []


def test_the_page_names_every_key_and_grid_field():
    assert [key for key in DISTRICT_KEYS if f"`{key}`" not in PAGE] == []
    assert [column.name for column in GRID if f"`{column.name}`" not in PAGE] == []


def test_the_page_tells_what_each_street_class_is_taken_for():
    told = {}
    for row in re.findall(r"^\| ([a-z_, ]+) \| ([\d, ]+) \| ([\d., ]+) \| (yes|no) \|$", PAGE, re.MULTILINE):
        names = row[0].split(", ")
        columns = [part.split(", ") * (len(names) if ", " not in part else 1) for part in row[1:]]
        for name, speed, width, walk in zip(names, *columns, strict=True):
            told[name] = (float(speed), float(width), walk == "yes")
    assert told == {name: (taken.speed_kmh, taken.width_m, taken.walk) for name, taken in CLASSES.items()}
