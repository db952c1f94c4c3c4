"""The other hosts of a play, as a pass over it for one host sees them (decision 0011).

A pass tells where it is; whoever has something to see of the others (the variables of another host, who is still in the
play) asks, and is answered as of that place of the play. Where that cannot be told yet, the asking fails with
UnknownValueError and the place is remembered: the hosts meet there, and the pass is made again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from scupi_provision.modules.contract import Membership
from scupi_provision.plan.models import StepKey

AFTER = "after"
"""The last part of the key of a meeting that is held when all hosts have done what stands before it."""


class Company:
    """Nobody else: what a host has that is alone in a play. Subclasses know the others.

    Attributes:
        wanted: Where something of the others was asked for that cannot be told yet; such a pass cannot be used.
        in_step: Whether the hosts meet after every task, because its failures are counted (`max_fail_percentage`).
    """

    wanted: StepKey | None = None
    in_step: bool = False

    def at(self, key: StepKey, *, settled: bool) -> None:
        """The pass has come to the item `key`; `settled`: nothing before it is still to be done or read."""

    def must_meet(self, _key: StepKey) -> bool:
        """Whether the others were asked for at this item in an earlier pass."""
        return False

    def meet(self, _key: StepKey) -> bool:
        """Wait until every other host has come as far as this; False when this one must be looked at anew then."""
        return True

    def leads(self, _key: StepKey) -> bool:
        """Whether this host is the one that does what is done once, after the meeting `key`."""
        return True

    def follow(self, _key: StepKey) -> Mapping[str, Any] | None:
        """The variables that the host which leads has got from the item `key`; None when it failed there."""
        return {}

    def has_failed(self, _key: StepKey, *, fatally: bool) -> None:
        """A task has failed here that ends the play for all (`fatally`) or only for this host."""

    def is_over(self, _key: StepKey) -> bool:
        """Whether the play is over for all hosts by what has failed until the meeting `key`."""
        return False

    def ends(self, _key: StepKey, _what: str) -> None:
        """The item `key` ends the play or the batch (`what`: the meta action) for everybody."""

    def ending(self, _key: StepKey) -> str:
        """The meta action by which the item `key` has ended the play for everybody, or ""."""
        return ""

    def gives(self, _host: str, _module: str, _facts: Mapping[str, Any]) -> None:
        """A task of `module` has found facts that are those of the host `host` (`delegate_facts`)."""

    def given(self, _key: StepKey) -> Iterable[tuple[str, Mapping[str, Any]]]:
        """Facts that the item before the meeting `key` has given this host elsewhere, each with the module's name."""
        return ()

    def judged(self, _joined: Membership) -> bool:
        """Whether this would change the inventory."""
        return True

    def joined(self, joined: Membership) -> None:
        """The inventory has grown by this."""
