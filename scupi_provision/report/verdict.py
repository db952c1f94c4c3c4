"""The closing sentence: what is true now, in words. It never claims more than the events of the run showed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from scupi_provision.events import Outcome, RunFinished
from scupi_provision.report.tally import HostTally, RunTally
from scupi_provision.report.visible import visible
from scupi_provision.report.wording import counted, listed

_NO_PLAY = "no play was run, so nothing is known"
_STOPPED = {
    2: "the input is not valid; no host was touched",
    3: "stopped: a host could not be reached, or somebody else's run holds its lock",
    4: "the environment was made, but its verification failed",
    70: "stopped by a bug in provision",
    130: "interrupted; run the same command again and it goes on from here",
}


@dataclass(frozen=True)
class Verdict:
    """The sentence, and whether all is well."""

    text: str
    is_good: bool


def verdict(tally: RunTally, finished: RunFinished) -> Verdict:
    """What the run came to. Exit code 5 (`check` found drift) is an answer, not a problem."""
    problems = _problems(tally)
    if finished.exit_code in {0, 5} and not problems:
        words = {"check": _check_words, "apply": _apply_words, "verify": _verify_words}.get(finished.verb)
        return Verdict(words(tally) if words else "done", is_good=True)
    stopped = _STOPPED.get(finished.exit_code, "" if problems else f"ended with exit code {finished.exit_code}")
    if finished.exit_code in {3, 4} and problems:
        stopped = ""  # the problems say the same with names and numbers
    return Verdict("; ".join(filter(None, [stopped, *problems])), is_good=False)


def _problems(tally: RunTally) -> list[str]:
    unreachable = [name for name, host in tally.hosts.items() if _is_unreachable(host)]
    found = [f"{listed(unreachable)} dropped out"] if unreachable else []
    found += _per_host(tally, lambda host: host.count(Outcome.FAILED), "{} failed on {}")
    for name, host in tally.hosts.items():
        if host.failed_checks:
            checks = counted(host.failed_checks + host.passed, "check")
            found.append(f"{host.failed_checks} of {checks} failed on {visible(name)}")
    found += _per_host(tally, _remaining, "{} would still change something on {}")
    return found


def _per_host(tally: RunTally, number: Callable[[HostTally], int], sentence: str) -> list[str]:
    numbers = {name: number(host) for name, host in tally.hosts.items()}
    return [sentence.format(counted(n, "task"), visible(name)) for name, n in numbers.items() if n]


def _is_unreachable(host: HostTally) -> bool:
    return host.is_unreachable or host.count(Outcome.UNREACHABLE) > 0


def _remaining(host: HostTally) -> int:
    return len(host.proof.remaining) if host.proof else 0


def _check_words(tally: RunTally) -> str:
    if not tally.applied:
        return _NO_PLAY
    would_change = tally.total(Outcome.WOULD_CHANGE)
    unknown = tally.total(Outcome.UNKNOWN)
    if not would_change and not unknown:
        return _as_described(tally) + ": nothing would change"
    found = [f"{counted(would_change, 'task')} would change something"] if would_change else []
    found += [f"{counted(unknown, 'task')} cannot be known before apply"] if unknown else []
    return " and ".join(found) + "; nothing was changed"


def _apply_words(tally: RunTally) -> str:
    if not tally.applied:
        return _NO_PLAY
    unproved = [name for name in tally.applied if _changed(tally.hosts[name]) and not tally.hosts[name].proof]
    if unproved:
        return f"{listed(unproved)} {_was(unproved)} changed, but not read again to prove it"
    words = _as_described(tally) + _proved_on(tally)
    unprovable = sum(len(host.proof.unprovable) for host in tally.hosts.values() if host.proof)
    if unprovable:
        words += f"; {counted(unprovable, 'command')} cannot be proved"
    return words


def _verify_words(tally: RunTally) -> str:
    checked = [name for name, host in tally.hosts.items() if host.passed]
    total = sum(host.passed for host in tally.hosts.values())
    if total:
        return f"{counted(total, 'check')} passed on {listed(checked)}"
    earlier = _proved_on(tally).removeprefix(", ")
    return earlier if any(host.standing_proof for host in tally.hosts.values()) else "there was nothing to check"


def _as_described(tally: RunTally) -> str:
    return f"{listed(tally.applied)} {'are' if len(tally.applied) > 1 else 'is'} as described"


def _proved_on(tally: RunTally) -> str:
    now = [name for name, host in tally.hosts.items() if host.passed]
    proofs = {name: host.standing_proof for name, host in tally.hosts.items() if name not in now}
    earlier = [f"{visible(name)} at {visible(proof.when)}" for name, proof in proofs.items() if proof]
    if not now and not earlier:
        return "; no checks were run"
    return f", proved on {listed([*now, *earlier])}"


def _changed(host: HostTally) -> bool:
    return host.count(Outcome.CHANGED) + host.count(Outcome.RESCUED) > 0


def _was(names: list[str]) -> str:
    return "were" if len(names) > 1 else "was"
