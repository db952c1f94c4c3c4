"""One run of conda on an environment, planned so that it is made once and an interrupted one is taken up again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from scupi_provision.host.view import HostView
from scupi_provision.modules import store
from scupi_provision.modules.conda.channels import UPSTREAM, attempts
from scupi_provision.modules.conda.place import Place
from scupi_provision.modules.conda.request import Request
from scupi_provision.modules.python.run import digest
from scupi_provision.shell.actions import Run
from scupi_provision.shell.replies import RunReply
from scupi_provision.shell.scripts import script
from scupi_provision.shell.words import words
from scupi_provision.values import UnknownValueError

_MOST_NAMED = 8
"""Packages that a summary names."""


@dataclass(frozen=True)
class CondaRun:
    """What to run, and where.

    Attributes:
        conda: The prefix of the conda that does it.
        place: The environment.
        request: All that shall be in it.
        missing: What of that is not there yet, for people; empty to install nothing.
        remove: Names of packages that go.
        bases: Where channels live; tried in order.
        settings: Variables for conda.
    """

    conda: str
    place: Place
    request: Request
    missing: Sequence[str]
    remove: Sequence[str] = ()
    bases: Sequence[str] = ()
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def summary(self) -> str:
        """Words for people."""
        if self.place.fresh:
            return f"make {self.place.path} with {few(self.missing)}"
        parts = [f"install {few(self.missing)} into"] if self.missing else []
        parts += [f"remove {few(self.remove)} from"] if self.remove else []
        return f"{' and '.join(parts)} {self.place.path}"

    @property
    def key(self) -> str:
        """Names the job. It holds what was there before: an earlier job's result is only taken from the same state."""
        state = [package.full_name for package in (self.place.installed or {}).values()]
        asked = self.request.identity() if self.missing else []
        identity = [self.place.prefix, self.place.fresh, asked, list(self.remove), state, sorted(self.settings.items())]
        return f"conda-env-{digest(identity)}"


def few(names: Sequence[str]) -> str:
    """The first of them, and how many more there are."""
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def plan_conda(host: HostView, call: CondaRun) -> None:
    """Plan one durable run of conda."""
    prefix, key = call.place.prefix, call.key
    stamp = f"{prefix}/.provision/conda-{digest(call.request.identity())}"
    marks = [stamp, f"{prefix}/.ok"] if call.place.fresh else [stamp]
    for mark in marks:
        _remove(host, mark)
    # Both belong to the place and not to the wish: what an interrupted run has fetched serves the next one.
    cache, turn = (host.path(f"~/.provision/{name}/conda-env-{digest(call.place.path)}") for name in ("cache", "build"))
    request = call.request if call.missing else Request()
    command = script(
        "tree.sh",
        "conda_env.sh",
        conda=call.conda,
        prefix=prefix,
        task="create" if call.place.fresh else "change",
        specs=words(*(spec.text for spec in request.specs)),
        remove=words(*call.remove),
        attempts=attempts(request.channels, call.bases),
        explicit=words(*dict.fromkeys(call.bases or [UPSTREAM])) if request.locked else "",
        upstream=UPSTREAM,
        turn=turn,
        cache=cache,
        stamp=stamp,
        ok=store.manifest(call.place.inputs).decode(),
    )
    run = Run(
        command,
        environment=tuple(sorted(call.settings.items())),
        stdin=_explicit_list(request),
        phase="conda",
        durable_key=key,
        creates=tuple(marks),
        writes=(prefix, cache, turn),
        uses=(call.conda,),
    )
    host.run(run, f"conda: {call.summary}")


def _remove(host: HostView, mark: str) -> None:
    """Take away what an earlier run has left, so that its result is not taken for this one's."""
    try:
        host.remove(mark)
    except UnknownValueError:
        host.record.reads.pop(mark, None)  # this plan makes what is around it: there is none


def _explicit_list(request: Request) -> bytes:
    lines = ["@EXPLICIT", *(one.line for one in request.locked)] if request.locked else []
    return "".join(f"{line}\n" for line in lines).encode()


def changes(runs: Sequence[RunReply]) -> list[str]:
    """What the runs say that they have changed: `+ numpy-1.26.4-py311_0`, `- …`."""
    lines = [line for run in runs for line in run.stdout.decode("utf-8", "replace").splitlines()]
    return [line for line in lines if line.startswith(("+ ", "- "))]
