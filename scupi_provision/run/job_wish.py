"""From the inventory's variables to the job that is asked for where a host lets nobody in without one."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any, Literal, cast

from scupi_provision.errors import InputError
from scupi_provision.inventory.models import Host
from scupi_provision.source import diagnostic
from scupi_provision.transport.base import JobWish

_STARTERS = ("srun", "sbatch")
_EXAMPLE = "such as [--partition=gpu, --gres=gpu:1]"


def job_wish(variables: Mapping[str, Any], host: Host) -> JobWish:
    """What `slurm_options`, `slurm_time`, `slurm_wait` and `slurm_with` say for `host`.

    Raises:
        InputError: One of them cannot be meant.
    """
    default = JobWish()
    starter = variables.get("slurm_with", default.starter)
    if starter not in _STARTERS:
        raise _refused(f'slurm_with "{starter}" is not known', host, f"one of {', '.join(_STARTERS)}")
    return JobWish(
        options=_words(variables.get("slurm_options", ()), host),
        time=str(variables.get("slurm_time", default.time)),
        wait_s=_seconds(variables.get("slurm_wait", default.wait_s), host),
        starter=cast("Literal['srun', 'sbatch']", starter),
    )


def _words(value: Any, host: Host) -> tuple[str, ...]:
    try:
        words = shlex.split(value) if isinstance(value, str) else [str(word) for word in value]
    except (TypeError, ValueError) as error:
        raise _refused(f"slurm_options of {host.base} is no list of words: {error}", host, _EXAMPLE) from error
    if any("\0" in word or "\n" in word for word in words):
        raise _refused(f"slurm_options of {host.base} has a line break in a word", host, _EXAMPLE)
    return tuple(words)


def _seconds(value: Any, host: Host) -> float:
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise _refused(f'slurm_wait "{value}" is no number of seconds', host, "such as 600")
    return seconds


def _refused(summary: str, host: Host, hint: str) -> InputError:
    return InputError.of([diagnostic(summary, host.where, hint=hint)])
