"""What a node told of itself, and how a check speaks of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from scupi_provision.host.facts import Facts
from scupi_provision.host.finding import Finding, State


@dataclass(frozen=True)
class Node:
    """One node as it was seen.

    Attributes:
        name: Its base name in the inventory.
        facts: What `facts.sh` and `doctor.sh` told; text of the host, never trusted.
        computes: Whether programs run here and are not built here: a host behind another one.
        reason: Why there is no GPU, when the inventory says that none is expected (the lab); else "".
        public_keys: The keys that were asked for in authorized_keys, in the order of the facts.
        urls: The addresses that were asked for, in the order of the facts.
        names: The hosts that were looked up there, likewise.
    """

    name: str
    facts: Facts
    computes: bool = False
    reason: str = ""
    public_keys: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()
    names: tuple[str, ...] = ()

    @property
    def raw(self) -> Mapping[str, str]:
        """The facts by the names that the shell files give them."""
        return self.facts.raw

    @property
    def resolved(self) -> dict[str, str]:
        """The addresses of `names` here, "-" for one that is not known; empty where they could not be looked up."""
        return dict(zip(self.names, numbered(self.raw, "resolved"), strict=False))

    def knowing(self, more: Mapping[str, str]) -> Node:
        """The same node with more facts."""
        return replace(self, facts=Facts({**self.raw, **more}))

    def ok(self, check: str, what: str) -> Finding:
        """All is well."""
        return Finding(self.name, check, State.OK, what)

    def found(self, check: str, state: State, what: str, fix: str) -> Finding:
        """Not quite; with what to do."""
        return Finding(self.name, check, state, what, fix)


Check = Callable[[Node], Finding]
"""Looks at one thing that a node told."""


def numbered(raw: Mapping[str, str], prefix: str) -> Iterator[str]:
    """The facts `<prefix>_0`, `<prefix>_1`, … as far as they go without a gap."""
    number = 0
    while (value := raw.get(f"{prefix}_{number}")) is not None:
        yield value
        number += 1
