"""A plan saved by `check --out`: applied later it does exactly that, or nothing.

The file holds what was asked and what was planned, step by step, with every action as a hash (contents and secrets are
not in it). Applying it plans again and compares: the playbook, the inventory and the hosts must still give that plan.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from scupi_provision.errors import Diagnostic, InputError, StalePlanError
from scupi_provision.events import Event
from scupi_provision.masking import mask
from scupi_provision.plan.models import Plan, Step
from scupi_provision.plan.tags import TagSelection
from scupi_provision.run.apply import apply
from scupi_provision.run.check import Plans, check
from scupi_provision.run.request import RunRequest
from scupi_provision.run.site import Site, load_site
from scupi_provision.values import plain_value

_FORMAT = "provision-plan-2"
_MOST_SHOWN = 10


def is_saved_plan(path: Path) -> bool:
    """Whether `path` is a plan that `save_plan` wrote."""
    if path.suffix != ".json" or not path.is_file():
        return False
    return _FORMAT in path.read_text(encoding="utf-8", errors="replace")[:200]


def save_plan(path: Path, site: Site, plans: Plans) -> None:
    """Write the plans of a check to `path`."""
    request = site.request
    _refuse_secrets(request.extra)
    document = {
        "format": _FORMAT,
        "request": {
            "playbook": str(request.playbook.resolve()),
            "inventory": _named(request.inventory),
            "more_inventories": [_named(source) for source in request.more_inventories],
            "extra": plain_value(request.extra),
            "limit": request.limit,
            "only": sorted(request.tags.only),
            "skip": sorted(request.tags.skip),
            "start_at_task": request.start_at_task,
            "force_handlers": request.force_handlers,
            "login": request.login,
            "forks": request.forks,
            "stand_ins": list(request.stand_ins),
            "known_hosts": [str(file) for file in request.known_hosts],
            "lock": str(request.lock.resolve()) if request.lock else None,
            "bundle": str(request.bundle.resolve()) if request.bundle else None,
        },
        "plans": [{"play": play, "host": host, "steps": _steps(plan)} for (play, host), plan in sorted(plans.items())],
    }
    try:
        path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise InputError(f"the plan cannot be saved: {error}") from error


def _refuse_secrets(extra: Mapping[str, Any]) -> None:
    secret = [name for name, value in extra.items() if mask().knows(json.dumps(plain_value(value), default=str))]
    if secret:
        names = ", ".join(map(str, secret))
        hint = "put it into a vault that the playbook reads (vars_files, group_vars)"
        raise InputError(f"the plan cannot be saved: -e gives it a secret ({names}), and a plan holds none", hint=hint)


def apply_saved(path: Path, *, verify_again: bool) -> Iterator[Event]:
    """Apply a saved plan.

    Raises:
        InputError: The file is damaged.
        StalePlanError: What would be done now is not what was saved.
    """
    document = _load(path)
    request = replace(_request(document["request"], path), verify_again=verify_again)
    site = load_site(request)
    plans: Plans = {}
    for _ in check(site, plans):
        pass
    saved = {(entry["play"], entry["host"]): entry["steps"] for entry in document["plans"]}
    now = {key: _steps(plan) for key, plan in plans.items()}
    if saved != now:
        raise StalePlanError(
            f"{path} no longer fits: the hosts or the playbook have changed since it was made; nothing was done",
            detail=_difference(saved, now),
            hint="make a new plan with `provision check --out`",
        )
    return apply(site)


def _steps(plan: Plan) -> list[dict[str, Any]]:
    return [_step(step) for step in plan.steps]


def _step(step: Step) -> dict[str, Any]:
    """A step in plain data. Actions include their guards, so a host that differs gives another hash."""
    actions = [hashlib.sha256(repr(action).encode("utf-8", "surrogateescape")).hexdigest() for action in step.actions]
    return {
        "task": mask().hide(str(step.label)),
        "module": step.label.module,
        "outcome": step.outcome.value,
        "actions": actions,
    }


def _load(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        plans, fits = list(document["plans"]), document["format"] == _FORMAT
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError.of([Diagnostic(f"{path} is not a plan that can be applied", detail=str(error))]) from error
    if not fits:
        raise InputError(
            f"{path} was written by another version of provision", hint="make a new one with `check --out`"
        )
    return {**document, "plans": plans}


def _request(data: dict[str, Any], path: Path) -> RunRequest:
    try:
        return RunRequest(
            Path(data["playbook"]),
            Path(data["inventory"]),
            dict(data["extra"]),
            data["limit"],
            TagSelection(frozenset(data["only"]), frozenset(data["skip"])),
            stand_ins=tuple(data["stand_ins"]),
            known_hosts=tuple(Path(file) for file in data["known_hosts"]),
            lock=Path(data["lock"]) if data.get("lock") else None,
            bundle=Path(data["bundle"]) if data.get("bundle") else None,
            start_at_task=data["start_at_task"],
            force_handlers=data["force_handlers"],
            login=dict(data["login"]),
            forks=data["forks"],
            more_inventories=tuple(Path(source) for source in data["more_inventories"]),
        )
    except (KeyError, TypeError) as error:
        raise InputError(f"{path} is damaged: {error}") from error


def _named(source: Path) -> str:
    """An inventory as it is found from everywhere; hosts with commas between them are no file."""
    return str(source.resolve() if source.exists() else source)


def _difference(saved: dict[Any, Any], now: dict[Any, Any]) -> str:
    lines = []
    for key in sorted({*saved, *now}):
        before, after = saved.get(key, []), now.get(key, [])
        for index in range(max(len(before), len(after))):
            one = before[index] if index < len(before) else None
            other = after[index] if index < len(after) else None
            if one != other:
                lines.append(f"{key[1]}: {_words(one)} was planned, now {_words(other)}")
    return "\n".join(lines[:_MOST_SHOWN])


def _words(step: dict[str, Any] | None) -> str:
    return f'"{step["task"]}" ({step["outcome"]})' if step else "nothing"
