"""The hosts to which a play on another host delegates tasks: each reached by a line of its own, once it is needed."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from scupi_provision.errors import Diagnostic, Position, ProvisionError
from scupi_provision.host.snapshot import Needs, Snapshot
from scupi_provision.inventory.models import Host, InventoryVariables
from scupi_provision.plan.delegation import HERE, Delegates
from scupi_provision.playbook.models import Play
from scupi_provision.run.blobs import Stock
from scupi_provision.run.bringing import Bringing
from scupi_provision.run.fleet import Fleet, Link
from scupi_provision.run.guard import LoginGuard
from scupi_provision.run.guard_ways import login_guard
from scupi_provision.run.routes import connection_of
from scupi_provision.run.session import Session


@dataclass(frozen=True)
class Doer:
    """One host that does steps: its session, and what goes with every program that it is sent."""

    session: Session
    bringing: Bringing
    guard: LoginGuard | None = None


@dataclass
class HostDelegates(Delegates):
    """Those of one host in one play.

    Attributes:
        host: Whose tasks are delegated.
    """

    fleet: Fleet
    host: Host
    play: Play
    stock: Stock
    _hosts: dict[str, Host] = field(default_factory=dict)
    _refusals: dict[str, Diagnostic] = field(default_factory=dict)
    _links: dict[str, Link] = field(default_factory=dict)
    _doers: dict[str, Doer] = field(default_factory=dict)

    def named(self, asked: str, where: Position | None) -> str:
        """As `Delegates.named`; who is reached as the account that we run as is the same, by whatever name."""
        found = self._find(asked, where)
        request = self.fleet.request
        if (
            found.name == self.host.name
            or connection_of(found, request) == connection_of(self.host, request) == "local"
        ):
            return HERE
        self._hosts[found.name] = found
        return found.name

    def owner(self, asked: str, where: Position | None) -> str:
        """As `Delegates.owner`: hosts that are reached in the same way have facts of their own all the same."""
        name = self._find(asked, where).name
        return HERE if name == self.host.name else name

    def _find(self, asked: str, where: Position | None) -> Host:
        inventory = self.fleet.inventory
        for name in (asked, f"{self.host.account}@{asked}"):
            if name in inventory.everyone or name in inventory.implicit:
                return inventory.host(name)
        # As Ansible has it: a name of no inventory is an address, and what holds for all hosts holds for it.
        variables = InventoryVariables(all=dict(self.host.variables.all))
        return Host(asked, asked, where or self.host.where, label=asked, variables=variables)

    def refusal(self, name: str) -> Diagnostic | None:
        """Why it cannot be reached, once that has been tried."""
        return self._refusals.get(name)

    def snapshot(self, name: str) -> Snapshot:
        """What is known of the host; nothing while it has not been reached."""
        return self._links[name].snapshot if name in self._links else Snapshot()

    def read(self, name: str, needs: Needs) -> None:
        """Bring what is needed into its snapshot."""
        if name not in self._links:
            try:
                self._links[name] = self.fleet.errand(self.host, self._hosts[name])
            except ProvisionError as error:  # the task fails that wanted it, when its turn comes
                self._refusals[name] = error.diagnostic
                return
        link = self._links[name]
        wanted = replace(needs, facts=needs.facts and not link.snapshot.facts)  # reaching it has read them
        if wanted:
            link.session.read(wanted, link.snapshot)

    def forget(self) -> None:
        """What was read on any of them may no longer be so: their homes may be one and the same."""
        for link in self._links.values():
            link.snapshot = Snapshot(link.snapshot.facts)

    def doer(self, name: str) -> Doer:
        """The host called `name`, which has been reached."""
        if name not in self._doers:
            link = self._links[name]
            home = link.snapshot.facts.home if link.snapshot.facts else "/"
            bringing = Bringing(link.host.label, link.session, self.stock, home)
            guard = login_guard(self.fleet, link.host, (), self.play, link)
            self._doers[name] = Doer(link.session, bringing, guard)
        return self._doers[name]

    @property
    def instead(self) -> int:
        """How many of them were found unable to download."""
        return sum(doer.bringing.instead for doer in self._doers.values())
