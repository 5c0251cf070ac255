"""Records of staff as JSON."""

from __future__ import annotations

from typing import Any

from anlan.command.views import moment
from anlan.kernel.access import Role
from anlan.staff import Account, Key, Office, SignedIn

Json = dict[str, Any]


def account(made: Account) -> Json:
    """Return an account."""
    return {
        "id": made.account_id,
        "version": made.version,
        "name": made.sign_in_name,
        "shown_name": made.shown_name,
    }


def office(made: Office) -> Json:
    """Return an office with who holds it."""
    holdings = [
        {
            "account": one.account_id,
            "from_at": moment(one.from_at),
            "until_at": moment(one.until_at),
            "deputy": one.deputy,
        }
        for one in made.holdings
    ]
    return {
        "id": made.office_id,
        "version": made.version,
        "name": dict(made.name),
        "roles": list(made.role_ids),
        "area": made.area_id,
        "holdings": holdings,
    }


def role(made: Role) -> Json:
    """Return a role with its rights."""
    return {"id": made.role_id, "name": dict(made.name), "rights": {k: str(v) for k, v in made.rights.items()}}


def key(made: Key) -> Json:
    """Return what is known of a key."""
    return {
        "id": made.key_id,
        "version": made.version,
        "label": made.label,
        "rights": list(made.rights),
        "area": made.area_id,
        "until_at": moment(made.until_at),
    }


def signed_in(made: SignedIn, *, here: bool) -> Json:
    """Return where somebody is signed in."""
    return {"mark": made.mark, "begun_at": moment(made.begun_at), "seen_at": moment(made.seen_at), "here": here}
