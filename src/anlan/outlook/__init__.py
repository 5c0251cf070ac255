"""What is to be expected of a district's places: for its page, and for the judge of its alerts."""

from anlan.outlook.outlooks import FOLLOWED, Outlooks

__all__ = ["FOLLOWED", "Outlooks"]
