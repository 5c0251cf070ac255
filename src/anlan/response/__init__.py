"""Reach: how long help takes and where units wait, as pure functions over plain records; nothing calls them yet."""
