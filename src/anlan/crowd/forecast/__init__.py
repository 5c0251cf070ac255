"""How many people will be where: what the hour is used to, bent by what the last hours did, with an honest interval."""

from anlan.crowd.forecast.backtest import Score, backtest
from anlan.crowd.forecast.boosting import Blend, Boosting, boosting_installed
from anlan.crowd.forecast.conformal import Bands, bands
from anlan.crowd.forecast.known import Known, PlannedEvent, Weather
from anlan.crowd.forecast.port import Forecaster
from anlan.crowd.forecast.ratio import Persistence, Ratio, SeasonalNaive
from anlan.crowd.forecast.series import Series
from anlan.kernel.weather import WeatherLog

__all__ = [
    "Bands",
    "Blend",
    "Boosting",
    "Forecaster",
    "Known",
    "Persistence",
    "PlannedEvent",
    "Ratio",
    "Score",
    "SeasonalNaive",
    "Series",
    "Weather",
    "WeatherLog",
    "backtest",
    "bands",
    "boosting_installed",
]
