"""What is kept: records and the change log (SQL), observations and estimates (columns)."""

from anlan.store.history import DuckHistory, History, Retention, Step
from anlan.store.records import Audit, Store
from anlan.store.sql import SqlStore

__all__ = ["Audit", "DuckHistory", "History", "Retention", "SqlStore", "Step", "Store"]
