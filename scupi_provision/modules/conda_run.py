"""One run of conda on an environment, planned so that it is made once and an interrupted one is taken up again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from scupi_provision.host.view import HostView
from scupi_provision.modules.conda_request import UPSTREAM, Request, attempts
from scupi_provision.modules.pip_run import digest
from scupi_provision.shell.actions import Run
from scupi_provision.shell.scripts import script
from scupi_provision.shell.words import words
from scupi_provision.values import UnknownValueError


@dataclass(frozen=True)
class CondaRun:
    """What to run, and where.

    Attributes:
        conda: The prefix of the conda that does it.
        prefix: The environment.
        create: Whether it is made anew; else it is changed.
        request: What shall be in it; None to install nothing.
        summary: Words for people.
        remove: Names of packages that go.
        bases: Where channels live; tried in order.
        settings: Variables for conda.
        state: What was installed before.
        ok: The content of `.ok`, for one that is made.
        stamp: Name of the file that says it ended well.
    """

    conda: str
    prefix: str
    create: bool
    request: Request | None
    summary: str
    stamp: str
    remove: Sequence[str] = ()
    bases: Sequence[str] = ()
    settings: dict[str, str] = field(default_factory=dict)
    state: Sequence[str] = ()
    ok: str = ""


def plan_conda(host: HostView, call: CondaRun) -> None:
    """Plan one durable run of conda.

    Its key holds what was installed before, as for pip: an earlier run's result is only taken when it began from the
    same state.
    """
    asked = call.request.identity() if call.request else []
    key = f"conda-env-{digest([call.prefix, call.create, asked, list(call.remove), list(call.state), call.settings])}"
    stamp = f"{call.prefix}/.provision/{call.stamp}"
    marks = [stamp, f"{call.prefix}/.ok"] if call.create else [stamp]
    for mark in marks:
        _remove(host, mark)
    cache = host.path(f"~/.provision/cache/conda-{key[-8:]}")
    request = call.request or Request((), (), (), ())
    command = script(
        "tree.sh",
        "conda_env.sh",
        conda=call.conda,
        prefix=call.prefix,
        task="create" if call.create else "change",
        specs=words(*(spec.text for spec in request.specs)),
        remove=words(*call.remove),
        attempts=attempts(request.channels, call.bases),
        explicit=words(*dict.fromkeys(call.bases or [UPSTREAM])) if request.locked else "",
        upstream=UPSTREAM,
        cache=cache,
        stamp=stamp,
        ok=call.ok,
    )
    run = Run(
        command,
        environment=tuple(sorted(call.settings.items())),
        stdin=_explicit_list(request),
        phase="conda",
        durable_key=key,
        creates=tuple(marks),
        writes=(call.prefix, cache),
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
