from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from anlan.papers import compose, shipped_paper
from anlan.underway.rehearsing import Rehearsed, Wish, record_words

AT = "2026-12-31T10:04:00+00:00"
TOLD = {
    "n_expected": 30_000, "day": {"zh": "平常的一天", "en": "A normal day"}, "share": 1.0, "begin_at": AT, "end_at": AT,
    "zones": [
        {
            "zone": "A", "ground": "place:quay", "capacity": 34_000, "peak": None, "over_capacity_min": 0,
            "over_density_min": 0, "unknown_min": 0,
        }
    ],
    "triggers": [
        {
            "zone": "A", "measure": "density_per_m2", "above": 0.5, "for_s": 180, "action": "open the gate",
            "office": "lead", "fired": [{"at": AT}], "highest": 1.26,
        }
    ],
    "clearance": None,
}  # fmt: skip


@pytest.mark.parametrize(
    ("language", "ground", "condition"),
    [("zh", "外滩观景平台", "> 0.5 人/平方米，3 分钟"), ("en", "Bund Promenade", "> 0.5 /m2, 3 min")],
)
def test_a_record_names_what_a_zone_is_counted_by_and_speaks_one_language(language, ground, condition):
    one = Rehearsed(
        rehearsal_id="r", case_id="c", made_at=datetime(2026, 12, 31, tzinfo=UTC), actor="a", wish=Wish(), told=TOLD
    )
    names = {"place:quay": {"zh": "外滩观景平台", "en": "Bund Promenade"}}
    words = record_words(one, "title", ZoneInfo("Asia/Shanghai"), language, names)
    paper = compose(shipped_paper("rehearsal_record"), words, language)
    assert paper.blocks[1].rows[1][:2] == ("A", ground)
    assert paper.blocks[2].rows[1][1] == condition
