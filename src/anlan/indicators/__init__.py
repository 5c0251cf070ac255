"""What the district measures itself by, as data: each number with its formula, its level, and the list behind it."""

from anlan.indicators.bulletin import bulletin_words
from anlan.indicators.definition import Indicator, indicator, read_indicators, shipped_indicators
from anlan.indicators.measuring import Number, Query, Records, by_value, drilled, fractile, listed, measure, number_of
from anlan.indicators.periods import Period, PeriodKind, before, period_named, period_of, year_before
from anlan.indicators.publishing import Cell, Shown, hide, published, published_by_value

__all__ = [
    "Cell",
    "Indicator",
    "Number",
    "Period",
    "PeriodKind",
    "Query",
    "Records",
    "Shown",
    "before",
    "bulletin_words",
    "by_value",
    "drilled",
    "fractile",
    "hide",
    "indicator",
    "listed",
    "measure",
    "number_of",
    "period_named",
    "period_of",
    "published",
    "published_by_value",
    "read_indicators",
    "shipped_indicators",
    "year_before",
]
