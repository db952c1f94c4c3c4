"""Checks that take two machines: clocks, the home that the nodes share, the C library that builds are made for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from scupi_provision.host.finding import Finding, State
from scupi_provision.run.doctoring.home import space_of
from scupi_provision.run.doctoring.machine import version_of
from scupi_provision.run.doctoring.node import Node

_OFF_S = 60.0
"""Seconds. TLS fails when a certificate seems not valid yet, or no more; only minutes count."""
_APART_S = 2.0
"""Seconds. make compares times of files that two nodes have written into one home, and warns of more than a second."""
NETWORK_WAIT_S = 60
"""How long NFS may keep an old listing (nfs(5): acdirmax)."""


@dataclass(frozen=True)
class Clock:
    """How far a node's clock is ahead of ours: between `least` and `most` seconds, as exactly as the line allows."""

    least: float
    most: float

    @classmethod
    def read(cls, before: float, remote: int, after: float) -> Clock:
        """From whole seconds that the node told at a moment between our `before` and `after`."""
        return cls(remote - after, remote + 1 - before)

    @property
    def off(self) -> float:
        """The least that it can be off; negative when it is behind."""
        if self.least > 0:
            return self.least
        return min(self.most, 0.0)

    def apart(self, other: Clock) -> float:
        """The least seconds by which two nodes can differ."""
        return max(self.least - other.most, other.least - self.most, 0.0)


def clock(name: str, read: Clock | None) -> Finding:
    """The node's clock against this computer's."""
    if read is None:
        return Finding(name, "clock", State.UNSEEN, "the node does not tell its time", "date, here and there")
    if abs(read.off) <= _OFF_S:
        return Finding(name, "clock", State.OK, "as here")
    how = (
        f"{abs(read.off):,.0f} s {'ahead of' if read.off > 0 else 'behind'} this computer: downloads over TLS may fail"
    )
    fix = f"compare both with a watch; if {name} is wrong, write to its administrator: the clock is off, please run NTP"
    return Finding(name, "clock", State.WARNING, how, fix)


def clocks(read: Sequence[tuple[str, Clock]]) -> Iterator[Finding]:
    """The nodes' clocks against each other."""
    for (one, its), (other, others) in combinations(read, 2):
        hop, apart = f"{one} and {other}", its.apart(others)
        if apart <= _APART_S:
            yield Finding(hop, "clocks", State.OK, "agree")
            continue
        what = f"{apart:,.0f} s apart: make and caches take new files for old ones"
        fix = f"write to the administrator: the clocks of {hop} differ by {apart:,.0f} s, please run NTP on both"
        yield Finding(hop, "clocks", State.WARNING, what, fix)


def wait_for(one: Node, other: Node) -> int:
    """Seconds for which a mark is waited for: NFS may be late; a disk of one's own never is."""
    return NETWORK_WAIT_S if any((space := space_of(node)) and space.is_remote for node in (one, other)) else 0


def shared_home(one: Node, other: Node, seconds: str | None) -> Finding:
    """Whether what is installed on one node is there on the other.

    Args:
        one: Where the mark was put.
        other: Where it was looked for.
        seconds: After how long it was found, "-" when it was not, None when it could not be put.
    """
    hop, check = f"{one.name} and {other.name}", "one home"
    if seconds is None:
        fix = "see `space`, `quota` and `permissions` above; then run provision doctor again"
        return Finding(hop, check, State.PROBLEM, f"nothing can be written into the home on {one.name}", fix)
    if seconds == "-":
        what = f"{other.name} has another home: what is installed on {one.name} is not there"
        if waited := wait_for(one, other):
            what = f"{what} (it was looked for {waited} s long)"
        if one.facts.home != other.facts.home:
            what = f"{what} ({one.facts.home}, {other.facts.home})"
        fix = f"if it should be the same, write to the administrator: the home of {one.name} is not mounted on "
        return Finding(
            hop, check, State.PROBLEM, what, f"{fix}{other.name}; else apply the playbook to {other.name} too"
        )
    late = f", seen after {seconds} s (NFS keeps old listings)" if seconds != "0" else ""
    return Finding(hop, check, State.OK, f"both have the same{late}")


def c_libraries(one: Node, other: Node) -> Finding:
    """What is built against a newer C library does not start on a node with an older one."""
    hop, check = f"{one.name} and {other.name}", "C libraries"
    versions = [node.facts.glibc for node in (one, other)]
    if None in versions or versions[0] == versions[1]:
        return Finding(hop, check, State.OK, "are the same")
    built, runs = (version_of(version or "") for version in versions)
    if built < runs:
        return Finding(
            hop, check, State.OK, f"{versions[0]} and {versions[1]}: what is built on {one.name} runs on both"
        )
    what = f"{versions[0]} and {versions[1]}: what is compiled on {one.name} may not start on {other.name}"
    fix = (
        "take conda's builds: `git_from: conda`, site.yaml in place of source.yaml; the role torch looks at both nodes"
    )
    return Finding(hop, check, State.WARNING, what, fix)
