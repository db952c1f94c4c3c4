"""What is known of the hosts of one play while it is compiled: by a look, or by what is assumed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from scupi_provision.host.facts import Facts
from scupi_provision.host.snapshot import Needs, Snapshot
from scupi_provision.inventory.models import Host
from scupi_provision.playbook.models import Play
from scupi_provision.run.compiling.assumed import assumed_facts
from scupi_provision.run.compiling.checks import judging_later
from scupi_provision.run.compiling.looks import Looked
from scupi_provision.run.compiling.offline import PlannedOffline, Read, Sight, Stage
from scupi_provision.run.compiling.unseen import UnseenHome
from scupi_provision.run.compiling.watching import Watch
from scupi_provision.run.request import RunRequest
from scupi_provision.run.routes import setting
from scupi_provision.run.site import Site


@dataclass(frozen=True)
class Subject:
    """One play for one account.

    Attributes:
        host: The host that the script runs on.
        witnesses: The hosts that prove it.
        looks: What looks have told, by the host's base name.
    """

    site: Site
    play: Play
    host: Host
    witnesses: tuple[Host, ...]
    looks: Mapping[str, Snapshot] = field(default_factory=dict)

    @property
    def hosts(self) -> list[Host]:
        """The host and its witnesses, each once."""
        return list({host.name: host for host in (self.host, *self.witnesses)}.values())

    def facts(self, host: Host) -> Mapping[str, str]:
        """The facts of one of the hosts, as `facts.sh` tells them."""
        look = self.looks.get(host.base)
        return look.facts.raw if look and look.facts else assumed_facts(host, self.site.request)

    @property
    def is_looked_at(self) -> bool:
        """Whether somebody has looked at the host that the script runs on."""
        return self.host.base in self.looks


@dataclass
class Sighting:
    """One planning of a subject: everything that was asked is noted.

    Attributes:
        home: Who answers for the account when nobody has looked at it; else None.
        watch: What tasks ask about the user's own files.
        asked: What was asked, by the host's full name.
    """

    subject: Subject
    home: UnseenHome | None
    watch: Watch | None
    stage: Stage
    looked: dict[str, Looked]
    asked: dict[str, Needs]

    def apply(self) -> PlannedOffline:
        """The play's tasks on the host."""
        return self.stage.apply(self.subject.host)

    def verify(self, witness: Host, applied: PlannedOffline) -> PlannedOffline:
        """The checks on one of the witnesses."""
        return self.stage.verify(witness, applied, judging_later)

    def lacking(self) -> dict[str, Needs]:
        """What the looks did not tell, by the host's base name; of hosts that were looked at alone."""
        return {base: looked.lacking for base, looked in self.looked.items() if looked.lacking}


def sighted(
    subject: Subject, theirs: Iterable[str] = (), *, facts: Mapping[str, Mapping[str, str]] | None = None,
    watched: bool = True, mark: str = "",
) -> Sighting:  # fmt: skip
    """Prepare to plan `subject`.

    Args:
        subject: What.
        theirs: Files of the user's that are there, when nobody has looked.
        facts: Facts in place of those that are known, by the host's full name.
        watched: Whether a task that depends on what only a look can tell is stopped.
        mark: What stands for contents that nobody knows begins with this.
    """
    sights: dict[str, Sight] = {}
    looked: dict[str, Looked] = {}
    asked: dict[str, Needs] = {}
    home: UnseenHome | None = None
    watch: Watch | None = None
    for host in subject.hosts:
        given = (facts or {}).get(host.name) or subject.facts(host)
        needs = asked[host.name] = Needs(facts=True)
        if host.base in subject.looks:
            answering = looked[host.base] = Looked(_copy(subject.looks[host.base], given))
            sights[host.name] = Sight(host, answering.snapshot, _noting(answering.read, needs))
            continue
        unseen = UnseenHome(given, theirs if host is subject.host else (), mark=mark)
        watching = Watch(unseen)
        if host is subject.host:
            home, watch = unseen, watching
        wrap = watching.modules if watched else dict
        sights[host.name] = Sight(host, unseen.snapshot, _noting(unseen.read, needs), wrap)
    stage = Stage(subject.site, subject.play, sights)
    return Sighting(subject, home, watch, stage, looked, asked)


def _copy(look: Snapshot, facts: Mapping[str, str]) -> Snapshot:
    return replace(
        look, facts=Facts(facts), entries=dict(look.entries), contents=dict(look.contents), names=dict(look.names)
    )


def _noting(read: Read, needs: Needs) -> Read:
    def noted(missing: Needs, snapshot: Snapshot) -> None:
        needs.add(missing)
        read(missing, snapshot)

    return noted


def ssh_arguments(witness: Host, host: Host, request: RunRequest) -> tuple[str, ...] | None:
    """How to get from `host` to `witness` by ssh, as the inventory has it; None when they are the same machine."""
    if witness.base == host.base:
        return None
    port, user = str(setting(witness, request, "ansible_port", 22)), setting(witness, request, "ansible_user")
    options = [] if port == "22" else ["-p", port]
    options += [] if user == setting(host, request, "ansible_user") else ["-l", str(user)]
    return (*options, str(setting(witness, request, "ansible_host", witness.base)))
