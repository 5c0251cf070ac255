"""Reach: how long help takes, as pure functions over plain records. Travel times and posting; nothing calls them yet."""
