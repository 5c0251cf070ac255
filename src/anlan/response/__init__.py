"""Reach: how long help takes, and where units wait. Pure functions over plain records."""
