"""Whether hosts and playbook still are what a lock was made for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from scupi_provision.errors import LockDriftError
from scupi_provision.events import Outcome
from scupi_provision.host.facts import Facts
from scupi_provision.host.lock import DRIFT
from scupi_provision.modules.python.requirements import is_older
from scupi_provision.plan.models import Plan
from scupi_provision.run.lock_file import SiteLock

_AT_LEAST = ("glibc", "nvidia_driver", "cuda_driver")
"""What may be newer: wheels and drivers are compatible forwards."""
_MOST_SHOWN = 12


def facts_for_lock(facts: Facts) -> dict[str, Any]:
    """What packages are chosen by."""
    told = facts.variables()
    return {name: told[name] for name in ("architecture", "compute_caps", *_AT_LEAST)}


def refuse_drift(lock: SiteLock, facts: Mapping[str, Facts], plans: Mapping[str, Plan]) -> None:
    """Fail when the lock does not fit.

    Args:
        lock: What shall be installed.
        facts: Of every host that takes part, by its name without the account.
        plans: By the label of a host, what the locked playbook would do there.

    Raises:
        LockDriftError: With everything that does not fit.
    """
    problems: list[str] = []
    for host, found in facts.items():
        then = lock.facts.get(host)
        problems += differences(host, then, facts_for_lock(found)) if then else [f"{host}: not in the lock"]
    for label, plan in plans.items():
        failed = [step for step in plan.steps if step.outcome is Outcome.FAILED and step.message.startswith(DRIFT)]
        problems += [f"{label}: {step.label}: {step.message.removeprefix(DRIFT)}" for step in failed]
    if problems:
        raise LockDriftError(
            "the lock does not fit any more; nothing was done",
            detail="\n".join(problems[:_MOST_SHOWN]),
            hint="apply without the lock, then make a new one: provision lock SITE",
        )


def differences(host: str, then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    """Why what was chosen for a host as it was `then` may not work as it is `now`."""
    if now["architecture"] != then.get("architecture"):
        yield f"{host}: locked for {then.get('architecture')}, this is {now['architecture']}"
    for name in _AT_LEAST:
        if is_older(str(now[name]), str(then.get(name, ""))):
            yield f"{host}: {name} is {now[name] or 'not there'}, locked for {then.get(name)}"
    new = [one for one in now["compute_caps"] if one not in then.get("compute_caps", [])]
    if new and then.get("compute_caps"):
        yield f"{host}: a GPU of compute capability {', '.join(new)}, locked for {', '.join(then['compute_caps'])}"
