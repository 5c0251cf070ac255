"""Reach: how long help takes, as pure functions over plain records. Travel times so far; nothing calls them yet."""
