"""`provision lock`: what is installed, with address and hash, written down so that it can be had again exactly."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scupi_provision.errors import InputError, ProvisionError, StepFailedError
from scupi_provision.events import Event, Notice, Outcome
from scupi_provision.host.lock import Download, Environment, HostLock, LockedEnvironment, from_home
from scupi_provision.host.view import HostView
from scupi_provision.inventory.models import Host
from scupi_provision.modules.lock_reading import read_environment
from scupi_provision.plan.models import Plan
from scupi_provision.playbook.models import Play
from scupi_provision.run.lock_drift import facts_for_lock
from scupi_provision.run.lock_file import SiteLock, format_lock
from scupi_provision.run.play import PlayOnHost
from scupi_provision.run.running import Running
from scupi_provision.run.site import Site


def lock(site: Site, out: Path) -> Iterator[Event]:
    """Read what the site has installed and write it to `out`; yields events, the last is RunFinished.

    Raises:
        ProvisionError: A host is not as the playbook describes it, or two accounts differ.
    """
    found = _Found()
    with Running(site, "lock") as run:
        yield run.started()
        for play in site.playbook.plays:
            everyone = site.taking_part(play)
            yield from run.tally.watch(run.fleet.open(everyone))
            for host in everyone:
                _require_open(run, host)
                found.add_facts(host, run)
            for host in site.targets(play):
                yield from found.add_play(run, play, host)
        written = found.site_lock()
        _write(out, format_lock(written))
        environments = sum(len(one.environments) for one in written.hosts.values())
        yield Notice(
            f"wrote {out}, which names {_count(len(written.files()), 'file')} and {_count(environments, 'environment')}"
        )
        yield from run.finish()


@dataclass
class _Found:
    """Grows while hosts are read."""

    facts: dict[str, dict[str, Any]] = field(default_factory=dict)
    downloads: dict[str, dict[str, tuple[str, ...]]] = field(default_factory=dict)
    environments: dict[str, dict[str, LockedEnvironment]] = field(default_factory=dict)

    def add_facts(self, host: Host, run: Running) -> None:
        facts = run.fleet.links[host.name].snapshot.facts
        if facts is not None:
            self.facts[host.base] = facts_for_lock(facts)

    def add_play(self, run: Running, play: Play, host: Host) -> Iterator[Event]:
        plan = PlayOnHost(run.site, run.fleet, play, host, check_mode=True).run().plan(stops=False)
        _require_converged(host, plan)
        downloads = self.downloads.setdefault(host.base, {})
        environments = self.environments.setdefault(host.base, {})
        link = run.fleet.links[host.name]
        home = link.snapshot.facts.home if link.snapshot.facts else ""
        for declared in (one for step in plan.steps if step.record for one in step.record.declared):
            if isinstance(declared, Download):
                downloads[declared.sha256] = declared.urls
            elif isinstance(declared, Environment):
                prefix, path = declared.prefix, from_home(declared.path, home)
                environment, unknown = link.seeing(lambda at=prefix: read_environment(HostView(link.snapshot), at))  # type: ignore[misc]
                if environments.setdefault(path, environment) != environment:
                    raise _differing(host, path)
                if unknown:
                    text = f"{path}: not in the lock, since nothing tells where it came from: {', '.join(unknown)}"
                    yield Notice(text, host.label, "warning")

    def site_lock(self) -> SiteLock:
        hosts = {name: HostLock(self.downloads[name], self.environments[name]) for name in self.downloads}
        return SiteLock(self.facts, hosts)


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _differing(host: Host, path: str) -> ProvisionError:
    return InputError(
        f"{path} on {host.label} holds other packages than on another account of {host.base}",
        hint="lock one of them: --limit ACCOUNT",
    )


def _require_open(run: Running, host: Host) -> None:
    if not run.is_open(host):
        raise run.fleet.errors[host.name]


def _require_converged(host: Host, plan: Plan) -> None:
    left = [
        str(step.label)
        for step in plan.steps
        if step.outcome in {Outcome.WOULD_CHANGE, Outcome.FAILED, Outcome.UNKNOWN}
        and not (step.result and step.result.unprovable)
    ]
    if left:
        raise StepFailedError(
            f"{host.label} is not as the playbook describes it, so there is nothing to lock yet",
            detail="\n".join(left[:10]),
            hint="run `provision apply` first",
        )


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise InputError(f"the lock cannot be written: {error}") from error
