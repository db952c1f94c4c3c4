"""`async_status`: what has become of a job that `async` has started."""

from __future__ import annotations

import re
from typing import Literal

from scupi_provision.host.jobs import Job, jobs_of
from scupi_provision.host.record import TaskFailedError
from scupi_provision.host.view import HostView
from scupi_provision.modules.contract import Field, Module, ModuleArgs, Result, Text
from scupi_provision.modules.programs import said, when
from scupi_provision.shell.actions import DONE_AT_ONCE, Run
from scupi_provision.shell.replies import RunReply
from scupi_provision.shell.scripts import script

_NAME = re.compile(r"j[0-9a-f]+(?:\.done-(?:changed|ok))?")
_KEPT = 256 * 1024
"""Bytes of each of a job's outputs that are registered; its log has the rest."""


class Args(ModuleArgs):
    """Ask for a job that was started with `poll: 0`, or remove what it has left."""

    jid: Text = Field(description="The job: `ansible_job_id` of what its task has registered.")
    mode: Literal["status", "cleanup"] = Field("status", description="cleanup removes what is left of a job.")


def plan(args: Args, host: HostView) -> Result:
    """Plan to ask; only the host knows."""
    if not _NAME.fullmatch(args.jid):
        raise TaskFailedError(f"could not find job: {args.jid!r} is no id of a job")
    place = f"{host.home}/.provision/jobs/{args.jid}"
    known = {"ansible_job_id": args.jid, "started": True, "finished": True, "stdout": "", "stderr": ""}
    known |= {"stdout_lines": [], "stderr_lines": []}
    if DONE_AT_ONCE in args.jid:  # such a task leaves nothing to ask for
        erased = {"erased": place, "started": False, "finished": False} if args.mode == "cleanup" else {}
        changed = args.jid.endswith("changed") and not erased
        return Result(changed=changed, values={**known, "results_file": place, **erased}, unprovable=True)
    ask = script("job_look.sh", "async_status.sh", jid=args.jid, mode=args.mode, keep=str(_KEPT))
    host.run(Run(ask, writes=(place,), fails_when_nonzero=True), f"ask for the job {args.jid}")
    return Result(values={**known, "results_file": place}, undecided=f"what the job {args.jid} says")


def finish(args: Args, planned: Result, runs: tuple[RunReply, ...]) -> Result:
    """How the job is, and, once it has ended, what its program said: it fails when the program has failed."""
    if not runs:
        return planned
    (job,) = jobs_of(runs[-1].stdout.decode("utf-8", "replace")) or [Job(args.jid)]
    values = dict(planned.values)
    if job.state == "erased":
        erased = {"started": False, "finished": False, "erased": values.pop("results_file")}
        return Result(changed=False, values={**values, **erased})
    if args.mode == "cleanup":
        raise_why = "the job is still running; nothing was removed"
        return Result(failed=True, message=raise_why, values={**values, "finished": False, "msg": raise_why})
    if job.state == "missing":
        return Result(failed=True, message="could not find job", values={**values, "msg": "could not find job"})
    if not job.has_ended:
        return Result(changed=False, values={**values, "finished": False})
    if job.timed_out:
        return Result(failed=True, message="Timeout exceeded", values={**values, "msg": "Timeout exceeded"})
    return _ended(job, values)


def _ended(job: Job, values: dict[str, object]) -> Result:
    status = 137 if job.status is None else job.status
    reply = RunReply(0, status, job.out, job.err, "", times=job.times)
    message = "" if status == 0 else "non-zero return code" if job.state == "done" else "the job was killed"
    told = {**values, **said(reply, strip=True), **when(reply.times), "msg": message}
    return Result(changed=True, values=told, failed=status != 0, message=message)


MODULE = Module("async_status", Args, plan, finish, aliases=("ansible.builtin.async_status",))
