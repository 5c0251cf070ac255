"""At which numbers places and passages are warned of, each with its source."""

from __future__ import annotations

from anlan.kernel.ladders import DEFAULTS, DENSITY_SOURCE, EVERYWHERE, Also, Ladder, Measure

NARROW = {
    "zh": "比平地低一级：平地每米每分钟通过82人处，楼梯只过66人（英国《绿色指南》）；2014年陈毅广场",
    "en": "one rung below level ground: stairs pass 66 where it passes 82 per m and min (Green Guide); "
    "Chen Yi Square 2014",
}
LANES = {
    "zh": "约3米宽里弄，比开阔地低一级，如2022年梨泰院小巷",
    "en": "one rung below open ground in lanes of some 3 m, as the alley of Itaewon 2022",
}
CONGESTED = {
    "zh": "国际海事组织疏散指南：每平方米3.5人以上，且每秒净增1.5人，为拥塞",
    "en": "IMO evacuation guideline: congested from 3.5 per m² while 1.5 per s more come than go",
}

LADDERS = (
    Ladder(of=EVERYWHERE, measure=Measure.DENSITY, limits=(2.0, 3.0, 4.0, 5.0), source=DENSITY_SOURCE),
    Ladder(of="passage", measure=Measure.DENSITY, limits=(1.5, 2.0, 3.0, 4.0), source=NARROW),
    Ladder(
        of="passage",
        measure=Measure.DENSITY,
        limits=(None, None, None, 3.5),
        source=CONGESTED,
        also=Also.FILLING,
        above=1.5,
    ),
    Ladder(of="tianzifang", measure=Measure.DENSITY, limits=(1.5, 2.0, 3.0, 4.0), source=LANES),
    *DEFAULTS,
)
"""Densities, shares of capacity, flows; gardens and old lanes of the temple are held by their capacity."""
