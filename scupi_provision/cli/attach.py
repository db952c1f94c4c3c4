"""`provision attach`: jobs that go on without us, and the live output of one of them."""

from __future__ import annotations

import json as json_text
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from scupi_provision.cli import completing, options
from scupi_provision.cli.boundary import EXIT_INTERRUPTED, guarded
from scupi_provision.cli.showing import show_results

if TYPE_CHECKING:
    from scupi_provision.host.jobs import Job
    from scupi_provision.run.request import RunRequest

_LOST = 1
"""The exit code when nobody knows how a job ended."""


def attach(
    job: Annotated[str | None, typer.Argument(help="Which (default: the only one that runs).")] = None,
    host: Annotated[
        str | None, typer.Option("--host", help="Where (default: every host).", autocompletion=completing.nodes)
    ] = None,
    account: options.Account = None,
    inventory: options.Inventory = None,
    lab: options.UseLab = False,
    show_list: Annotated[bool, typer.Option("--list", help="Show the jobs there are, and end.")] = False,
    json: Annotated[bool, typer.Option("--json", help="One line of JSON for each job, or for what one says.")] = False,
) -> None:
    """Follow a job with its live output until it ends; Ctrl-C leaves it running. Exits with the job's own status.

    Jobs are the programs of tasks with `async`, and the long ones of `source_build` and its like.
    """

    def work() -> int:
        request = options.inventory_request(inventory, None, lab=lab)
        if show_list:
            return _list(request, host, account, json=json)
        try:
            return _follow(request, job, host, account, json=json)
        except KeyboardInterrupt:
            print("the job goes on; come back to it with: provision attach " + (job or ""), file=sys.stderr)
            return EXIT_INTERRUPTED

    raise typer.Exit(guarded(work))


def _list(request: RunRequest, host: str | None, account: str | None, *, json: bool) -> int:
    from scupi_provision.report.attach import print_jobs  # noqa: PLC0415 - rich is slow to import
    from scupi_provision.report.style import open_console  # noqa: PLC0415
    from scupi_provision.run.attach import JobOn, jobs  # noqa: PLC0415 - keeps `--help` fast

    found: list[tuple[str, Job]] = []
    code = show_results(jobs(request, host, account), JobOn, lambda one: found.append((one.host.label, one.job)))
    if json:
        for label, job in found:
            print(_line(label, job))
    else:
        print_jobs(found, open_console(sys.stdout))
    return code


def _follow(request: RunRequest, name: str | None, host: str | None, account: str | None, *, json: bool) -> int:
    from scupi_provision.report.attach import print_begin, print_end  # noqa: PLC0415 - rich is slow to import
    from scupi_provision.report.style import open_console  # noqa: PLC0415
    from scupi_provision.run.attach import JobOn, Said, Told, follow  # noqa: PLC0415 - keeps `--help` fast

    last: JobOn | None = None
    console = open_console(sys.stderr)
    live = _Live(json=json)

    def tell(told: Told) -> None:
        nonlocal last
        if isinstance(told, Said):
            live.say(told.out, told.err)
            return
        if not isinstance(told, JobOn):
            return
        if last is not None:
            live.say(b"", b"", last=True)
        if json:
            print(_line(told.host.label, told.job), flush=True)
        elif last is None:
            print_begin(told.host.label, told.job, console)
        else:
            print_end(told.job, console)
        last = told

    show_results(follow(request, name, host, account), Told, tell)
    status = last.job.status if last else None
    return _LOST if status is None else status


class _Live:
    """What a job says, on the stream on which it says it; as it is where nobody looks, else fit for a terminal."""

    def __init__(self, *, json: bool) -> None:
        from scupi_provision.report.attach import SaidText  # noqa: PLC0415 - rich is slow to import

        self._json = json
        self._out, self._err = SaidText(), SaidText()

    def say(self, out: bytes, err: bytes, *, last: bool = False) -> None:
        from scupi_provision.report.visible import visible  # noqa: PLC0415 - as above

        texts = self._out.more(out, last=last), self._err.more(err, last=last)
        if not any(texts):
            return
        if self._json:
            print(json_text.dumps({"stdout": texts[0], "stderr": texts[1]}, ensure_ascii=False), flush=True)
            return
        for text, stream in zip(texts, (sys.stdout, sys.stderr), strict=True):
            lines = text.split("\n")
            stream.write("\n".join(map(visible, lines)) if stream.isatty() else text)
            stream.flush()


def _line(host: str, job: Job) -> str:
    from scupi_provision.report.masked import masked  # noqa: PLC0415 - as above

    facts = {
        "job": job.name,
        "host": host,
        "state": job.state,
        "status": job.status,
        "node": job.node,
        "times": list(job.times),
        "timed_out": job.timed_out,
        "title": job.title,
    }
    return json_text.dumps(masked(facts), ensure_ascii=False)
