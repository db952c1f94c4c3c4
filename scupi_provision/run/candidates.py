"""Those who shall be added to an inventory, looked at before anything is written: ids, keys, and what is there."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from scupi_provision.access.downloaded import DownloadedKey, is_same_key, read_downloaded
from scupi_provision.access.kept_keys import key_path, refuse_other_key
from scupi_provision.access.keys import expand
from scupi_provision.errors import Diagnostic, InputError
from scupi_provision.inventory.enrolment import Enrolment, EnrolWish
from scupi_provision.inventory.inventory import Inventory
from scupi_provision.inventory.models import Account
from scupi_provision.inventory.names import name_problem

_SPREADSHEET_NUMBER = re.compile(r"[0-9.,]+[eE]\+?[0-9]+")


@dataclass(frozen=True)
class Candidate:
    """Somebody whose key is good.

    Attributes:
        person: Who.
        key: The key, ready to be kept.
        account: The entry of the same id that is there already, or None.
    """

    person: Enrolment
    key: DownloadedKey
    account: Account | None = None

    @property
    def id(self) -> str:
        """The account's id."""
        return self.person.id

    @property
    def kept_at(self) -> Path:
        """Where the key is kept."""
        return key_path(self.id)

    @property
    def current_key(self) -> Path | None:
        """The key that the inventory names for the account so far."""
        return expand(self.account.key) if self.account else None

    @property
    def is_in_place(self) -> bool:
        """Whether the key was given at the place where it is kept: then a repaired one takes its name."""
        return expand(self.person.key).absolute() == self.kept_at

    @cached_property
    def is_there(self) -> bool:
        """Whether the account is, with this key: under any name, or retired in favour of one of its own."""
        if self.account is None:
            return False
        places = [expand(self.account.key), self.kept_at]
        return any(place.is_file() and is_same_key(place.read_bytes(), self.key.content) for place in places)


def examined(inventory: Inventory, wish: EnrolWish) -> list[Candidate]:
    """Everybody's key and id, looked at; nothing is written.

    Raises:
        InputError: With everything that is wrong with any of them.
    """
    bases = {host.base for host in inventory.everyone.values()}
    if not bases:
        raise InputError("the inventory has no hosts to log in to", hint="add them below `all:`, `hosts:`")
    there = {account.id: account for account in inventory.accounts}
    problems: list[Diagnostic] = []
    candidates: list[Candidate] = []
    for person in wish.people:
        found = _name_problems(person, bases)
        if person.id in {one.id for one in candidates}:
            found.append(Diagnostic(f"{person.id} is named twice", person.where))
        try:
            one = Candidate(person, read_downloaded(person.key), there.get(person.id))
            _refuse_other_key(one, wish)
            candidates.append(one)
        except InputError as error:
            found += [replace(diagnostic, where=person.where) for diagnostic in error.diagnostics]
        problems += found
    if problems:
        raise InputError.of(problems)
    return candidates


def _refuse_other_key(one: Candidate, wish: EnrolWish) -> None:
    if one.is_there or wish.replace or one.is_in_place:
        return
    if one.account is not None:
        raise InputError(
            f"{one.id} is in the inventory already, with another key ({one.account.key})",
            hint="say --replace when this one shall be used from now on, or `provision inventory remove` it first",
        )
    refuse_other_key(one.kept_at, one.key.content)


def _name_problems(person: Enrolment, bases: set[str]) -> list[Diagnostic]:
    found = []
    if problem := name_problem(person.id):
        found.append(Diagnostic(f'account id "{person.id}" {problem}', person.where, hint=_id_hint(person.id)))
    elif person.id in bases:
        found.append(Diagnostic(f'"{person.id}" is the name of a host', person.where))
    found += [
        Diagnostic(f'group "{group}" {problem}', person.where)
        for group in person.groups
        if (problem := name_problem(group))
    ]
    if not person.name.isprintable():
        found.append(Diagnostic(f"the name {person.name!a} has characters that cannot be seen", person.where))
    return found


def _id_hint(identifier: str) -> str:
    if _SPREADSHEET_NUMBER.fullmatch(identifier):
        return "a spreadsheet has made a number of it: format that column as text, and type the ids again"
    if "/" in identifier or "\\" in identifier:
        return "this is a path; write: provision inventory add ID --key FILE"
    return "the id is the login name on the cluster, such as 2021141520001"
