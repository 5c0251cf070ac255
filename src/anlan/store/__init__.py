"""What is kept: records and the change log (SQL), observations and estimates (columns)."""

from anlan.store.duck import DuckHistory
from anlan.store.history import QUARTER, History, Persons, Retention, Step
from anlan.store.records import Audit, Keeping, Kept, Store
from anlan.store.signs import kept_persons, told_persons
from anlan.store.sql import SqlStore

__all__ = [
    "QUARTER",
    "Audit",
    "DuckHistory",
    "History",
    "Keeping",
    "Kept",
    "Persons",
    "Retention",
    "SqlStore",
    "Step",
    "Store",
    "kept_persons",
    "told_persons",
]
