"""Accounts, the offices they hold, keys of programs, and who is signed in."""

from __future__ import annotations

import threading
import uuid
from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from anlan.kernel.access import Access, Actor, Grant, Role
from anlan.kernel.areas import AreaTree
from anlan.kernel.errors import BadInput, Conflict, NotAllowed, NotFound
from anlan.kernel.records import Change, Draft, Json
from anlan.staff.proving import hash_password, new_token, proves, token_key
from anlan.staff.records import (
    Account,
    Holding,
    Key,
    NewOffice,
    Office,
    SignedIn,
    held_by,
    key_of,
    office_of,
    signed_in_of,
)
from anlan.store import Keeping, SqlStore

IDLE = timedelta(hours=12)
LONGEST = timedelta(days=7)
"""Whoever is signed in and does nothing for so long, or has been for so long, signs in again."""
LINK = timedelta(minutes=15)
"""How long a link that signs in once is good for."""
SEEN_EVERY = timedelta(minutes=5)
"""The last use is written down no finer than this."""
TRIES, WITHIN = 5, timedelta(minutes=15)
"""So many wrong passwords for one name within this time, and it has to wait."""
KEY_MARK = "anlan_"
NAME = 64


class Staff:
    """The staff of a district, over its store. Any thread may call."""

    def __init__(self, store: SqlStore, roles: Iterable[Role], areas: AreaTree) -> None:
        self.access = Access(roles, areas)
        self._areas = areas
        self._store = store
        self._lock = threading.RLock()
        self._wrong: dict[str, deque[datetime]] = defaultdict(lambda: deque(maxlen=TRIES))
        self._offices: dict[str, Office] | None = None

    # -- accounts --------------------------------------------------------------------------------------------------

    def accounts(self) -> list[Account]:
        """Return every account that has not left, by the name it signs in with."""
        names = {one.key: one.body for one in self._store.kept("account")}
        found = [
            Account(
                account_id=record.record_id,
                sign_in_name=names.get(record.record_id, {}).get("name"),
                shown_name=names.get(record.record_id, {}).get("shown"),
                version=record.version,
            )
            for record in self._store.records("account")
        ]
        return sorted(found, key=lambda one: one.sign_in_name or "")

    def account(self, account_id: str) -> Account:
        """Return one account; NotFound where none is open under that id."""
        found = next((one for one in self.accounts() if one.account_id == account_id), None)
        if found is None:
            raise NotFound(f"account {account_id!r}", "does not exist", "list the accounts")
        return found

    def open_account(
        self,
        sign_in_name: str,
        shown_name: str,
        password: str | None,
        actor: str,
        at: datetime,
        *,
        office: NewOffice | None = None,
    ) -> Account:
        """Open an account, with an office of its own where one is given; it may do nothing without. All or nothing.

        Without a password, a link opens it.

        Raises
        ------
        BadInput
            If the name is empty or too long, or the password too easy.
        Conflict
            If somebody signs in by that name already.
        """
        name, shown = sign_in_name.strip().casefold(), shown_name.strip()
        for given in (name, shown):
            if not 1 <= len(given) <= NAME:
                raise BadInput(f"name of {len(given)} characters", f"must have 1 to {NAME}", "give a name")
        proof = None if password is None else hash_password(password)
        with self._lock:
            if any(one.sign_in_name == name for one in self.accounts()):
                raise Conflict(f"name {name!r}", "is taken", "choose another")
            account_id = uuid.uuid4().hex[:12]
            drafts = [_draft("account", account_id, "open", actor, {"open": True})]
            if office is not None:
                holding = {"account": account_id, "from_at": at.isoformat(), "until_at": None, "deputy": False}
                body = self._office_body(office, at) | {"holdings": [holding]}
                drafts.append(_draft("office", uuid.uuid4().hex[:12], "make", actor, body))
            keeping = Keeping(kind="account", key=account_id, body={"name": name, "shown": shown, "proof": proof})
            self._apply(drafts, at=at, keeping=[keeping])
        return self.account(account_id)

    def change_password(self, account_id: str, old: str | None, new: str, at: datetime) -> None:
        """Set another password; the account is signed out everywhere.

        ``old`` is None for whoever has just come by a link, which proved them.

        Raises
        ------
        NotAllowed
            If the old one is wrong.
        """
        kept = self._store.kept("account", account_id)
        if not kept:
            raise NotFound(f"account {account_id!r}", "does not exist", "list the accounts")
        if old is not None and not proves(old, kept[0].body["proof"]):
            raise NotAllowed("the old password", "must be right", "try again, or ask for a link to sign in")
        body = {**kept[0].body, "proof": hash_password(new)}
        draft = _draft("account", account_id, "change_password", account_id, {"open": True}, self._version(account_id))
        gone = [Keeping(kind="signed_in", key=one.mark, body=None) for one in self.signed_in(account_id)]
        self._apply([draft], at=at, keeping=[Keeping(kind="account", key=account_id, body=body), *gone])

    def close_account(self, account_id: str, actor: str, at: datetime) -> Change:
        """Let somebody go: signed out everywhere, every office given up, the name forgotten; the log keeps the id.

        Raises
        ------
        Conflict
            If nobody would be left who may keep the accounts.
        """
        account = self.account(account_id)
        with self._lock:
            left = [one.account_id for one in self.accounts() if one.account_id != account_id]
            if not any(self._keeps_accounts(one, at) for one in left):
                raise Conflict(f"account {account_id!r}", "is the last that keeps the accounts", "name another first")
            drafts = [_draft("account", account_id, "close", actor, None, account.version)]
            for office in self.offices():
                kept = tuple(one for one in office.holdings if one.account_id != account_id)
                if len(kept) != len(office.holdings):
                    drafts.append(self._office_draft(office, kept, "vacate", actor))
            keeping = [Keeping(kind="account", key=account_id, body=None)]
            keeping += [Keeping(kind="signed_in", key=one.mark, body=None) for one in self.signed_in(account_id)]
            return self._apply(drafts, at=at, keeping=keeping)[0]

    # -- offices ---------------------------------------------------------------------------------------------------

    def offices(self) -> list[Office]:
        """Return the organisation: every office with who holds it."""
        with self._lock:
            if self._offices is None:
                found = self._store.records("office")
                self._offices = {one.record_id: office_of(one.record_id, one.version, one.body) for one in found}
            return list(self._offices.values())

    def office(self, office_id: str) -> Office:
        """Return one office; NotFound where there is none."""
        found = next((one for one in self.offices() if one.office_id == office_id), None)
        if found is None:
            raise NotFound(f"office {office_id!r}", "does not exist", "list the offices")
        return found

    def make_office(self, office: NewOffice, actor: str, at: datetime) -> Office:
        """Set up an office; nobody holds it yet.

        Raises
        ------
        BadInput
            If it has no name or role, or one of its roles or its area does not exist.
        """
        office_id = uuid.uuid4().hex[:12]
        self._apply([_draft("office", office_id, "make", actor, self._office_body(office, at))], at=at)
        return self.office(office_id)

    def _office_body(self, office: NewOffice, at: datetime) -> Json:
        if not office.role_ids or not any(text.strip() for text in office.name.values()):
            raise BadInput("an office", "must have a name and a role", "give both")
        for role_id in office.role_ids:
            self.access.grant(role_id, office.area_id, at)
        return {"name": dict(office.name), "roles": list(office.role_ids), "area": office.area_id, "holdings": []}

    def appoint(
        self,
        office_id: str,
        account_id: str,
        actor: str,
        at: datetime,
        *,
        until_at: datetime | None = None,
        deputy: bool = False,
    ) -> Office:
        """Give an office to an account from now on. Whoever held it (as what it now becomes) hands over at this moment.

        Raises
        ------
        BadInput
            If it would end before now.
        """
        self.account(account_id)
        office = self.office(office_id)
        if until_at is not None and until_at <= at:
            raise BadInput(f"until_at={until_at.isoformat()}", "must be after now", "give a later end, or none")
        kept = [one for one in office.holdings if not (one.deputy == deputy or one.account_id == account_id)]
        taken = Holding(account_id=account_id, from_at=at, until_at=until_at, deputy=deputy)
        self._apply([self._office_draft(office, (*kept, taken), "appoint", actor)], at=at)
        return self.office(office_id)

    def vacate(self, office_id: str, account_id: str, actor: str, at: datetime) -> Office:
        """Take an office from an account; Conflict where then nobody could keep the accounts."""
        office = self.office(office_id)
        kept = tuple(one for one in office.holdings if one.account_id != account_id)
        if len(kept) == len(office.holdings):
            raise NotFound(f"account {account_id!r}", f"does not hold office {office_id!r}", "read it again")
        with self._lock:
            others = [one for one in self.accounts() if self._keeps_accounts(one.account_id, at, without=office_id)]
            if "accounts.act" in self._rights_of(office) and not others and not kept:
                raise Conflict(f"office {office_id!r}", "is the last that keeps the accounts", "appoint another first")
            self._apply([self._office_draft(office, kept, "vacate", actor)], at=at)
        return self.office(office_id)

    def offices_of(self, account_id: str, at: datetime) -> list[Office]:
        """Return the offices that an account holds at a moment."""
        return [office for office in self.offices() if any(True for _ in held_by(office, account_id, at))]

    def actor(self, account_id: str, at: datetime) -> Actor:
        """Return what an account may do at a moment."""
        grants = [
            Grant(
                role_id=role_id, area_id=office.area_id, from_at=held.from_at, until_at=held.until_at,
                office_id=office.office_id,
            )
            for office in self.offices()
            for held in held_by(office, account_id, at)
            for role_id in office.role_ids
        ]  # fmt: skip
        return Actor(actor_id=account_id, grants=tuple(grants))

    # -- signing in ------------------------------------------------------------------------------------------------

    def sign_in(self, sign_in_name: str, password: str, at: datetime) -> tuple[str, SignedIn]:
        """Return a token that proves who asks, and what is known of it.

        Raises
        ------
        NotAllowed
            If name and password do not belong together, or too many did not before. It does not tell which.
        """
        name = sign_in_name.strip().casefold()
        with self._lock:
            wrong = self._wrong[name] if name in self._wrong else deque()
            if len(wrong) == TRIES and at - wrong[0] < WITHIN:
                wait = WITHIN - (at - wrong[0])
                minutes = -(-wait.total_seconds() // 60)
                raise NotAllowed("signing in", f"failed {TRIES} times for this name", f"wait {minutes:.0f} minutes")
        found = next((one for one in self._store.kept("account") if one.body["name"] == name), None)
        if not proves(password, None if found is None else found.body["proof"]) or found is None:
            with self._lock:
                if len(self._wrong) > 10_000:  # names are the caller's to choose
                    self._wrong.clear()
                self._wrong[name].append(at)
            raise NotAllowed("name and password", "must belong together", "try again, or ask for a link to sign in")
        with self._lock:
            self._wrong.pop(name, None)
        return self._begin(found.key, at)

    def link(self, account_id: str | None, actor: str, at: datetime) -> str:
        """Return a token for a link that signs an account in once; without an account, that makes the first one."""
        if account_id is None and self._store.records("account"):
            raise Conflict("the first account", "exists", "ask whoever keeps the accounts for a link")
        if account_id is not None:
            account = self.account(account_id)
            made = _draft("account", account_id, "link", actor, {"open": True}, account.version)
            self._apply([made], at=at)
        token = new_token()
        body: Json = {"account": account_id}
        self._store.keep([Keeping(kind="link", key=token_key(token), body=body, forget_at=at + LINK)])
        return token

    def enter(self, link: str, at: datetime) -> tuple[str, SignedIn]:
        """Use a link up; return the token that it signs in with.

        Raises
        ------
        NotAllowed
            If it was used, is too old, never was, or is the one that makes the first account.
        """
        with self._lock:
            account_id = self._behind(link, at)
            if account_id is None:
                raise NotAllowed("this link", "makes the first account", "open it on the page, and give a name")
            self._use_up(link)
            return self._begin(account_id, at, by_link=True)

    def first_account(
        self, link: str, sign_in_name: str, shown_name: str, password: str, at: datetime
    ) -> tuple[str, SignedIn]:
        """Make the account that keeps the accounts, and everything else until others are named, by the first link.

        The link stays good until the account stands.
        """
        with self._lock:
            if self._behind(link, at) is not None or self._store.records("account"):
                raise Conflict("the first account", "exists", "ask whoever keeps the accounts for a link")
            account = self.open_account(sign_in_name, shown_name, password, "first", at)
            self._use_up(link)
            self.found(account.account_id, at)
            return self._begin(account.account_id, at)

    def found(self, account_id: str, at: datetime) -> Office:
        """Set up the first office, which may do everything in the district, and give it to an account."""
        every = [role_id for role_id in ("commander", "engineer", "registrar") if role_id in self.access.roles]
        name = {"zh": "首任管理员", "en": "First administrator"}
        roles = tuple(every or self.access.roles)
        made = NewOffice(name=name, role_ids=roles, area_id=self._areas.root.area_id)
        office = self.make_office(made, "first", at)
        return self.appoint(office.office_id, account_id, "first", at)

    def who(self, token: str, at: datetime) -> SignedIn | None:
        """Return who a token proves, None where it proves nobody any more."""
        kept = self._store.kept("signed_in", token_key(token))
        if not kept:
            return None
        one = signed_in_of(kept[0].key, kept[0].body)
        if at - one.seen_at >= IDLE or at - one.begun_at >= LONGEST:
            self._store.keep([Keeping(kind="signed_in", key=one.mark, body=None)])
            return None
        if at - one.seen_at >= SEEN_EVERY:
            body = {**kept[0].body, "seen_at": at.isoformat()}
            self._store.keep([Keeping(kind="signed_in", key=one.mark, body=body, forget_at=one.begun_at + LONGEST)])
        return one

    def signed_in(self, account_id: str | None = None) -> list[SignedIn]:
        """Return where an account is signed in; every account's where None."""
        found = [signed_in_of(one.key, one.body) for one in self._store.kept("signed_in")]
        return [one for one in found if account_id in {None, one.account_id}]

    def sign_out(self, mark: str) -> None:
        """End one; nothing happens where it has ended."""
        self._store.keep([Keeping(kind="signed_in", key=mark, body=None)])

    # -- keys of programs ------------------------------------------------------------------------------------------

    def every_key(self) -> list[Key]:
        """Return every key that has not been withdrawn."""
        return [key_of(record.record_id, record.version, record.body) for record in self._store.records("key")]

    def make_key(
        self,
        label: str,
        rights: Iterable[str],
        area_id: str,
        actor: Actor,
        at: datetime,
        *,
        until_at: datetime | None = None,
    ) -> tuple[str, Key]:
        """Return a new key, told this once, and what is known of it. Nobody gives more than they have.

        Raises
        ------
        BadInput
            If it has no label or right, or would end before now.
        NotAllowed
            If the maker lacks one of the rights in that area.
        """
        wanted = tuple(sorted(set(rights)))
        if not label.strip() or len(label) > NAME or not wanted:
            raise BadInput("a key", f"must have a label of 1 to {NAME} characters and a right", "give both")
        if area_id not in self._areas:
            raise BadInput(f"area={area_id!r}", "must be in the district", "list the areas to see their ids")
        if until_at is not None and until_at <= at:
            raise BadInput(f"until_at={until_at.isoformat()}", "must be after now", "give a later end, or none")
        for right in wanted:
            self.access.require(actor, right, at, [area_id])
        token, key_id = KEY_MARK + new_token(), uuid.uuid4().hex[:12]
        until = None if until_at is None else until_at.isoformat()
        body: Json = {"label": label.strip(), "rights": list(wanted), "area": area_id, "until_at": until}
        proof = Keeping(kind="key", key=token_key(token), body={"key": key_id}, forget_at=until_at)
        self._apply([_draft("key", key_id, "make", actor.actor_id, body)], at=at, keeping=[proof])
        return token, key_of(key_id, 1, body)

    def withdraw_key(self, key_id: str, actor: str, at: datetime) -> Change:
        """End a key at once."""
        record = self._store.record("key", key_id)
        kept = [one.key for one in self._store.kept("key") if one.body["key"] == key_id]
        gone = [Keeping(kind="key", key=one, body=None) for one in kept]
        return self._apply([_draft("key", key_id, "withdraw", actor, None, record.version)], at=at, keeping=gone)[0]

    def bearer(self, token: str, at: datetime) -> Actor | None:
        """Return what a key may do, None where it is none, has ended, or was withdrawn."""
        kept = self._store.kept("key", token_key(token)) if token.startswith(KEY_MARK) else []
        if not kept:
            return None
        record = self._store.record("key", kept[0].body["key"])
        key = key_of(record.record_id, record.version, record.body)
        if key.until_at is not None and key.until_at <= at:
            return None
        grant = Grant(role_id="", area_id=key.area_id, from_at=record.changed_at, until_at=key.until_at)
        return Actor(actor_id=f"key:{key.key_id}", grants=(grant,), rights=frozenset(key.rights))

    # -- inside ----------------------------------------------------------------------------------------------------

    def _apply(self, drafts: Sequence[Draft], *, at: datetime, keeping: Sequence[Keeping] = ()) -> tuple[Change, ...]:
        made = self._store.apply(drafts, at=at, keeping=keeping)
        with self._lock:
            self._offices = None  # read again by whoever asks next
        return made

    def _begin(self, account_id: str, at: datetime, *, by_link: bool = False) -> tuple[str, SignedIn]:
        token = new_token()
        moment = at.isoformat()
        body: Json = {"account": account_id, "begun_at": moment, "seen_at": moment, "guard": new_token()}
        body["by_link"] = by_link
        self._store.keep([Keeping(kind="signed_in", key=token_key(token), body=body, forget_at=at + LONGEST)])
        return token, signed_in_of(token_key(token), body)

    def _behind(self, link: str, at: datetime) -> str | None:
        """Return whom a link is for; None where it makes the first account."""
        kept = self._store.kept("link", token_key(link))
        if not kept or kept[0].forget_at is None or kept[0].forget_at <= at:
            raise NotAllowed(
                "this link", "was used or is too old", "ask for a new one, or sign in by name and password"
            )
        account_id: str | None = kept[0].body["account"]
        return account_id

    def _use_up(self, link: str) -> None:
        self._store.keep([Keeping(kind="link", key=token_key(link), body=None)])

    def _version(self, account_id: str) -> int:
        return self._store.record("account", account_id).version

    def _rights_of(self, office: Office) -> set[str]:
        roles = [self.access.roles[one] for one in office.role_ids if one in self.access.roles]
        return {right for role in roles for right in role.rights}

    def _keeps_accounts(self, account_id: str, at: datetime, without: str | None = None) -> bool:
        held = [one for one in self.offices_of(account_id, at) if one.office_id != without]
        return any("accounts.act" in self._rights_of(office) for office in held)

    def _office_draft(self, office: Office, holdings: Iterable[Holding], action: str, actor: str) -> Draft:
        body: Json = {
            "name": dict(office.name),
            "roles": list(office.role_ids),
            "area": office.area_id,
            "holdings": [
                {
                    "account": one.account_id,
                    "from_at": one.from_at.isoformat(),
                    "until_at": None if one.until_at is None else one.until_at.isoformat(),
                    "deputy": one.deputy,
                }
                for one in holdings
            ],
        }
        return _draft("office", office.office_id, action, actor, body, office.version)


def _draft(kind: str, record_id: str, action: str, actor: str, body: Json | None, version: int | None = None) -> Draft:
    return Draft(kind=kind, record_id=record_id, action=action, actor=actor, body=body, expected_version=version)
