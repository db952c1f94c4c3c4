"""Playbooks from text, read by the real loader, planned with the real modules and carried out on a host in memory."""

from __future__ import annotations

import shlex
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from scupi_provision.errors import Position
from scupi_provision.events import Event, Proved, TaskFinished
from scupi_provision.host.facts import Facts
from scupi_provision.host.memory import HOME, MemoryHost
from scupi_provision.host.snapshot import Needs, Snapshot
from scupi_provision.inventory.models import Host, InventoryVariables
from scupi_provision.modules.registry import MODULES
from scupi_provision.plan.models import Plan, Step
from scupi_provision.plan.planner import Planning, make_plan
from scupi_provision.plan.scope import PlayScope, magic_variables
from scupi_provision.plan.tags import TagSelection
from scupi_provision.playbook.load import load_playbook
from scupi_provision.playbook.models import Play
from scupi_provision.run.host_run import HostRun
from scupi_provision.shell.actions import Run
from scupi_provision.shell.compile import Turn
from scupi_provision.shell.entry import Kind
from scupi_provision.shell.replies import Reply, RunReply, StepBegun, StepDone, StepFailed, StepStale

HOST = Host("admin1", "admin1", Position("inventory.yaml", 1, 1), label="admin1", groups=("login",))


def programs(action: Run, host: MemoryHost) -> RunReply:
    """The programs of the host in memory: `echo TEXT`, `put PATH TEXT`, `add PATH TEXT`, `rm PATH`, `env NAME`,
    `need PATH TEXT` (fails unless the file says so), `exit N`, one after another, separated by `;`."""
    said = b""
    for part in action.argv[-1].split(";"):
        name, *words = shlex.split(part)
        path = words[0].replace("~", HOME) if words else ""
        text = " ".join(words[1:]).encode()
        there = host.nodes[path].content if path in host.nodes else b""
        if name == "echo":
            said += " ".join(words).encode() + b"\n"
        elif name == "env":
            said += dict(action.environment).get(path, "").encode() + b"\n"
        elif name == "put":
            if not _has_folder(host, path):
                return RunReply(0, 1, said, b"", "")
            host.remove(path)
            host.put(path, text)
        elif name == "add":
            host.put(path, there + text)
        elif name == "rm":
            host.remove(path)
        elif name == "exit" or (name == "need" and there != text):
            return RunReply(0, int(path) if name == "exit" else 1, said, b"", "")
    return RunReply(0, 0, said, b"", "")


def _has_folder(host: MemoryHost, path: str) -> bool:
    """Whether nothing above `path` is in the way."""
    above = [path.rsplit("/", count)[0] for count in range(1, path.count("/"))]
    return all(host.nodes[folder].kind is Kind.DIRECTORY for folder in above if folder in host.nodes)


@dataclass
class MemoryLine:
    """What a `Session` does, for a host in memory."""

    host: MemoryHost

    def read(self, needs: Needs, snapshot: Snapshot) -> None:
        self.host.read(needs, snapshot)

    def perform(self, stream: Sequence[Turn], *, keeps_proof: bool = False) -> Iterator[Reply]:
        """A program that is left running ends, as far as is told, when it is waited for."""
        aside: dict[int, list[Reply]] = {}
        for turn in stream:
            for number in turn.after:
                yield from aside.pop(number, [])
            yield StepBegun(turn.number)
            replies = list(self._turn(turn))
            if turn.aside and isinstance(replies[-1], StepDone):
                aside[turn.number] = replies
                continue
            yield from replies
            if not isinstance(replies[-1], StepDone):
                break
        for replies in aside.values():
            yield from replies

    def _turn(self, turn: Turn) -> Iterator[Reply]:
        done = self.host.perform(turn.actions)
        yield from (replace(run, step=turn.number) for run in done.runs)
        if done.outcome == "done":
            yield StepDone(turn.number)
        else:
            yield (
                StepStale(turn.number, done.why) if done.outcome == "stale" else StepFailed(turn.number, done.why, "")
            )


@dataclass
class Applied:
    """An apply that has ended."""

    run: HostRun
    events: list[Event]

    @property
    def finished(self) -> list[TaskFinished]:
        return [event for event in self.events if isinstance(event, TaskFinished)]

    @property
    def outcomes(self) -> list[str]:
        """`NAME: outcome`, in order."""
        return [f"{event.task}: {event.outcome.value}" for event in self.finished]

    @property
    def messages(self) -> list[str]:
        return [event.message for event in self.finished]

    @property
    def proved(self) -> bool:
        return any(isinstance(event, Proved) and not event.remaining for event in self.events)


@dataclass
class Plays:
    """A folder of playbook files, and a host."""

    folder: Path
    memory: MemoryHost = field(default_factory=lambda: MemoryHost(run=programs))
    host: Host = HOST
    extra: dict[str, Any] = field(default_factory=dict)

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        return path

    def variables(self, **layers: dict[str, Any]) -> None:
        """Set the layers of the inventory: `all`, `groups`, `host`."""
        self.host = replace(self.host, variables=InventoryVariables(**layers))

    def play(self, text: str) -> Play:
        """The only play of a playbook; a text that begins with a task is the tasks of one."""
        text = textwrap.dedent(text).strip("\n")
        if not text.startswith("- hosts"):
            text = "- hosts: all\n  tasks:\n" + textwrap.indent(text, "    ")
        (play,) = load_playbook(self.write("site.yaml", text), roles_paths=(), registry=MODULES).plays
        return play

    def planning(self, text: str, *, only: str = "", skip: str = "", **settings: Any) -> Planning:
        play = self.play(text)
        facts = Facts(dict(self.memory.facts)).variables()
        magic = magic_variables(self.host, {"all": ["admin1"]}, ansible_check_mode=settings.get("check_mode", False))

        def scope() -> PlayScope:
            return PlayScope(play, self.host, facts, magic, self.extra, self.folder)

        tags = TagSelection(frozenset(only.split()), frozenset(skip.split()))
        return Planning(play.tasks, scope, MODULES, tags, **settings)

    def check(self, text: str, **settings: Any) -> Plan:
        """As `provision check` plans."""
        return make_plan(self.planning(text, check_mode=True, **settings), {}, self.snapshot(), self.memory.read)

    def steps(self, text: str, **settings: Any) -> list[str]:
        """`NAME: outcome` of a check."""
        return [f"{step.label}: {step.outcome.value}" for step in self.check(text, **settings).steps]

    def step(self, text: str, **settings: Any) -> Step:
        (step,) = self.check(text, **settings).steps
        return step

    def snapshot(self) -> Snapshot:
        return self.memory.snapshot_for(Needs(facts=True))

    def run(self, text: str, **settings: Any) -> HostRun:
        line: Any = MemoryLine(self.memory)
        return HostRun("admin1", line, self.planning(text, **settings), self.snapshot())

    def apply(self, text: str, **settings: Any) -> Applied:
        run = self.run(text, **settings)
        return Applied(run, list(run.apply()))

    def told(self, text: str, **settings: Any) -> list[str]:
        """What the `debug` tasks of a check say, in order."""
        plan = self.check(text, **settings)
        assert not plan.failed, [step.message for step in plan.steps]
        return [step.message for step in plan.steps if step.label.module == "debug"]

    def content(self, path: str) -> str:
        return self.memory.nodes[path.replace("~", HOME)].content.decode()


def numbered(count: int, task: str) -> str:
    """`task` so many times, with `N` its number."""
    return "\n".join(task.replace("N", str(number)) for number in range(count))
