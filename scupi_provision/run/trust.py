"""Getting to know the hosts on a way: each key is met, and trusted, refused or known, before anything is said to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from typing import Any

from scupi_provision.access.trusted_key import TrustedKey
from scupi_provision.errors import HostKeyError
from scupi_provision.inventory.inventory import Inventory
from scupi_provision.inventory.models import Host
from scupi_provision.run.choosing import choose_account, choose_host
from scupi_provision.run.introductions import Introductions
from scupi_provision.run.request import RunRequest
from scupi_provision.run.routes import route_to
from scupi_provision.run.trial_login import ends_of
from scupi_provision.transport.base import Hop, Route
from scupi_provision.transport.host_key_refusals import named
from scupi_provision.transport.host_keys import HostKeyJudge, MetKey
from scupi_provision.transport.known_hosts import fingerprint
from scupi_provision.transport.opening import open_transport
from scupi_provision.transport.shared_hops import SharedHops


def trust(
    inventory: Inventory,
    request: RunRequest,
    host: Host,
    *,
    fingerprints: Mapping[str, str] | None = None,
    replace: bool = False,
) -> Iterator[TrustedKey]:
    """Meet every hop on the way to `host`, in the order in which they are dialled, and yield each one's key.

    Hops before the last are logged in to, since the next is reached through them; the last one is not.

    Args:
        inventory: Where `host` is from.
        request: How to log in; its `person` is asked about each unknown key, its `new_keys` remembers the answers.
        host: The end of the way; nothing is yielded when it is this machine.
        fingerprints: For names of hosts the fingerprint that their key must have; they are not asked about.
        replace: Whether a key that was trusted through us may be replaced by the one that is offered.

    Raises:
        HostKeyError: A key is changed or revoked, or nobody vouches for it.
        UnreachableError: A hop cannot be reached.
    """
    route = route_to(host, inventory, request)
    introductions = Introductions(request.person, fingerprints or {})
    hops: SharedHops[Any] = SharedHops()
    with ExitStack() as opened:
        for length in range(1, len(route) + 1):
            if length > 1:  # kept until the end, so that nobody is asked for a second code
                opened.enter_context(closing(open_transport(route[: length - 1], "ssh", introductions, hops)))
            yield _trusted(_meet(route[:length], _Meeting(introductions, route[length - 1], replace=replace), hops))


def hosts_to_meet(inventory: Inventory, names: Sequence[str], account: str | None) -> list[Host]:
    """The hosts called `names`, or all of one account: any account will do, since a host shows everybody the same key.

    Raises:
        InputError: There is no such host or account.
    """
    if account is None and inventory.accounts:
        account = inventory.accounts[0].id
    if not names:
        return ends_of(inventory, choose_account(inventory, account))
    return [choose_host(inventory, name, account) for name in names]


class _MetError(Exception):
    """The key that was to be met is; nothing more is to be said to its host."""

    def __init__(self, key: MetKey) -> None:
        super().__init__()
        self.key = key


class _Meeting:
    """Somebody who has come to meet one hop."""

    def __init__(self, introductions: Introductions, goal: Hop, *, replace: bool) -> None:
        self._introductions = introductions
        self._goal = goal
        self._replace = replace

    def secret(self, hop: Hop, question: str, *, echo: bool) -> str:
        """Ask whoever is there."""
        return self._introductions.secret(hop, question, echo=echo)

    def trusts(self, hop: Hop, offered: str) -> bool:
        """By the fingerprint that was given, or by asking."""
        if self._introductions.trusts(hop, offered):
            return True
        raise HostKeyError(
            f"Nobody vouches for the key of {hop.name}; nothing was sent there",
            detail=f"offered: {offered}",
            hint="answer yes at a terminal, or say which key it must be: "
            f"provision trust {hop.name} --fingerprint SHA256:… (from the administrator)",
        )

    def met(self, key: MetKey) -> None:
        """Compare it with what was given; at the goal, stop."""
        if self._introductions.is_given(key.hop):
            self._introductions.trusts(key.hop, named(key.key))
        if key.hop == self._goal:
            raise _MetError(key)

    def replaces(self, hop: Hop, offered: str, known: tuple[str, ...]) -> bool:
        """As the command says; which key it is, is asked or compared all the same."""
        return self._replace and hop == self._goal and bool(known) and self.trusts(hop, offered)


def _meet(route: Route, meeting: _Meeting, hops: SharedHops[Any]) -> MetKey:
    try:
        open_transport(route, "ssh", meeting, hops).close()
    except _MetError as met:
        return met.key
    # The hop before has logged in there with keys that we know, and has not told which one it saw.
    judge = HostKeyJudge.for_hop(route[-1])
    return MetKey(route[-1], judge.trusted[0], "known", "the hop before it compared it")


def _trusted(met: MetKey) -> TrustedKey:
    hop, key = met.hop, met.key
    return TrustedKey(hop.name, hop.address, hop.port, key.kind, fingerprint(key), met.standing, met.place, key.text)
