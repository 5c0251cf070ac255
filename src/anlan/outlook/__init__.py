"""What is to be expected of a district's places: for its page, and for the judge of its alerts."""

from anlan.outlook.outlooks import FOLLOWED, Ground, Outlooks
from anlan.outlook.weather import WeatherBook

__all__ = ["FOLLOWED", "Ground", "Outlooks", "WeatherBook"]
