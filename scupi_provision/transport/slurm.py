"""The way through Slurm: a host that lets nobody in without a job is reached by a job.

One allocation is held on the host before for as long as the transport is open, and given back when the controller goes,
also when it is killed. A shell is a step of it (`srun` with pipes), so programs run where the scheduler put them, with
the GPUs that it gave: no sshd of the host takes part, and none of the account's start-up files.
"""

from __future__ import annotations

import re
import secrets
import time

from scupi_provision.errors import UnreachableError
from scupi_provision.shell.words import words
from scupi_provision.transport.base import Channel, Hop, Tell, Transport, Way
from scupi_provision.transport.onward_failures import last_words
from scupi_provision.transport.relayed_shell import Lines, RelayedTransport, new_mark, start
from scupi_provision.transport.route import described, is_ip_address, printable

_END_S = 0.5
_NO_STEP = re.compile(r"CANCELLED|DUE TO TIME LIMIT|NODE FAILURE|PREEMPTION|Unable to create step|Unable to confirm")
"""How slurmstepd and srun say that a job has ended under a step (src/slurmd/slurmstepd, src/srun; 16.05 to 24.05)."""
_NO_SLURM = re.compile(r"(salloc|sbatch): (inaccessible or |command )?not found")
_NODELIST = ("-w", "--nodelist")


class SlurmTransport(RelayedTransport):
    """The Transport protocol over steps of a job; made by `take_job`."""

    way: Way = "slurm"

    def __init__(self, gateway: Transport, before: Hop, hop: Hop, line: Lines, job: str) -> None:
        """As for every relayed way; `job` is the number of the job that the program behind `line` holds."""
        here, there = printable(before.name), printable(hop.name)
        explanation = f"{there} is entered only with a Slurm job: this run has job {job} there, asked for on {here}"
        if gateway.explanation:
            explanation = f"{gateway.explanation}; behind it {explanation}"
        super().__init__(gateway, before, hop, line, explanation)
        self._job = job

    def _start(self, mark: str, command: str) -> Channel:
        return start(self._gateway, mark, "slurm.sh", "p_in_job", JOB=self._job, COMMAND=command)

    def _end_of(self, said: str, status: int | None) -> UnreachableError | None:
        if _NO_STEP.search(said):
            return self._lost(said)
        if status:
            self._line.wait_for_end(_END_S)
        return self._lost(said) if self._line.ended else None

    def _lost(self, said: str) -> UnreachableError:
        return UnreachableError(
            f"The Slurm job on {described(self._hop)} has ended before we had",
            detail=last_words(said) or f"job {self._job} is gone",
            hint=f"its limit was slurm_time: {self._hop.job.time}; run the same command again, with more if need be",
        )


def take_job(gateway: Transport, before: Hop, hop: Hop, tell: Tell) -> SlurmTransport:
    """Ask for a job on `hop` where the last hop of `gateway` is, and wait until it runs.

    Args:
        gateway: The way to `before`, on which Slurm's programs are.
        before: Its last hop.
        hop: The host, with what its job is to be like.
        tell: Told every other second what the queue says.

    Raises:
        UnreachableError: Slurm gives none, or not in time.
    """
    mark = new_mark()
    name = f"provision-{secrets.token_hex(4)}"
    wish = {"NAME": name, "STARTER": hop.job.starter, "OPTIONS": words(*_job_options(hop))}
    channel = start(gateway, mark, "slurm.sh", "p_hold_job", **wish)
    line = Lines(channel, mark)
    try:
        return SlurmTransport(gateway, before, hop, line, _granted(line, before, hop, tell))
    except BaseException:
        channel.close()
        raise


def _granted(line: Lines, before: Hop, hop: Hop, tell: Tell) -> str:
    """The number of the job, once it runs."""
    line.await_hello(before)
    begin = time.monotonic()
    seen = "it said nothing"
    for kind, *rest in line.within(hop.job.wait_s):
        value = " ".join(rest)
        if kind == "up" and value.isdecimal():
            return value
        if kind == "ended":
            raise _not_given(line.channel.stderr_tail(), before, hop)
        if kind == "waits" and value.startswith("PENDING "):
            state, _, reason = value.partition(" ")
            why = "no reason yet" if reason == "None" else f"reason {printable(reason)}"
            seen = f"{state}, {why}"
            tell(f"waiting for a job on {printable(hop.name)}: {time.monotonic() - begin:.0f} s, {why}")
    if line.ended:
        raise _not_given(line.channel.stderr_tail(), before, hop)
    raise UnreachableError(
        f"No Slurm job on {described(hop)} within {hop.job.wait_s:g} s",
        detail=f"squeue says of it: {seen}",
        hint="try again later, wait longer (slurm_wait), or ask for less or elsewhere (slurm_options, slurm_time)",
    )


def _not_given(said: str, before: Hop, hop: Hop) -> UnreachableError:
    if _NO_SLURM.search(said):
        return UnreachableError(
            f"{described(before)} has no Slurm, so it gives no job on {described(hop)}",
            hint=f"leave provision_reach of {printable(hop.name)} out, or look for Slurm's programs there: which srun",
        )
    return UnreachableError(
        f"Slurm gives no job on {described(hop)}",
        detail=last_words(said),
        hint="give the options that its jobs need: slurm_options (such as [--partition=gpu, --gres=gpu:1]), slurm_time",
    )


def _job_options(hop: Hop) -> tuple[str, ...]:
    """What Slurm is asked for; a node that the inventory names by itself is not named again."""
    wish = hop.job
    chosen = any(option.startswith(_NODELIST) for option in wish.options)
    # Slurm knows nodes by their short names.
    node = hop.name if is_ip_address(hop.address) else hop.address.partition(".")[0]
    nodelist = () if chosen else (f"--nodelist={node}",)
    return ("--nodes=1", "--ntasks=1", f"--time={wish.time}", *nodelist, *wish.options)
