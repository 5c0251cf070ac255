"""Resolve: matters with an owner, a clock and an ending; their types are data, their engine is here."""
