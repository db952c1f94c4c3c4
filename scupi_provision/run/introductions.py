"""Host keys that are met for the first time: each is asked about once, or compared with what was given beforehand."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import replace

from scupi_provision.errors import HostKeyError, InputError
from scupi_provision.inventory.inventory import Inventory
from scupi_provision.source import suggestion
from scupi_provision.transport.base import Hop, Person, Route

_PREFIX = "SHA256:"


class Introductions:
    """A Person who answers for another one where the answer is known already. For use by several threads.

    Args:
        person: Who is asked.
        fingerprints: For names of hosts the fingerprint that their key must have.

    Attributes:
        declined: By host the keys that nobody vouched for.
    """

    def __init__(self, person: Person, fingerprints: Mapping[str, str]) -> None:
        self._person = person
        self._fingerprints = {name: text.rstrip("=") for name, text in fingerprints.items()}
        self.declined: dict[str, str] = {}
        self._answers: dict[tuple[str, int, str], bool] = {}
        self._asking = threading.Lock()

    def secret(self, hop: Hop, question: str, *, echo: bool) -> str:
        """Ask whoever is there."""
        return self._person.secret(hop, question, echo=echo)

    def trusts(self, hop: Hop, offered: str) -> bool:
        """By the fingerprint that was given for the host; else by asking, once for all connections."""
        expected = self._fingerprints.get(hop.name)
        if expected is not None:
            _require(hop, offered, expected)
            return True
        key = (hop.address, hop.port, offered)
        with self._asking:
            if key not in self._answers:
                self._answers[key] = self._person.trusts(hop, offered)
            if not self._answers[key]:
                self.declined[hop.name] = offered.partition(" ")[0]
            return self._answers[key]

    def is_given(self, hop: Hop) -> bool:
        """Whether a fingerprint was given for it."""
        return hop.name in self._fingerprints

    def pinned(self, route: Route) -> Route:
        """`route` with the given fingerprints as the only keys that count: for hosts that are known already."""
        return tuple(
            replace(hop, host_keys=(self._fingerprints[hop.name],)) if hop.name in self._fingerprints else hop
            for hop in route
        )


def check_fingerprints(fingerprints: Mapping[str, str], inventory: Inventory) -> None:
    """Raise InputError unless every fingerprint is one, and of a host of the inventory."""
    bases = {host.base for host in inventory.everyone.values()}
    for name, text in fingerprints.items():
        if name not in bases:
            hint = suggestion(name, bases) or f"hosts: {', '.join(sorted(bases))}"
            raise InputError(f'--fingerprint: the inventory has no host "{name}"', hint=hint)
        if not text.startswith(_PREFIX) or len(text.rstrip("=")) != len(_PREFIX) + 43:  # 32 bytes in base64
            hint = "write --fingerprint HOST=SHA256:…, as `ssh-keygen -l` prints it on the host"
            raise InputError(f"--fingerprint: {text!a} is no fingerprint", hint=hint)


def _require(hop: Hop, offered: str, expected: str) -> None:
    if offered.split()[:1] != [expected]:
        raise HostKeyError(
            f"The host key of {hop.name} is not the one that you gave; not connecting",
            detail=f"offered: {offered}\ngiven:   {expected}",
            hint="if the fingerprint is of another key type, ask for the one of this type; else somebody may be "
            "listening in between",
        )
