"""What `register` gets, by Ansible's names, and what a `rescue` may ask about the task that failed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from scupi_provision.events import Outcome
from scupi_provision.modules.contract import Result
from scupi_provision.plan.models import Step
from scupi_provision.plan.rounds import Round
from scupi_provision.playbook.models import Include, Task
from scupi_provision.shell.actions import Run
from scupi_provision.values import UnknownValue

UNTOLD = "what a task with no_log says"
FAILURES = frozenset({Outcome.FAILED, Outcome.RESCUED, Outcome.IGNORED})
NO_ITEMS = Result(
    skipped=True,
    values={"changed": False, "results": [], "skipped": True, "skipped_reason": "No items in the list"},
)
"""What becomes of a task whose loop has nothing to go over."""

_SKIP_REASON = "Conditional result was False"
_OF_ROUND = ("ansible_loop_var", "ansible_index_var", "ansible_loop")


def skipped_by(condition: Any) -> Result:
    """What becomes of a task of which one condition of `when` does not hold."""
    said = condition if isinstance(condition, bool) else str(condition)
    return Result(skipped=True, values={"skipped": True, "skip_reason": _SKIP_REASON, "false_condition": said})


def with_verdict(values: Mapping[str, Any], *, changed: Any, failed: bool) -> dict[str, Any]:
    """`values` with `changed` and `failed`; a task that was not even begun tells nothing of a failure."""
    told = {**values, "changed": changed}
    if not ("false_condition" in values or ("results" in values and "skipped_reason" in values)):
        told["failed"] = failed
    return told


def planned_values(step: Step) -> dict[str, Any]:
    """What `register` gets from a step that has not run, or need not run."""
    values: dict[str, Any] = dict(step.result.values) if step.result else {}
    failed = step.outcome in FAILURES
    values = with_verdict(values, changed=step.outcome is Outcome.WOULD_CHANGE, failed=failed)
    if step.outcome is Outcome.SKIPPED:
        values["skipped"] = True
    elif step.message and failed:
        values.setdefault("msg", step.message)
    values |= _open_verdict(step, values)
    if step.hidden:  # the reason names the command
        values = {name: UnknownValue(UNTOLD) if isinstance(v, UnknownValue) else v for name, v in values.items()}
    return values


def _open_verdict(step: Step, values: Mapping[str, Any]) -> dict[str, UnknownValue]:
    """What of the verdict only the end of the step's programs will tell."""
    if not any(isinstance(action, Run) for action in step.actions):
        return {}
    reason = next((value for value in values.values() if isinstance(value, UnknownValue)), None)
    unknown = reason if reason is not None else UnknownValue(f"what comes of {step.label}")
    judgement = step.judgement
    told = {}
    if judgement.changes_when is not None:
        told["changed"] = unknown
    if judgement.fails_when is not None:
        told["failed_when_result"] = unknown
    if judgement.fails_when is not None or step.ignore_errors:
        told["failed"] = unknown
    if step.limit_s and step.ignore_errors:
        told["timedout"] = unknown
    if step.patience is not None:
        told["attempts"] = unknown
    return told


def registered(task: Task | Include, rounds: Sequence[tuple[Round, Mapping[str, Any]]]) -> Any:
    """What `register` gets of all rounds together.

    Args:
        task: The task.
        rounds: Each with the variables of its round; none of a task that failed or was skipped before its loop.
    """
    first, local = rounds[0]
    if task.loop is None or not local:
        return UnknownValue(first.unknown) if first.unknown else dict(first.values)
    results = [of_round(task, done, own) for done, own in rounds]
    known = [result for result in results if not isinstance(result, UnknownValue)]
    told: dict[str, Any] = {"results": results}
    told["changed"] = _any("changed", known, results)
    told["msg"] = "All items completed"
    told["skipped"] = len(known) == len(results) and all(result.get("skipped") for result in known)
    if told["skipped"]:
        told["msg"] = "All items skipped"
    failed = _any("failed", known, results)
    if failed is True:
        told |= {"failed": True, "msg": "One or more items failed"}
    elif isinstance(failed, UnknownValue):
        told |= {"failed": failed, "msg": failed, "skipped": failed}
    return told


def of_round(task: Task | Include, done: Round, local: Mapping[str, Any]) -> Any:
    """What `register` gets of one round."""
    if done.unknown:
        return UnknownValue(done.unknown)
    if task.loop is None:
        return dict(done.values)
    named = (task.loop.variable, task.loop.index_variable, *_OF_ROUND)
    return {**done.values, **{name: local[name] for name in named if name and name in local}}


def _any(flag: str, known: Sequence[Mapping[str, Any]], results: Sequence[Any]) -> Any:
    """Whether one of the results has the flag; unknown when only those could that are not known yet."""
    found = [result.get(flag, False) for result in known]
    if any(value is True for value in found):
        return True
    unknown = next((value for value in (*results, *found) if isinstance(value, UnknownValue)), None)
    return unknown if unknown is not None else any(found)


def failed_task(task: Task | Include, name: str, action: str) -> dict[str, Any]:
    """`ansible_failed_task`: what people ask of it, by the names of the keywords."""
    inherited = task.inherited
    described: dict[str, Any] = {
        "name": name,
        "action": action,
        "args": dict(task.arguments) if isinstance(task, Task) else {},
        "tags": list(inherited.tags),
        "when": list(inherited.when),
        "vars": dict(inherited.variables[-1]) if inherited.variables else {},
        "register": task.register if isinstance(task, Task) else None,
        "loop": task.loop.items if task.loop else None,
        "delegate_to": inherited.delegate_to,
        "ignore_errors": inherited.ignore_errors,
    }
    return {key: value if key in {"name", "action"} else _as_data(value) for key, value in described.items()}


def _as_data(value: Any) -> Any:
    """Raw text of a playbook as plain data, so that asking for it renders nothing."""
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, Mapping):
        return {str(key): _as_data(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_as_data(inner) for inner in value]
    return value
