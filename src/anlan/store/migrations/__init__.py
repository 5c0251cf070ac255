"""Migrations of the records' schema, applied at open."""
