from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

import anlan.cases.library
from anlan.cases import WorkTime
from anlan.kernel.records import Calendar

LIBRARY = Path(anlan.cases.library.__file__).parent
SHIPPED = sorted(LIBRARY.glob("*.toml"))

REST = {date(2026, 2, day): {"zh": "春节", "en": "Spring Festival"} for day in range(15, 24)}
MAKE_UP = {date(2026, 2, day): {"zh": "调休上班", "en": "make-up day"} for day in (14, 28)}


@pytest.fixture(scope="session")
def work():
    """Shanghai's spring of 2026: Saturday 14 February is worked, 15 to 23 is not."""
    calendar = Calendar(rest_days=REST, working_days=MAKE_UP, confirmed_years=frozenset({2026}))
    return WorkTime(calendar=calendar, zone=ZoneInfo("Asia/Shanghai"))


@pytest.fixture(scope="session")
def hazard_text():
    return (LIBRARY / "hazard.toml").read_text()
