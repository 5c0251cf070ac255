"""Who works here: accounts, the offices they hold for a time, keys of programs, and signing in.

Anlan knows its own staff by a name they sign in with, and nobody else. What may be forgotten (names, what proves a
password, who is signed in) is kept beside the log; the log knows accounts by ids that mean nothing elsewhere.
"""

from anlan.staff.accounts import Staff
from anlan.staff.records import Account, Key, NewOffice, Office, SignedIn
from anlan.staff.roles import read_roles

__all__ = ["Account", "Key", "NewOffice", "Office", "SignedIn", "Staff", "read_roles"]
