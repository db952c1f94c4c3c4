"""Durable jobs, as people read them."""

from __future__ import annotations

import codecs
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from scupi_provision.host.jobs import Job
from scupi_provision.masking import mask
from scupi_provision.report import style
from scupi_provision.report.visible import visible


class SaidText:
    """One output of a job, piece by piece, as text without secrets.

    A secret, or a character, may come in two pieces. Where secrets are known, the last line waits for its end; where
    none is, everything is shown as it comes.
    """

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._waiting = ""

    def more(self, data: bytes, *, last: bool = False) -> str:
        """What may be shown now that the job has said `data`; with `last`, all that is left."""
        text = self._waiting + self._decoder.decode(data, final=last)
        known = mask()
        end = len(text) if last or not known else text.rfind("\n") + 1
        self._waiting = text[end:]
        return known.hide(text[:end])


def print_jobs(rows: Sequence[tuple[str, Job]], console: Console) -> None:
    """A table of jobs, each with the host that tells of it, the oldest first."""
    if not rows:
        console.print(Text("there are no jobs"))
        return
    table = Table(box=None, padding=(0, 2, 0, 0), header_style=style.QUIET)
    for heading in ("job", "host", "state", "began", "what"):
        table.add_column(heading, overflow="fold")
    for host, job in rows:
        began = job.times[0][:19] if job.times else ""
        table.add_row(visible(job.name), visible(host), _state(job), visible(began), visible(job.title))
    console.print(table)


def print_begin(host: str, job: Job, console: Console) -> None:
    """Whose output follows."""
    title = f" ({visible(job.title)})" if job.title else ""
    console.print(Text(f"{visible(job.name)}{title} on {host}: {wording(job)}", style=style.QUIET), soft_wrap=True)


def print_end(job: Job, console: Console) -> None:
    """How it ended."""
    good = job.status == 0
    console.print(Text(f"{visible(job.name)}: {wording(job)}", style=style.GOOD if good else style.BAD), soft_wrap=True)


def wording(job: Job) -> str:
    """A job's state as a person would say it."""
    if job.timed_out:
        return "ended, because its time was over" + (f" ({job.limit_s} s)" if job.limit_s is not None else "")
    if job.state == "done":
        return "ended well" if job.status == 0 else f"ended with status {job.status}"
    words = {
        "running": "running",
        "elsewhere": f"begun on {visible(job.node)}, which alone can tell whether it runs",
        "gone": "was killed, or its node was started anew",
    }
    return words.get(job.state, "is not there any more")


def _state(job: Job) -> Text:
    good = job.state == "running" or job.status == 0
    return Text(wording(job), style=style.GOOD if good else style.QUIET if job.state == "elsewhere" else style.BAD)
