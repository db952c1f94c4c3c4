"""`async` and `poll`: a step's program as a job of its own, waited for or left running."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import Any

from scupi_provision.errors import InputError
from scupi_provision.events import Outcome
from scupi_provision.host.record import TaskFailedError
from scupi_provision.masking import mask
from scupi_provision.modules.contract import Result
from scupi_provision.plan.models import Step, TaskRound
from scupi_provision.shell.actions import DONE_AT_ONCE, Async, Run
from scupi_provision.source import diagnostic

_DEFAULT_POLL_S = 15
"""DEFAULT_POLL_INTERVAL of ansible-core 2.19 (config/base.yml)."""
_NEVER = frozenset(
    (
        *(
            "add_host",
            "assemble",
            "assert",
            "async_status",
            "copy",
            "debug",
            "fail",
            "fetch",
            "gather_facts",
            "group_by",
        ),
        *("include_vars", "pause", "raw", "script", "set_fact", "set_stats", "template", "unarchive"),
        *("validate_argument_spec", "wait_for_connection"),
    )
)
"""Modules that Ansible does on the controller, with `_supports_async` false (ansible/plugins/action, 2.19)."""


def as_job(step: Step, this: TaskRound, home: str) -> Step:
    """`step` as `async` and `poll` have it: its one program becomes a job; one without a program is done at once.

    Raises:
        InputError: `async` or `poll` is not a whole number.
        TaskFailedError: The module cannot be used with `async`, as in Ansible.
    """
    limit_s = _seconds(this.task.async_s, 0, this)
    if limit_s <= 0:
        return step
    if this.task.module in _NEVER:
        raise TaskFailedError(f"This action ({this.task.module}) does not support async.")
    if step.outcome not in {Outcome.OK, Outcome.WOULD_CHANGE, Outcome.UNKNOWN} or step.result is None:
        return step
    waits = _seconds(this.task.poll_s, _DEFAULT_POLL_S, this) > 0
    programs = [action for action in step.actions if isinstance(action, Run)]
    if len(programs) != 1 or step.actions[-1] is not programs[0]:
        return _at_once(step, this, home)
    return _job(step, this, home, programs[0], Async(limit_s, _title(this, step), waits=waits))


def _job(step: Step, this: TaskRound, home: str, program: Run, terms: Async) -> Step:
    name = _name(this, [program.argv, program.cwd, program.environment, program.stdin.hex()])
    actions = (*step.actions[:-1], replace(program, durable_key=name, timeout_s=terms.limit_s, asynchronous=terms))
    told = _told(name, home, finished=terms.waits)
    result = step.result or Result()
    if terms.waits:
        return replace(step, actions=actions, result=replace(result, values={**result.values, **told}))
    # Nobody waits, so nothing is known of how it will end: the module has no say any more.
    started = Result(changed=True, values=told, unprovable=result.unprovable, message=result.message)
    return replace(step, outcome=Outcome.WOULD_CHANGE, actions=actions, result=started, module=None)


def _at_once(step: Step, this: TaskRound, home: str) -> Step:
    changed = "changed" if step.outcome is Outcome.WOULD_CHANGE else "ok"
    told = _told(_name(this, []) + DONE_AT_ONCE + changed, home, finished=True)
    result = step.result or Result()
    return replace(step, result=replace(result, values={**result.values, **told}))


def _told(name: str, home: str, *, finished: bool) -> dict[str, Any]:
    place = f"{home}/.provision/jobs/{name}"
    return {"ansible_job_id": name, "started": True, "finished": finished, "results_file": place}


def _name(this: TaskRound, inputs: list[Any]) -> str:
    """The same task of the same play with the same program finds its job again; another host has its own.

    Hosts may share a home, so the host's name is one of the inputs.
    """
    where = [str(this.task.where), list(map(str, this.key)), str(this.templar.variables.get("inventory_hostname", ""))]
    return "j" + hashlib.sha256(json.dumps([where, inputs], default=str).encode()).hexdigest()[:12]


def _title(this: TaskRound, step: Step) -> str:
    return "hidden by no_log" if step.hidden else mask().hide(str(this.label))


def _seconds(value: Any, default: int, this: TaskRound) -> int:
    rendered = this.templar.render(value)
    if rendered is None:
        return default
    try:
        return int(rendered)
    except (TypeError, ValueError):
        summary = f"async and poll are whole numbers of seconds, this is {rendered!r}"
        raise InputError.of([diagnostic(summary, getattr(value, "position", this.task.where))]) from None
