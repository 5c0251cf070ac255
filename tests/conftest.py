"""What holds for every test."""

from hypothesis import settings

settings.register_profile("anlan", deadline=None)  # no test says how fast anything is
settings.load_profile("anlan")
