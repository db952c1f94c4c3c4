"""The checks of verify hosts as shell text: what `expect` claims, judged on the node in sh."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from scupi_provision.host.view import HostView
from scupi_provision.modules.contract import Module, Result
from scupi_provision.plan.models import Step
from scupi_provision.run.compiling.expressions import basic_expression
from scupi_provision.shell.actions import Run
from scupi_provision.shell.standalone import Standalone
from scupi_provision.shell.words import word, words

_KINDS = {"file": "f", "directory": "d", "link": "l", "absent": "-"}


def judging_later(modules: Mapping[str, Module]) -> dict[str, Module]:
    """The modules with an `expect` that leaves claims about paths to the node."""
    expect = modules["expect"]

    def plan(args: Any, host: HostView) -> Result:
        return Result() if args.path is not None else expect.plan(args, host)

    return {**modules, "expect": replace(expect, plan=plan)}


def claims(step: Step, home: str, compiler: Standalone) -> tuple[list[str], list[str]]:
    """The commands that judge an `expect`, and what it claims that no command here can judge."""
    args: Any = step.args
    if args.path is not None:
        return list(_path_claims(args, home)), _unjudged_mode(args)
    run = next(action for action in step.actions if isinstance(action, Run))
    found = [compiler.launch(run, "s_test"), *_program_claims(args)]
    beyond = args.stdout_matches is not None and basic_expression(args.stdout_matches) is None
    return found, [f"that it prints what matches {args.stdout_matches!r}"] if beyond else []


def _program_claims(args: Any) -> Iterator[str]:
    for name, function, text in (
        ("stdout", "s_prints", (args.stdout or "").strip()),
        ("stdout_contains", "s_holds", args.stdout_contains),
        ("stdout_lacks", "s_avoids", args.stdout_lacks),
        ("stderr_contains", "s_complains", args.stderr_contains),
    ):
        if getattr(args, name) is not None:
            yield f"{function} {word(text)}"
    if args.stdout_matches is not None:
        expression = basic_expression(args.stdout_matches)
        if expression is not None:
            yield f"s_fits {words(expression, args.stdout_matches)}"
    # The exit status always counts: a claim about output holds only of a program that ended as it should
    yield f"s_ends {args.rc}"


def _path_claims(args: Any, home: str) -> Iterator[str]:
    path = _absolute(args.path, home)
    itself = args.kind in {"link", "absent"} or args.target is not None
    kind = _KINDS.get(args.kind or ("link" if args.target is not None else ""), "")
    yield f"s_found {words(path, '' if itself else 'follow', *([kind] if kind else []))}"
    if args.target is not None:
        yield f"s_points {words(path, args.target)}"
    if args.mode is not None and not _unjudged_mode(args):
        yield f"s_has_mode {words(path, _octal(args.mode))}"
    if args.contains is not None:
        yield f"s_has_text {words(path, args.contains)}"


def _absolute(path: str, home: str) -> str:
    for prefix in ("~/", "$HOME/", "${HOME}/"):
        if path.startswith(prefix):
            return f"{home}/{path[len(prefix) :]}"
    return path if path.startswith("/") else f"{home}/{path}"


def _octal(mode: Any) -> str:
    return f"{mode.resolve(0, is_directory=False):o}"


def _unjudged_mode(args: Any) -> list[str]:
    """A mode in letters says what changes, not what is: it is judged only where a plan sees what is."""
    if args.mode is None or _octal(args.mode) == f"{args.mode.resolve(0o7777, is_directory=False):o}":
        return []
    return [f"its mode {args.mode}"]
