"""Hosts with conda in them, made of names alone, and what modules plan on them."""

import shlex
from typing import Any

from scupi_provision.host.memory import HOME, MemoryHost, Node
from scupi_provision.host.memory_planning import Planned, plan_on
from scupi_provision.modules.contract import ControllerFile, Result
from scupi_provision.modules.registry import MODULES
from scupi_provision.shell.actions import Run
from scupi_provision.shell.entry import Kind

PREFIX = f"{HOME}/miniforge3"
ENV = f"{PREFIX}/envs/torch"
STORE = f"{HOME}/.provision/store"


def host(*paths: str, links: dict[str, str] | None = None, contents: dict[str, str] | None = None) -> MemoryHost:
    """A host with empty files at these paths, links, and files with contents."""
    nodes = {path: Node(Kind.FILE) for path in paths}
    nodes |= {path: Node(Kind.LINK, target=target) for path, target in (links or {}).items()}
    nodes |= {path: Node(Kind.FILE, content=text.encode()) for path, text in (contents or {}).items()}
    return MemoryHost(nodes)


def with_conda(memory: MemoryHost) -> MemoryHost:
    """With a working conda that somebody installed."""
    for name in ("bin/conda", "conda-meta/history", "conda-meta/conda-26.3.2-py312_0.json"):
        memory.put(f"{PREFIX}/{name}", b"")
    return memory


def with_environment(memory: MemoryHost, prefix: str, *packages: str, recorded: str | None = None) -> MemoryHost:
    """With an environment of these packages, whole as provision leaves it."""
    for name in (".ok", "conda-meta/history", *(f"conda-meta/{package}.json" for package in packages)):
        memory.put(f"{prefix}/{name}", b"")
    if recorded is not None:
        memory.put(f"{prefix}/.provision/packages", recorded.encode())
    return memory


def planned(module: str, memory: MemoryHost, **args: Any) -> Planned[Result]:
    parsed = MODULES[module].args.model_validate(args)
    return plan_on(memory, lambda view: MODULES[module].plan(parsed, view))


def runs(plan: Planned[Result]) -> list[Run]:
    return [action for action in plan.record.actions if isinstance(action, Run)]


def setting(run: Run, name: str) -> str:
    """A variable that is set ahead of the script's text."""
    line = next(line for line in run.argv[2].splitlines() if line.startswith(f"{name}="))
    return shlex.split(line)[0].partition("=")[2]


def summaries(plan: Planned[Result]) -> list[str]:
    return [diff.summary.replace(HOME, "~") for diff in plan.record.diffs]


def file(text: str, name: str = "environment.yml") -> ControllerFile:
    return ControllerFile(name, text.encode())
