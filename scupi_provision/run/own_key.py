"""A key of the account's own in place of the one that was downloaded: `access: {own_key: true}`.

The order is what makes it safe to be interrupted anywhere: the new key is let in on the host, a fresh login proves it
over every hop, and only then does the inventory name it. Until then the old key is used, and on the host it stays
valid: the portal's WebShell and `ssh gpu2` on the login node log in with it.
"""

from __future__ import annotations

import posixpath
import time
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

from scupi_provision.access.authorized_keys import admits, with_line
from scupi_provision.access.kept_keys import as_written, own_key_path
from scupi_provision.access.keys import expand
from scupi_provision.access.own_key import own_public_key
from scupi_provision.errors import AuthenticationError, InputError, ProvisionError, StepFailedError, UnreachableError
from scupi_provision.events import Event, Notice
from scupi_provision.host.record import StepRecord
from scupi_provision.host.view import HostView
from scupi_provision.inventory.document import InventoryDocument
from scupi_provision.inventory.editing import with_key
from scupi_provision.inventory.enrolment import OwnKey
from scupi_provision.inventory.inventory import Inventory
from scupi_provision.inventory.models import Account, Host
from scupi_provision.run.fleet import Fleet
from scupi_provision.run.fresh_login import Trouble, fresh_login
from scupi_provision.run.guard_ways import login_guard
from scupi_provision.run.request import RunRequest
from scupi_provision.run.routes import connection_of, route_to
from scupi_provision.run.trial_login import ends_of
from scupi_provision.shell.entry import Kind
from scupi_provision.transport.base import Route
from scupi_provision.transport.opening import open_transport

_OWNER_ONLY = 0o600
_FOLDER_MODE = 0o700
_OTHERS_WRITE = 0o022
_AT_ONCE = 8
"""Accounts at a time, as in `accounts`."""
_WAITS_S = (1.0, 4.0, 15.0, 40.0)
"""NFS clients keep attributes for 60 s at most (acregmax, acdirmax in nfs(5)); few tries, or a ban would follow."""


def own_keys(inventory: Inventory, request: RunRequest) -> Iterator[Event]:
    """At the beginning of an apply: give a key of its own to every account that asks for one; says what happened.

    An account for which it fails goes on with the key that it has. One that has its own key costs nothing.
    """
    for account, done in give_own_keys(inventory, request, _wanting(inventory, request)):
        if isinstance(done, OwnKey):
            yield Notice(str(done), account.id)
        else:
            told = done.diagnostic
            text = f"no key of its own yet, the one that it has is used: {told.summary} {told.detail}".strip()
            yield Notice(text, account.id, "warning")


def own_keys_to_be(inventory: Inventory, request: RunRequest) -> Iterator[Notice]:
    """What `own_keys` would do, for a check."""
    for account in _wanting(inventory, request):
        yield Notice(f"would get its own key {own_key_path(account.id)}, with a line in authorized_keys", account.id)


def _wanting(inventory: Inventory, request: RunRequest) -> list[Account]:
    taking_part = {host.account for host in inventory.select("all", request.limit)}
    asking = [one for one in inventory.accounts if one.access.own_key and one.id in taking_part]
    return [one for one in asking if expand(one.key) != own_key_path(one.id)]


def give_own_keys(
    inventory: Inventory, request: RunRequest, accounts: Sequence[Account]
) -> Iterator[tuple[Account, OwnKey | ProvisionError]]:
    """Make keys, have them let in, prove each by fresh logins, and switch the inventory to those that are proved.

    Accounts that log in with their own key already are left out. Where one fails, the inventory still names the old
    key, which still works.
    """
    wanting = [one for one in accounts if expand(one.key) != own_key_path(one.id)]
    pool = ThreadPoolExecutor(max_workers=_AT_ONCE)
    try:
        outcomes = pool.map(lambda account: _established(inventory, request, account), wanting)
        for account, problem in zip(wanting, outcomes, strict=True):
            yield account, problem or _switched(request, account)
    finally:
        pool.shutdown(cancel_futures=True)  # who interrupts does not wait for those that have not begun


def _switched(request: RunRequest, account: Account) -> OwnKey | ProvisionError:
    key = own_key_path(account.id)
    try:
        document = InventoryDocument.read(request.inventory)
        document.save(with_key(document.text, account.id, as_written(key)))
    except ProvisionError as error:
        return error
    return OwnKey(account.id, key, expand(account.key))


def _established(inventory: Inventory, request: RunRequest, account: Account) -> ProvisionError | None:
    """Make the key, have it let in, and prove it; why that failed."""
    try:
        if "{{" in account.key:
            raise InputError(f"the key of {account.id} is a template in the inventory", hint="write its path there")
        public = own_public_key(own_key_path(account.id), f"{account.id} (provision)")
        for host in ends_of(inventory, account.id):
            if connection_of(host, request) == "ssh":
                _prove(inventory, request, account, host, public)
    except ProvisionError as error:
        return error
    return None


def _prove(inventory: Inventory, request: RunRequest, account: Account, host: Host, public: str) -> None:
    """Log in on every hop to `host` with the new key alone, after each that refuses it has been told of it.

    A home that is shared is told once; where hops have homes of their own, each is told.
    """
    old, new = expand(account.key), own_key_path(account.id)
    for hop in inventory.route_hosts(host):
        route = _with_key(route_to(hop, inventory, request), old, new)
        if not _lets_in(route, request):
            _tell(inventory, request, hop, public)
            _wait_until_let_in(route, request)
    proof = fresh_login(_with_key(route_to(host, inventory, request), old, new), request.person)
    if proof.trouble is Trouble.NO_LOGIN:
        raise UnreachableError(f"a fresh login with {new} fails", detail=proof.problem)


def _tell(inventory: Inventory, request: RunRequest, hop: Host, public: str) -> None:
    """Let the key in, watched by the lockout guard: where nobody could log in any more, the host takes it back."""
    fleet = Fleet(inventory, request, "own key")
    try:
        for _ in fleet.open([hop]):
            pass  # what there is to tell of it is in `fleet`
        if hop.name in fleet.errors:
            raise fleet.errors[hop.name]
        link = fleet.links[hop.name]
        record = link.seeing(partial(_letting_in, HostView(link.snapshot), public))
        if record.actions and not _outcome(link.perform_guarded(record.actions, login_guard(fleet, hop, ()))):
            raise StepFailedError(f"the change of authorized_keys on {hop.base} was taken back")
    finally:
        fleet.close()


def _outcome(events: Generator[Event, None, bool]) -> bool:
    """Go through events that nobody is shown; what the generator returns."""
    returned: list[bool] = []

    def going() -> Iterator[Event]:
        returned.append((yield from events))

    for _ in going():
        pass
    return returned[0]


def _wait_until_let_in(route: Route, request: RunRequest) -> None:
    """A node may see a file of the shared home as it was, for as long as its NFS client keeps attributes."""
    for seconds in _WAITS_S:
        if _lets_in(route, request):
            return
        time.sleep(seconds)
    open_transport(route, "ssh", request.person).close()


def _lets_in(route: Route, request: RunRequest) -> bool:
    try:
        open_transport(route, "ssh", request.person).close()
    except AuthenticationError:
        return False
    return True


def _with_key(route: Route, old: Path, new: Path) -> Route:
    return tuple(replace(hop, key_files=tuple(new if key == old else key for key in hop.key_files)) for hop in route)


def _letting_in(view: HostView, public: str) -> StepRecord:
    """Plan one more line in authorized_keys; all others stay as they are, byte for byte."""
    view.begin("let the account's own key in")
    path = view.resolve(view.path("~/.ssh/authorized_keys"))
    folder = posixpath.dirname(path)
    now = view.entry(folder)
    if not now.exists or (now.mode or 0) & _OTHERS_WRITE:
        view.mkdir(folder, _FOLDER_MODE)
    content = view.content(path) if view.entry(path).kind is Kind.FILE else b""
    if not admits(content, public):
        view.write(path, with_line(content, public), _OWNER_ONLY)
    return view.commit()
