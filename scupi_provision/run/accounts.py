"""`provision inventory add` and `remove`: keys are checked, logins tried, and only then is the inventory written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from types import TracebackType

from scupi_provision.access.kept_keys import KeptKey, as_written, keep_key, key_path, own_key_path
from scupi_provision.access.keys import expand
from scupi_provision.errors import AuthenticationError, Diagnostic, InputError, ProvisionError, UnreachableError
from scupi_provision.inventory.document import InventoryDocument
from scupi_provision.inventory.editing import NewEntry, with_accounts, with_key, without_account
from scupi_provision.inventory.enrolment import Enrolled, EnrolWish, LoginTried, Removed, Standing
from scupi_provision.inventory.load import load_inventory
from scupi_provision.run.candidates import Candidate, examined
from scupi_provision.run.introductions import Introductions, check_fingerprints
from scupi_provision.run.request import RunRequest
from scupi_provision.run.trial_login import TrialLogin, try_login

_AT_ONCE = 8
"""Accounts that log in at a time: sshd drops unauthenticated connections at random from the tenth on (MaxStartups)."""


def add_accounts(request: RunRequest, wish: EnrolWish) -> Iterator[LoginTried | Enrolled]:
    """Put accounts into the inventory; tells each login, and at the end what became of each account, in their order.

    Of several, those whose login fails are left out, and the others are written. Of one, the error is raised.

    Raises:
        InputError: The inventory, an id or a key is not as it must be (all of them are named), or somebody else has
            changed the inventory meanwhile. Nothing was written.
        UnreachableError: The only account could not log in. Nothing was written.
    """
    document = InventoryDocument.read(request.inventory)
    inventory = load_inventory(request.inventory, text=document.text, also=request.more_inventories)
    check_fingerprints(wish.fingerprints, inventory)
    candidates = examined(inventory, wish)
    new = [one for one in candidates if not one.is_there]
    edited = _edited(document.text, new, wish)
    load_inventory(request.inventory, text=edited, also=request.more_inventories)  # refuses what it would refuse then
    introductions = Introductions(request.person, wish.fingerprints)
    with _KeptKeys() as kept:
        for one in new:
            kept.keep(one, replace=wish.replace)
        tried: dict[str, TrialLogin] = {}
        if wish.connect and new:
            yield from _try(request, introductions, _edited(document.text, new, wish), new, tried)
        if len(candidates) == 1:
            _require_login(tried, introductions)
        for one in _failed(new, tried):
            kept.give_up(one)
        if good := [one for one in new if one.id in kept.keys]:
            document.save(_edited(document.text, good, wish))
    for one in candidates:
        yield _result(one, kept.keys.get(one.id), tried.get(one.id, TrialLogin()), introductions)


class _KeptKeys:
    """The keys that are kept for accounts about to be written; all go again when that comes to nothing."""

    def __init__(self) -> None:
        self.keys: dict[str, KeptKey] = {}

    def keep(self, one: Candidate, *, replace: bool) -> None:
        self.keys[one.id] = keep_key(one.kept_at, one.key.content, replace=replace or one.is_in_place)

    def give_up(self, one: Candidate) -> None:
        self.keys.pop(one.id).undo()

    def __enter__(self) -> _KeptKeys:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            for key in self.keys.values():
                key.undo()


def remove_account(request: RunRequest, identifier: str, *, delete_key: bool = False) -> Removed:
    """Take an account out of the inventory; nothing is done on any host.

    Raises:
        InputError: There is no such account, its entry cannot be taken out alone, or its key, which should be
            deleted, is that of another account too. Nothing was changed.
    """
    document = InventoryDocument.read(request.inventory)
    inventory = load_inventory(request.inventory, text=document.text, also=request.more_inventories)
    text = without_account(document.text, identifier)
    load_inventory(request.inventory, text=text, also=request.more_inventories)
    (account,) = (one for one in inventory.accounts if one.id == identifier)
    own = own_key_path(identifier)
    named = [expand(account.key), key_path(identifier), own, own.with_name(f"{own.name}.pub")]
    files = tuple(dict.fromkeys(path for path in named if path.is_file()))
    others = {expand(one.key) for one in inventory.accounts if one.id != identifier}
    shared = [path for path in files if path in others]
    if delete_key and shared:
        raise InputError(f"{shared[0]} is the key of another account too", hint="remove this one without --delete-key")
    document.save(text)
    if not delete_key:
        return Removed(identifier, files)
    for path in files:
        path.unlink()
    return Removed(identifier, deleted=files)


def _edited(text: str, people: Sequence[Candidate], wish: EnrolWish) -> str:
    for one in people:
        if one.account is not None:
            text = with_key(text, one.id, as_written(one.kept_at))
    entries = [
        NewEntry(one.id, as_written(one.kept_at), one.person.name, one.person.groups, wish.own_key)
        for one in people
        if one.account is None
    ]
    return with_accounts(text, tuple(entries))


# --- trying to log in -------------------------------------------------------------------------------------------------


def _try(
    request: RunRequest,
    introductions: Introductions,
    text: str,
    people: Sequence[Candidate],
    tried: dict[str, TrialLogin],
) -> Iterator[LoginTried]:
    """Everybody's login, into `tried`. The first goes alone: what it learns of the hosts' keys, the others know."""
    inventory = load_inventory(request.inventory, text=text, also=request.more_inventories)
    first, *rest = (one.id for one in people)
    trial = tried[first] = try_login(inventory, request, first, introductions)
    yield _told(first, trial, 1, len(people))
    if _concerns_all(trial.error):
        tried |= dict.fromkeys(rest, TrialLogin(error=trial.error))
        return
    pool = ThreadPoolExecutor(max_workers=_AT_ONCE)
    try:
        trials = pool.map(lambda identifier: try_login(inventory, request, identifier, introductions), rest)
        for number, (identifier, trial) in enumerate(zip(rest, trials, strict=True), 2):
            tried[identifier] = trial
            yield _told(identifier, trial, number, len(people))
    finally:
        pool.shutdown(cancel_futures=True)  # who interrupts does not wait for those who have not begun


def _told(identifier: str, trial: TrialLogin, number: int, count: int) -> LoginTried:
    return LoginTried(identifier, number, count, trial.error.diagnostic.summary if trial.error else "")


def _concerns_all(error: ProvisionError | None) -> bool:
    """Whether nobody else needs to try: the host is away or not to be trusted, which is not the account's fault."""
    return isinstance(error, UnreachableError) and not isinstance(error, AuthenticationError)


def _failed(people: Sequence[Candidate], tried: Mapping[str, TrialLogin]) -> list[Candidate]:
    return [one for one in people if one.id in tried and tried[one.id].error is not None]


def _require_login(tried: Mapping[str, TrialLogin], introductions: Introductions) -> None:
    for identifier, trial in tried.items():
        if trial.error is not None:
            told = _explained(trial.error, introductions)
            kind = InputError if isinstance(trial.error, InputError) else UnreachableError
            raise kind(
                f"{identifier} was not added, because the login failed: {told.summary}",
                detail=told.detail,
                hint=f"{told.hint}\nto write it without a login: --no-connect".strip(),
            ) from trial.error


def _explained(error: ProvisionError, introductions: Introductions) -> Diagnostic:
    """Why a login failed; where nobody vouched for a host, with the options of `add` that do."""
    hint = error.diagnostic.hint
    for host, fingerprint in introductions.declined.items():
        hint = (
            "compare the fingerprint with the administrator's, and if it is the same: "
            f"--fingerprint {host}={fingerprint}\nto trust every host as it is: --yes"
        )
    return replace(error.diagnostic, hint=hint)


def _result(one: Candidate, kept: KeptKey | None, trial: TrialLogin, introductions: Introductions) -> Enrolled:
    if one.is_there and kept is None:
        return Enrolled(one.id, Standing.THERE, one.person.name, one.current_key)
    if kept is None:
        error = _explained(trial.error, introductions) if trial.error else None
        return Enrolled(one.id, Standing.FAILED, one.person.name, error=error)
    return Enrolled(
        id=one.id,
        standing=Standing.ADDED if one.account is None else Standing.REPLACED,
        name=one.person.name,
        key=kept.path,
        fingerprint=one.key.fingerprint,
        repairs=one.key.repairs,
        hosts=trial.hosts,
        warnings=(*trial.warnings, *_notes(one, kept)),
    )


def _notes(one: Candidate, kept: KeptKey) -> Iterator[str]:
    if one.key.needs_passphrase:
        yield "the key has a passphrase, which is asked for when it is used; an ssh-agent (ssh-add) spares that"
    if kept.previous is not None:
        yield f"the key that was there is now {kept.previous}"
